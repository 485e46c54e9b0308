#pragma once

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <string_view>

namespace plex::bench {

/// Of a client of bench_server.
/// @param scene "" or as in "/others" (README.md)
config settings(std::uint64_t port, std::string_view scene = "");
config tls_settings(std::uint64_t port, std::string_view scene = "");

/// Runs what is measured with a client, and stops the client when it is done. An exception leaves it.
void run(config const&, std::function<boost::asio::awaitable<void>(client&)> const& measure);

} // namespace plex::bench
