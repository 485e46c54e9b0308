#pragma once

#include "pseudonyms.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace plex::command {

struct anonymised {
    std::string json;         ///< in one line, in ASCII but for pseudonyms; empty for what is no JSON
    std::string_view problem; ///< what is wrong with it then, without any of its content
    std::size_t repaired = 0; ///< sequences of bytes that were no characters, and halves of surrogate pairs
};

/// Makes what a server says fit to be shown to others: a notification or a list with its members, types, lengths and
/// vocabulary (docs/recording.md), and without titles, names, addresses, identities and tokens.
class anonymiser
{
public:
    /// @param secret must not appear even where words are kept: the token
    explicit anonymiser(std::string secret) : secret_(std::move(secret)) {}

    anonymised operator()(std::string_view text);

private:
    class writer;

    bool is_safe(std::string_view kept) const;

    std::string const secret_;
    pseudonyms pseudonyms_;
};

} // namespace plex::command
