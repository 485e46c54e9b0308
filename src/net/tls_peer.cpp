#include "net/tls_peer.hpp"

#include <plex/error.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <ctime>
#include <map>
#include <tuple>
#include <utility>

namespace plex::net {

namespace asio = boost::asio;
namespace ssl = asio::ssl;

namespace {

constexpr unsigned char protocols[] = "\x08http/1.1";

template <auto Free>
struct freeing {
    template <class T>
    void operator()(T* what) const noexcept
    {
        Free(what);
    }
};
using bio_ptr = std::unique_ptr<BIO, freeing<BIO_free>>;
using x509_ptr = std::unique_ptr<X509, freeing<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freeing<EVP_PKEY_free>>;

[[noreturn]] void refuse(pem_text const& pem)
{
    char const* const reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    throw error(errc::invalid_argument, pem.name + " cannot be used (" + (reason ? reason : "nothing is in it") + ")");
}

bio_ptr reading(pem_text const& pem)
{
    return bio_ptr(BIO_new_mem_buf(pem.text.data(), static_cast<int>(pem.text.size())));
}

// OpenSSL's own would ask whoever sits at the terminal.
int no_passphrase(char*, int, int, void*)
{
    return -1;
}

void trust(SSL_CTX* context, pem_text const& authorities)
{
    ERR_clear_error();
    bio_ptr const bio = reading(authorities);
    std::size_t count = 0;
    while (x509_ptr const certificate{PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr)}) {
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1)
            refuse(authorities);
        ++count;
    }
    if (count == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) // which is how it says "no more"
        refuse(authorities);
    ERR_clear_error();
}

void trust_system(SSL_CTX* context)
{
    // Where the system has none, no server is accepted, and the error of that says what to do.
    SSL_CTX_set_default_verify_paths(context);
    ERR_clear_error();
}

void introduce(SSL_CTX* context, pem_text const& chain, pem_text const& key)
{
    ERR_clear_error();
    bio_ptr const bio = reading(chain);
    x509_ptr const own{PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr)};
    if (!own || SSL_CTX_use_certificate(context, own.get()) != 1)
        refuse(chain);
    while (x509_ptr const issuer{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)})
        if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1)
            refuse(chain);
    ERR_clear_error();
    key_ptr const secret{PEM_read_bio_PrivateKey(reading(key).get(), nullptr, no_passphrase, nullptr)};
    if (!secret || SSL_CTX_use_PrivateKey(context, secret.get()) != 1)
        refuse(key);
}

/// What is made by a key is kept for the next who asks, while anybody holds it.
template <class Key, class T>
class shared_by
{
public:
    template <class Make>
    std::shared_ptr<T> get(Key const& key, Make make)
    {
        std::lock_guard const lock(mutex_);
        auto const found = known_.find(key);
        if (found != known_.end())
            if (std::shared_ptr<T> const held = found->second.lock())
                return held;
        std::shared_ptr<T> made = make();
        if (known_.size() >= clean_at_) {
            std::erase_if(known_, [](auto const& entry) { return entry.second.expired(); });
            clean_at_ = 2 * known_.size() + 8;
        }
        known_[key] = made;
        return made;
    }

private:
    std::mutex mutex_;
    std::map<Key, std::weak_ptr<T>> known_;
    std::size_t clean_at_ = 8;
};

using digest = std::array<unsigned char, 32>;

/// Of the options: a key's text is not to lie about.
digest digest_of(tls_options const& options)
{
    std::unique_ptr<EVP_MD_CTX, freeing<EVP_MD_CTX_free>> const sum(EVP_MD_CTX_new());
    EVP_DigestInit_ex(sum.get(), EVP_sha256(), nullptr);
    auto const add = [&](pem_text const& pem) {
        std::size_t const size = pem.text.size();
        EVP_DigestUpdate(sum.get(), &size, sizeof size);
        EVP_DigestUpdate(sum.get(), pem.text.data(), size);
    };
    add(options.certificate);
    add(options.key);
    for (pem_text const& authorities : options.authorities)
        add(authorities);
    EVP_DigestUpdate(sum.get(), &options.insecure, sizeof options.insecure);
    digest result{};
    EVP_DigestFinal_ex(sum.get(), result.data(), nullptr);
    return result;
}

template <class Key, class T>
shared_by<Key, T>& registry()
{
    static auto* const instance = new shared_by<Key, T>(); // clients may be made while the process ends
    return *instance;
}

} // namespace

