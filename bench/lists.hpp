#pragma once

#include <plex/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string_view>

namespace plex::bench {

/// Asks again and again for a list of `size` activities.
boost::asio::awaitable<void> ask_for_lists(client&, std::uint64_t requests, std::size_t size);
/// The whole measurement of that on one connection, and its line.
boost::asio::awaitable<void> measure_lists(client&, std::string_view program, std::uint64_t requests, std::size_t size);

} // namespace plex::bench
