#include "crowd.hpp"

#include <utility>

namespace plex::bench {

crowd::crowd(std::uint64_t port, std::uint64_t subscribers, std::uint64_t warm_up_steps, std::uint64_t taken_in_all,
             std::function<void()> finished)
    : stepper_(port), a_step_(subscribers * stepper::events), warm_up_(warm_up_steps * a_step_),
      end_(warm_up_ + (taken_in_all + a_step_ - 1) / a_step_ * a_step_), finished_(std::move(finished))
{
}

void crowd::all_have_taken()
{
    if (due_ == warm_up_)
        begin_ = reading::now();
    if (due_ == end_) {
        spent_ = reading::now() - begin_;
        finished_();
        return;
    }
    due_ += a_step_;
    stepper_.step();
}

void crowd::report(std::string_view program, std::string_view more) const
{
    expect(taken_ == end_, "not everybody took every event");
    print(program, end_ - warm_up_, spent_, more);
}

} // namespace plex::bench
