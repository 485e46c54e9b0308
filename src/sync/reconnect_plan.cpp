#include "sync/reconnect_plan.hpp"

#include <algorithm>
#include <utility>

namespace plex::sync {

namespace {

using namespace std::chrono_literals;

constexpr auto young = 1s;    // a connection that lived shorter is as good as a failed dial
constexpr auto stable = 1min; // one that lived as long starts the delays anew
constexpr unsigned many_failures = 3;

reconnect_plan::duration honoured(reconnect_plan::duration asked) noexcept
{
    return std::clamp<reconnect_plan::duration>(asked, 500ms, 5min);
}

} // namespace

setback setback_of(int http_status) noexcept
{
    switch (http_status) {
    case 401:
    case 403:
        return setback::barred;
    case 407: // of a proxy of ours, which wants other credentials
        return setback::hopeless;
    case 200:
    case 400:
    case 404:
    case 405:
    case 426:
    case 501:
        return setback::unsuitable;
    default:
        return http_status / 100 == 3 ? setback::misdirected : setback::transient;
    }
}

reconnect_plan::reconnect_plan(transport wanted, duration upward_every) noexcept
    : fixed_(wanted != transport::automatic), upward_every_(upward_every),
      current_(fixed_ ? wanted : transport::websocket)
{
}

void reconnect_plan::opened(time_point now) noexcept
{
    opened_at_ = now;
}

reconnect_plan::step reconnect_plan::failed(setback what, time_point now) noexcept
{
    std::optional<time_point> const opened_at = std::exchange(opened_at_, std::nullopt);
    if (opened_at && now - *opened_at >= stable)
        backoff_.reset();
    raise_ = !opened_at || now - *opened_at < young;
    ++in_a_row_;
    switch (what) {
    case setback::misdirected:
    case setback::hopeless:
        return step::give_up;
    case setback::unsuitable:
        return next_transport(now);
    case setback::barred:
        return step::ask_list;
    case setback::transient:
        break;
    }
    bool const is_last = fixed_ || current_ == transport::polling;
    if (in_a_row_ < many_failures || is_last)
        return step::wait;
    return step::ask_list;
}

reconnect_plan::step reconnect_plan::list_answered(list_answer answer, time_point now) noexcept
{
    switch (answer) {
    case list_answer::good: // so it is the transport
        return next_transport(now);
    case list_answer::barred:
        return step::give_up;
    case list_answer::none:
        break;
    }
    return step::wait;
}

reconnect_plan::step reconnect_plan::next_transport(time_point now) noexcept
{
    if (fixed_ || current_ == transport::polling)
        return step::give_up;
    use(current_ == transport::websocket ? transport::eventsource : transport::polling, now);
    return step::at_once;
}

void reconnect_plan::use(transport next, time_point now) noexcept
{
    current_ = next;
    in_a_row_ = 0;
    upward_at_.reset();
    if (next != transport::websocket)
        upward_at_ = now + upward_every_;
}

reconnect_plan::duration reconnect_plan::delay(double random) noexcept
{
    duration const drawn = std::max(backoff_.draw(random), least_delay_);
    if (std::exchange(raise_, false))
        backoff_.raise();
    return std::exchange(asked_to_wait_, std::nullopt).value_or(drawn);
}

void reconnect_plan::wait_for(duration asked) noexcept
{
    asked_to_wait_ = honoured(asked);
}

void reconnect_plan::wait_at_least(duration asked) noexcept
{
    least_delay_ = honoured(asked);
}

void reconnect_plan::went_up(transport to, time_point now) noexcept
{
    use(to, now);
    opened_at_ = now;
}

void reconnect_plan::stayed(time_point now) noexcept
{
    upward_at_ = now + upward_every_;
}

} // namespace plex::sync
