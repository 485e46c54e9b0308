#pragma once

#include "services/http_server.hpp"
#include "services/metrics.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace plex::service {

/// `/metrics`.
http_reply metrics_reply(metrics const&);
/// `/healthz`: one line of JSON, with status 200, or 503 where there is a reason why the service does not do its work.
http_reply health_reply(metrics const&, std::string_view reason);

/// The two, for a service that has no page of its own. What it is given has to live as long.
///
/// They tell the names of servers and the types of what runs, and no title. Whoever reaches the port may ask.
class status_site
{
public:
    /// Why the service does not do its work; empty while it does.
    using reason_function = std::function<std::string()>;

    /// Listens when it returns.
    /// @throws std::runtime_error where it cannot, with the address and what to do
    status_site(boost::asio::any_io_executor executor, boost::asio::ip::tcp::endpoint const&, metrics const&,
                reason_function);

    boost::asio::ip::tcp::endpoint local_endpoint() const { return http_.local_endpoint(); }
    void stop() { http_.stop(); }

private:
    boost::asio::awaitable<http_reply> answer(http_request);

    metrics const& metrics_;
    reason_function reason_;
    http_server http_;
};

} // namespace plex::service
