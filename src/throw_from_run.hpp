#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <exception>

namespace plex::detail {

/// What a user's function has thrown leaves `run()` from a handler of its own, as what called the function goes on.
/// Lost where there is no memory for the handler.
inline void throw_from_run(boost::asio::any_io_executor const& executor, std::exception_ptr thrown) noexcept
try {
    boost::asio::post(executor, [thrown] { std::rethrow_exception(thrown); });
} catch (...) {
}

} // namespace plex::detail
