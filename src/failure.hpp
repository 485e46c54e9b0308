#pragma once

#include <plex/error.hpp>

#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace plex::detail {

/// What is being done to which server, for the messages of errors.
struct undertaking {
    std::string what;   ///< "listing the activities"
    std::string origin; ///< "http://host:port/base", no token in it
};

/// The error for a failure of the network: `ec` as sockets, TLS and Beast's HTTP parser put it.
/// @param during what had been reached: "connecting"
error network_error(undertaking const&, error_code ec, std::string_view during);

error stopped_error(undertaking const&);

/// The error for a reply that refuses.
/// @param said what the reply says of itself, without a message
error refusal(undertaking const&, errc, diagnostics::content said);

/// For where no other can be made: one for the process, of the code `boost::system::errc::not_enough_memory`.
/// @throws std::bad_alloc the first time, not once there is a client
std::shared_ptr<error const> const& out_of_memory();

/// What was thrown, as an error of ours: of Asio, of want of memory, or of the user's token function, which may throw
/// anything.
error error_of(undertaking const&, std::exception_ptr);

} // namespace plex::detail
