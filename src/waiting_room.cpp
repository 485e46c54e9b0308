#include "waiting_room.hpp"

#include <boost/asio/post.hpp>

namespace plex::detail {

void waiter::leave(net::woken why) noexcept
{
    if (!finish_ || is_leaving_)
        return;
    why_ = why;
    is_leaving_ = true;
    unlink();
    room_.leave(*this);
}

/// Destroyed unused, as an execution context does with what it has yet to run, it takes with it whom it would resume.
struct waiting_room::resumption {
    explicit resumption(std::shared_ptr<waiting_room> r) noexcept : room(std::move(r)) {}
    resumption(resumption&&) noexcept = default;
    ~resumption()
    {
        if (room)
            drop(room->leaving_);
    }
    void operator()() { std::exchange(room, nullptr)->resume_all(); }

    std::shared_ptr<waiting_room> room;
};

void waiting_room::leave(waiter& w) noexcept
{
    bool const is_first = leaving_.empty();
    leaving_.push_back(w);
    if (!is_first)
        return;
    try {
        asio::post(executor_, resumption(shared_from_this()));
    } catch (...) { // out of memory: it stays until the next one leaves
    }
}

void waiting_room::resume_all()
{
    // Whoever is resumed may throw out of a handler of his own, by which the others must not be forgotten.
    struct rest {
        ~rest()
        {
            try {
                if (!room.leaving_.empty())
                    asio::post(room.executor_, resumption(room.shared_from_this()));
            } catch (...) { // as in leave()
            }
        }
        waiting_room& room;
    } const others{*this};
    while (!leaving_.empty()) {
        waiter& w = leaving_.front();
        leaving_.pop_front();
        w.finish_(w, true);
    }
}

void waiting_room::drop(waiters& list) noexcept
{
    while (!list.empty()) {
        waiter& w = list.front();
        list.pop_front();
        w.finish_(w, false);
    }
}

void waiting_room::release() noexcept
{
    drop(waiting_);
    drop(leaving_);
    executor_ = asio::any_io_executor();
}

} // namespace plex::detail
