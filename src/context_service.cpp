#include "context_service.hpp"

#include <boost/asio/query.hpp>

#include <algorithm>

namespace plex::detail {

boost::asio::execution_context::id context_service::id;

void context_service::watch(boost::asio::any_io_executor const& executor, std::weak_ptr<context_bound> bound)
{
    auto& context = boost::asio::query(executor, boost::asio::execution::context);
    auto& service = boost::asio::use_service<context_service>(context);
    std::lock_guard const lock(service.mutex_);
    if (service.watched_.size() == service.watched_.capacity())
        std::erase_if(service.watched_, [](auto const& w) { return w.expired(); });
    service.watched_.push_back(std::move(bound));
}

void context_service::shutdown() noexcept
{
    std::vector<std::weak_ptr<context_bound>> watched;
    {
        std::lock_guard const lock(mutex_);
        watched.swap(watched_);
    }
    for (auto const& w : watched) {
        if (auto const bound = w.lock())
            bound->context_destroyed();
    }
}

} // namespace plex::detail
