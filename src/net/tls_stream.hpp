#pragma once

#include "net/byte_stream.hpp"
#include "net/tls_peer.hpp"

namespace plex::net {

struct tls_handshake {
    std::unique_ptr<byte_stream> stream; ///< not null, and of no use after a failure
    error_code ec;                       ///< a refused certificate is of the category "certificate", by `X509_V_ERR_…`
};
/// The handshake ends by itself at `deadline`.
asio::awaitable<tls_handshake> make_tls_stream(scope&, stream_socket, std::shared_ptr<tls_peer>, steady_time deadline);

} // namespace plex::net
