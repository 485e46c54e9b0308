#pragma once

#include "dashboard/board.hpp"
#include "services/http_server.hpp"
#include "services/metrics.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <vector>

namespace plex::dashboard {

/// What is answered to whom: the page, its event stream, cancels, metrics, and whether we are well. What it is given
/// has to live as long.
class site
{
public:
    /// Cancels an activity of a server, and throws why not.
    using cancel_function = std::function<boost::asio::awaitable<void>(std::string server, std::string uuid)>;

    site(board& shown, service::metrics const& m, cancel_function cancel)
        : board_(shown), metrics_(m), cancel_(std::move(cancel))
    {
    }

    /// @param hosts as `host_is_ours` takes them
    /// @param cancel_token empty lets nobody cancel
    void admit(std::vector<std::string> hosts, std::string cancel_token);

    boost::asio::awaitable<service::http_reply> answer(service::http_request);

private:
    service::http_reply page_or_events(service::http_request const&);
    boost::asio::awaitable<service::http_reply> cancel(service::http_request const&);

    board& board_;
    service::metrics const& metrics_;
    cancel_function cancel_;
    std::vector<std::string> hosts_;
    std::string cancel_token_;
};

} // namespace plex::dashboard
