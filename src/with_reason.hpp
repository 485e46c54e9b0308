#pragma once

#include "failure.hpp"

#include <boost/asio/awaitable.hpp>

#include <type_traits>
#include <utility>

namespace plex::detail {

/// Whatever of Asio's leaves `work`, as an error of ours. A cancellation that comes together with a result is told by
/// Asio at the next `co_await`, as its bare error.
template <class T>
boost::asio::awaitable<T> with_reason(undertaking doing, boost::asio::awaitable<T> work)
{
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(work);
            co_return;
        } else {
            T result = co_await std::move(work);
            co_return result;
        }
    } catch (error const&) {
        throw;
    } catch (boost::system::system_error const& e) {
        throw network_error(doing, e.code(), "going on to the next step");
    }
}

} // namespace plex::detail
