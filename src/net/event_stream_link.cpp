#include "net/event_stream_link.hpp"

#include <utility>

namespace plex::net {

namespace {

// The framing of one chunk never needs so many bytes.
constexpr std::size_t longest_chunk_head = 4096;

} // namespace

event_stream_link::event_stream_link(scope& s, std::unique_ptr<byte_stream> stream, std::unique_ptr<reply_stream> body,
                                     std::string beyond, settings values)
    : live_link(s, std::move(stream), std::move(beyond), values), body_(std::move(body)), framer_(values.max_message)
{
}

void event_stream_link::ask_confirmation(std::uint32_t number)
{
    // Nothing can be asked here. The next ping may have been on its way before; the one after it was not.
    to_confirm_ = number;
    pings_until_confirmed_ = 2;
}

live_link::end event_stream_link::take(std::span<char> bytes, link_listener& listener)
{
    parts_.clear();
    error_code ec;
    std::size_t const used = body_->take(bytes, parts_, ec);
    for (std::span<char> const part : parts_)
        if (end const e = take_events(part, listener); e != end::none)
            return e;
    if (body_->ended())
        return end::closed_by_peer;
    if (ec || bytes.size() - used > longest_chunk_head) {
        fault_ = "its chunks are broken";
        return end::violation;
    }
    carried_.assign(bytes.data() + used, bytes.size() - used);
    return end::none;
}

live_link::end event_stream_link::take_events(std::span<char> bytes, link_listener& listener)
{
    framer_.feed(bytes);
    for (;;) {
        protocol::event_stream_item const item = framer_.next();
        switch (item.what) {
        case protocol::event_stream::need_more:
            return end::none;
        case protocol::event_stream::event:
            ++frames_;
            if (item.name == "ping")
                heard_ping(listener);
            else if (item.name == "activity")
                listener.message(item.data);
            else
                listener.other_event();
            break;
        case protocol::event_stream::retry:
            listener.retry(item.retry);
            break;
        case protocol::event_stream::too_big:
            fault_ = framer_.fault();
            return end::message_too_big;
        }
    }
}

void event_stream_link::heard_ping(link_listener& listener)
{
    if (!to_confirm_ || --pings_until_confirmed_ != 0)
        return;
    listener.confirmed(*std::exchange(to_confirm_, std::nullopt));
}

} // namespace plex::net
