#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Where requests go. Everything refused here is a `plex::error` of `errc::invalid_argument` whose message repeats
// nothing of what was given, as a token may be in it.
namespace plex::protocol {

// A configured base URL, taken apart.
struct base_url {
    bool tls = false;
    std::string host; // a name in lower case, or an address; IPv6 without its brackets
    std::uint16_t port = 0;
    std::string path;        // "" or "/plex": a reverse proxy's prefix, without a slash at its end
    bool host_is_ip = false; // an address: for TLS, no name to send or to verify as such

    // `https://plex.example:32400`, without the path, the port only where it is not the scheme's own.
    std::string origin() const;
    // The value of `Host`.
    std::string host_header() const;
};

// `http` or `https` only, each with its default port; a host that ends in a number is an IPv4 address. Boost.URL 1.81
// accepts port 99999 and takes `plex.local:32400` for a scheme, so it is used here alone.
base_url parse_base_url(std::string_view);

// The targets below are relative to the base URL: its path is put before them where the request is written.

// `/activities/{uuid}`. Refuses what could name anything else than one segment, also to a server or proxy that decodes
// before it routes: slashes, backslashes, `%`, control characters, a uuid of dots alone; and one longer than 256 bytes.
std::string activity_target(std::string_view uuid);

// `path` with `filters=` added to its query; no filters is "everything, logs too" (protocol.md 1.3).
std::string feed_target(std::string_view path, std::string_view filters);

// Refuses what is not a path with perhaps a query in visible ASCII, `..` segments, and `X-Plex-Token`, percent-encoded
// ones too: URLs are written to logs.
void check_target(std::string_view);

// Escapes undone; what is no escape stays as it is.
std::string percent_decoded(std::string_view text);
// As it stands, or percent-encoded.
bool path_holds(std::string_view path, std::string_view token);
// Refuses a path or target that holds this very token, under whatever name, escaped or not. `where` says in which.
void check_no_token_in(std::string_view path, std::string_view token, char const* where);

// All bytes but `A-Z a-z 0-9 - . _ ~` as `%XX`, and those of `keep` as they are.
std::string percent_encoded(std::string_view text, std::string_view keep = {});

} // namespace plex::protocol
