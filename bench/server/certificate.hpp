#pragma once

#include <openssl/types.h>

namespace plex::bench {

/// For TLS 1.3, with a certificate made now that nobody has signed.
SSL_CTX* tls_context();

} // namespace plex::bench
