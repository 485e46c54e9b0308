#include "testing/feeds.hpp"
#include "testing/http_message.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>

namespace plex::testing {
namespace {

constexpr std::string_view ping_event = "event: ping\ndata: {}\n\n";

class event_stream_listener final : public listener
{
public:
    using listener::listener;

    asio::awaitable<void> run()
    {
        auto const self = shared_from_this();
        state_->add(self);
        reply head;
        head.content_type = "text/event-stream";
        head.becomes = reply::feed::event_stream;
        connection_->cork();
        connection_->send(to_bytes(head, false));
        // Pings come whatever the filters are (protocol.md 1.7), the first at once (2.5).
        connection_->send(ping_event);
        connection_->uncork();
        {
            std::lock_guard const lock(state_->mutex);
            ++state_->counters.event_streams;
        }
        become_ready();
        std::array<char, 4096> ignored;
        error_code result;
        while (!result) {
            auto [failure, size] =
                co_await connection_->async_read_some(asio::buffer(ignored), asio::as_tuple(asio::use_awaitable));
            result = failure;
        }
        leave();
    }

private:
    void encode(feed_item const& item) override
    {
        switch (item.what) {
        case feed_item::kind::notification:
            connection_->send(item.event_stream_text());
            break;
        case feed_item::kind::bytes:
            connection_->send(item.text);
            break;
        case feed_item::kind::event_stream_ping:
            connection_->send(ping_event);
            break;
        case feed_item::kind::close:
            connection_->cut_after(0);
            break;
        case feed_item::kind::raw_message:
        case feed_item::kind::ping:
            break;
        }
    }
};

} // namespace

asio::awaitable<void> serve_event_stream(std::shared_ptr<server_state> state, std::shared_ptr<wire> connection,
                                         feed_filter filter)
{
    auto const hearer =
        std::make_shared<event_stream_listener>(std::move(state), std::move(connection), std::move(filter));
    co_await hearer->run();
}

} // namespace plex::testing
