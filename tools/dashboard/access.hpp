#pragma once

#include <string>
#include <string_view>
#include <vector>

// Who may ask for what. The page is for browsers on the same machine, which also run the pages of strangers.
namespace plex::dashboard {

/// Whether a request's `Host` names us: a loopback address, "localhost", or one of `names`, with any port. A stranger's
/// page whose name was made to resolve to our address (DNS rebinding) names itself there.
bool host_is_ours(std::string_view host, std::vector<std::string> const& names) noexcept;

/// Whether a request's `Origin` is the page that `host` has: `http://HOST` or `https://HOST`. A request without one is
/// not a stranger's page's: those have one, or may read nothing of the reply.
bool origin_is_ours(std::string_view origin, std::string_view host) noexcept;

/// Whether `Authorization` is "Bearer" and this secret. Takes the same time wherever the two differ, and however long
/// they are but for the hashing.
bool has_secret(std::string_view authorization, std::string_view secret);

} // namespace plex::dashboard