void ssl_deleter::operator()(SSL* ssl) const noexcept
{
    SSL_free(ssl);
}

void ssl_session_deleter::operator()(SSL_SESSION* session) const noexcept
{
    SSL_SESSION_free(session);
}

std::shared_ptr<ssl::context> tls_peer::make_context(tls_options const& options)
{
    auto result = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX* const context = result->native_handle();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    // One system call a record and not two. A buffer for more than one record makes it dearer: what is behind a record
    // is moved to the front before the next one is read.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, session_came);
    SSL_CTX_set_verify(context, options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
    for (pem_text const& authorities : options.authorities)
        trust(context, authorities);
    if (options.authorities.empty() && !options.insecure)
        trust_system(context);
    if (!options.certificate.text.empty())
        introduce(context, options.certificate, options.key);
    return result;
}

std::shared_ptr<tls_peer> tls_peer::of(tls_options const& options, std::string const& host, std::uint16_t port)
{
    std::shared_ptr<ssl::context> const context =
        registry<digest, ssl::context>().get(digest_of(options), [&] { return make_context(options); });
    using key = std::tuple<ssl::context const*, std::string, std::uint16_t>;
    return registry<key, tls_peer>().get({context.get(), host, port},
                                         [&] { return std::make_shared<tls_peer>(context, host); });
}

tls_peer::tls_peer(std::shared_ptr<ssl::context> context, std::string host)
    : context_(std::move(context)), host_(std::move(host))
{
}

tls_peer::~tls_peer() = default;

std::unique_ptr<SSL, ssl_deleter> tls_peer::new_connection()
{
    std::unique_ptr<SSL, ssl_deleter> result(SSL_new(context_->native_handle()));
    if (!result || !demand_name(result.get()))
        return nullptr;
    SSL_set_app_data(result.get(), this);
    SSL_set_connect_state(result.get());
    std::lock_guard const lock(mutex_);
    if (session_ && SSL_SESSION_get_time(session_.get()) + SSL_SESSION_get_timeout(session_.get()) < std::time(nullptr))
        session_.reset();
    // A copy, as a connection writes into its session, and each may run on a thread of its own.
    if (std::unique_ptr<SSL_SESSION, ssl_session_deleter> const copy{session_ ? SSL_SESSION_dup(session_.get())
                                                                              : nullptr})
        SSL_set_session(result.get(), copy.get());
    return result;
}

void tls_peer::forget_session() noexcept
{
    std::lock_guard const lock(mutex_);
    session_.reset();
}

/// A resumed connection's tickets are not taken: else a server whose certificate was seen once would never again have
/// to show it.
int tls_peer::session_came(SSL* ssl, SSL_SESSION* session) noexcept
{
    auto* const self = static_cast<tls_peer*>(SSL_get_app_data(ssl));
    if (!self || SSL_session_reused(ssl) == 1)
        return 0;
    // What a certificate has once proved it does not prove for longer than it is valid.
    X509 const* const shown = SSL_SESSION_get0_peer(session);
    int days = 0;
    int seconds = 0;
    if (shown && ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(shown)) == 1) {
        long const left = days * 86'400L + seconds;
        if (left <= 0)
            return 0;
        SSL_SESSION_set_timeout(session, std::min(SSL_SESSION_get_timeout(session), left));
    }
    std::lock_guard const lock(self->mutex_);
    self->session_.reset(SSL_SESSION_dup(session));
    return 0; // it is not kept, but a copy of it
}

/// OpenSSL's own check of the name, not one in a callback: it says "hostname mismatch" where that is what is wrong.
bool tls_peer::demand_name(SSL* ssl) const
{
    X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl);
    // RFC 9525: a name is one of the certificate's alternative names; a subject's common name is free text.
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    boost::system::error_code no_address;
    auto const address = asio::ip::make_address(host_, no_address);
    if (no_address)
        // RFC 6066: no literal addresses in the server name extension.
        return SSL_set_tlsext_host_name(ssl, host_.c_str()) == 1 &&
               X509_VERIFY_PARAM_set1_host(wanted, host_.data(), host_.size()) == 1;
    if (address.is_v4()) {
        auto const bytes = address.to_v4().to_bytes();
        return X509_VERIFY_PARAM_set1_ip(wanted, bytes.data(), bytes.size()) == 1;
    }
    auto const bytes = address.to_v6().to_bytes();
    return X509_VERIFY_PARAM_set1_ip(wanted, bytes.data(), bytes.size()) == 1;
}

} // namespace plex::net
