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
        if (!room || room->is_posting_)
            return;
        room->on_its_way_ = false;
        drop(room->leaving_);
    }
    void operator()() { std::exchange(room, nullptr)->resume_all(); }

    std::shared_ptr<waiting_room> room;
};

void waiting_room::leave(waiter& w) noexcept
{
    leaving_.push_back(w);
    resume_soon();
}

void waiting_room::resume_soon() noexcept
{
    if (on_its_way_ || leaving_.empty())
        return;
    is_posting_ = true;
    try {
        asio::post(executor_, resumption(shared_from_this()));
        on_its_way_ = true;
    } catch (...) { // out of memory: they stay until the next one leaves, or the feed next looks what is due
    }
    is_posting_ = false;
}

void waiting_room::resume_all()
{
    // Whoever is resumed may throw out of a handler of his own, by which the others must not be forgotten.
    struct rest {
        ~rest()
        {
            room.on_its_way_ = false;
            room.resume_soon();
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
