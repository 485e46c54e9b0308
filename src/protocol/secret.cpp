#include "protocol/secret.hpp"

#include <algorithm>

namespace plex::protocol {

namespace {

constexpr std::size_t shortest = 8;

} // namespace

bool holds_secret(std::string_view text, std::string_view secret) noexcept
{
    return secret.size() >= shortest && text.find(secret) != text.npos;
}

std::string without_secret(std::string text, std::string_view secret)
{
    if (secret.size() < shortest)
        return text;
    constexpr std::string_view mark = "***";
    for (std::size_t at = text.find(secret); at != text.npos; at = text.find(secret, at + mark.size()))
        text.replace(at, secret.size(), mark);
    for (std::size_t size = std::min(secret.size(), text.size()); size != 0; --size) {
        if (text.ends_with(secret.substr(0, size))) {
            text.resize(text.size() - size);
            break;
        }
    }
    return text;
}

} // namespace plex::protocol
