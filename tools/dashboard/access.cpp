#include "dashboard/access.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace plex::dashboard {

namespace {

bool same_letters(std::string_view a, std::string_view b) noexcept
{
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_port(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::array<unsigned char, SHA256_DIGEST_LENGTH> digest(std::string_view text)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> result{};
    SHA256(reinterpret_cast<unsigned char const*>(text.data()), text.size(), result.data());
    return result;
}

} // namespace

bool host_is_ours(std::string_view host, std::vector<std::string> const& names) noexcept
{
    std::size_t const colon = host.rfind(':');
    if (colon != host.npos && host.back() != ']') {
        if (!is_port(host.substr(colon + 1)))
            return false;
        host = host.substr(0, colon);
    }
    for (std::string_view const ours : {"127.0.0.1", "[::1]", "localhost"})
        if (same_letters(host, ours))
            return true;
    return std::any_of(names.begin(), names.end(), [&](std::string const& name) { return same_letters(host, name); });
}

bool origin_is_ours(std::string_view origin, std::string_view host) noexcept
{
    for (std::string_view const scheme : {"http://", "https://"})
        if (origin.starts_with(scheme))
            return same_letters(origin.substr(scheme.size()), host);
    return false;
}

bool has_secret(std::string_view authorization, std::string_view secret)
{
    constexpr std::string_view scheme = "Bearer ";
    if (secret.empty() || !same_letters(authorization.substr(0, scheme.size()), scheme))
        return false;
    auto const given = digest(authorization.substr(scheme.size()));
    auto const wanted = digest(secret);
    return CRYPTO_memcmp(given.data(), wanted.data(), given.size()) == 0;
}

} // namespace plex::dashboard
