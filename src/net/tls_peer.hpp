#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <openssl/types.h>

struct ssl_session_st; // SSL_SESSION, which openssl/types.h leaves out

namespace boost::asio::ssl {
class context;
}

namespace plex::net {

/// A text of certificates or keys, and what it is called in messages: "the CA file 'ca.pem'".
struct pem_text {
    std::string text;
    std::string name;
};

/// How a server proves who it is, and we who we are.
struct tls_options {
    std::vector<pem_text> authorities; ///< trusted instead of the system's; the system's where there are none
    pem_text certificate;              ///< ours, with its chain; empty for none
    pem_text key;                      ///< of that
    bool insecure = false;
};

struct ssl_deleter {
    void operator()(SSL*) const noexcept;
};
struct ssl_session_deleter {
    void operator()(ssl_session_st*) const noexcept;
};

/// A server as TLS knows it, for all connections to it: who it must prove to be, and the session that the next
/// connection resumes. May be used by several threads.
class tls_peer
{
public:
    /// @throws error `invalid_argument` when one of the texts cannot be used
    static std::shared_ptr<boost::asio::ssl::context> make_context(tls_options const&);
    /// The same for all who ask with equal options while one of them holds it. What a context costs, with the system's
    /// authorities above a MiB, is there once for all peers of equal options.
    /// @throws error as `make_context`
    static std::shared_ptr<tls_peer> of(tls_options const&, std::string const& host, std::uint16_t port);

    /// @param context as `make_context` makes it
    /// @param host name or literal address, without brackets: what the certificate must be made for
    tls_peer(std::shared_ptr<boost::asio::ssl::context> context, std::string host);
    ~tls_peer();

    /// For a new connection, which this must outlive. Null when there is no memory or the host is none.
    std::unique_ptr<SSL, ssl_deleter> new_connection();
    /// A handshake has failed: the next one does not resume.
    void forget_session() noexcept;

private:
    static int session_came(SSL*, ssl_session_st*) noexcept;
    bool demand_name(SSL*) const;

    std::shared_ptr<boost::asio::ssl::context> const context_;
    std::string const host_;
    std::mutex mutex_;
    std::unique_ptr<ssl_session_st, ssl_session_deleter> session_;
};

} // namespace plex::net
