// Beast's WebSocket is the server's on purpose: the library frames by itself, and one code on both ends would agree
// with itself about anything.
#include "testing/feeds.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace plex::testing {
namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

class websocket_listener final : public listener
{
public:
    using listener::listener;

    asio::awaitable<void> run(http_request upgrade)
    {
        auto const self = shared_from_this();
        stream_.auto_fragment(false);
        stream_.control_callback([this](websocket::frame_type kind, beast::string_view) { count(kind); });
        // Before the answer goes out, so that a client that has seen it misses nothing.
        state_->add(self);
        auto [refused] = co_await stream_.async_accept(upgrade, asio::as_tuple(asio::use_awaitable));
        if (!refused) {
            {
                std::lock_guard const lock(state_->mutex);
                ++state_->counters.websocket_upgrades;
            }
            become_ready();
            beast::flat_buffer buffer;
            error_code result;
            while (!result) {
                auto [failure, size] = co_await stream_.async_read(buffer, asio::as_tuple(asio::use_awaitable));
                // What clients say is of no interest, and does no harm (protocol.md 5).
                buffer.consume(size);
                result = failure;
            }
        }
        leave();
    }

private:
    void encode(feed_item const& item) override
    {
        error_code ignored; // The read tells of the end.
        switch (item.what) {
        case feed_item::kind::notification:
        case feed_item::kind::raw_message: {
            stream_.binary(item.binary);
            stream_.write(asio::buffer(item.websocket_text()), ignored);
            break;
        }
        case feed_item::kind::bytes:
            connection_->send(item.text);
            break;
        case feed_item::kind::ping:
            stream_.ping(websocket::ping_data(item.text.substr(0, websocket::ping_data::static_capacity)), ignored);
            break;
        case feed_item::kind::close:
            asio::co_spawn(state_->strand, close(item.close_code, item.text), asio::detached);
            break;
        case feed_item::kind::event_stream_ping:
            break;
        }
    }

    asio::awaitable<void> close(std::uint16_t code, std::string reason)
    {
        auto const self = shared_from_this();
        websocket::close_reason const why(static_cast<websocket::close_code>(code),
                                          reason.substr(0, websocket::reason_string::static_capacity));
        auto const [failure] = co_await stream_.async_close(why, asio::as_tuple(asio::use_awaitable));
        // Beast has taken the peer's close frame here without telling, unless the reading side was first.
        if (!failure && !peer_closed_)
            count(websocket::frame_type::close);
    }

    void count(websocket::frame_type kind)
    {
        std::lock_guard const lock(state_->mutex);
        if (kind == websocket::frame_type::ping)
            ++state_->counters.pings_received;
        else if (kind == websocket::frame_type::pong)
            ++state_->counters.pongs_received;
        else
            ++state_->counters.closes_received;
        peer_closed_ = peer_closed_ || kind == websocket::frame_type::close;
    }

    websocket::stream<wire&, false> stream_{*connection_};
    bool peer_closed_ = false;
};

} // namespace

asio::awaitable<void> serve_websocket(std::shared_ptr<server_state> state, std::shared_ptr<wire> connection,
                                      feed_filter filter, http_request upgrade)
{
    auto const hearer =
        std::make_shared<websocket_listener>(std::move(state), std::move(connection), std::move(filter));
    co_await hearer->run(std::move(upgrade));
}

} // namespace plex::testing
