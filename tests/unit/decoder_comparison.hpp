#pragma once

#include "reference_decoder.hpp"

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What the decoder makes of a text, beside what a plain decoder on Boost.JSON makes of it.
namespace plex::testing {

using protocol::decoded;

// The escapes of halves of surrogate pairs replaced, for which Boost.JSON refuses a whole document.
inline std::string without_halves(std::string_view text, std::size_t& replaced)
{
    auto const unit = [text](std::size_t at) -> unsigned {
        if (text.size() < at + 6 || text.substr(at, 2) != "\\u")
            return 0;
        std::string const digits(text.substr(at + 2, 4));
        if (digits.find_first_not_of("0123456789abcdefABCDEF") != digits.npos)
            return 0;
        return static_cast<unsigned>(std::strtoul(digits.c_str(), nullptr, 16));
    };
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t size = text[at] == '\\' ? 2 : 1;
        unsigned const first = unit(at);
        unsigned const second = unit(at + 6);
        if (first >= 0xd800 && first < 0xdc00 && second >= 0xdc00 && second < 0xe000) {
            size = 12;
        } else if (first >= 0xd800 && first < 0xe000) {
            out += "\\ufffd";
            ++replaced;
            at += 6;
            continue;
        }
        out += text.substr(at, size);
        at += size;
    }
    return out;
}

struct verdict {
    decoded result = decoded::malformed;
    std::vector<std::string> updates;
    std::size_t malformed_entries = 0;
    std::size_t repaired = 0;

    bool operator==(verdict const&) const = default;
};

inline verdict verdict_of(protocol::decoder const& decoder, decoded result)
{
    verdict v;
    v.result = result;
    for (auto const& u : decoder.updates())
        v.updates.push_back(describe(u));
    v.malformed_entries = decoder.malformed_entries();
    v.repaired = decoder.repaired_utf8();
    return v;
}

struct comparison {
    verdict ours;
    verdict plain;
    boost::json::error_code ec; // of Boost.JSON
    bool skipped = false;       // for its type alone
    bool same = false;

    std::string text() const
    {
        auto const shown = [](verdict const& v) {
            std::string all = "result " + std::to_string(static_cast<int>(v.result)) + ", " +
                              std::to_string(v.malformed_entries) + " malformed, " + std::to_string(v.repaired) +
                              " repaired";
            for (auto const& u : v.updates)
                all += "\n  " + u;
            return all;
        };
        return "ours: " + shown(ours) + "\nexpected: " + shown(plain) + "\nBoost.JSON: " + ec.message();
    }
};

// What is accepted that Boost.JSON refuses, each for its reason:
// - invalid UTF-8 and halves of surrogate pairs, which servers send and which are repaired (rule 19): Boost.JSON is
//   given the text with them replaced;
// - exponents that exceed an int, which it cannot hold and nothing here needs;
// - what follows the type of a message that says it is of another one, without naming ours (decoder.hpp).
// @param behind stands where the decoder may read and must not depend on it
inline comparison compare(protocol::decoder& decoder, std::string_view text, bool as_list, char behind)
{
    static constexpr std::size_t slack = 16;
    auto const memory = std::make_unique<char[]>(text.size() + slack);
    std::fill_n(std::copy(text.begin(), text.end(), memory.get()), slack, behind);
    std::span<char> const bytes(memory.get(), text.size());
    comparison c;
    decoded const result = as_list ? decoder.list(bytes) : decoder.notification(bytes);
    c.ours = verdict_of(decoder, result);

    std::string repaired_text;
    std::size_t repaired = protocol::repair_utf8(text, repaired_text);
    if (auto const document = reference::parse(without_halves(repaired_text, repaired), c.ec)) {
        reference::decoder const plain(*document, as_list);
        c.plain = {plain.result, plain.updates, plain.malformed_entries,
                   plain.result == decoded::malformed ? 0 : repaired};
    }
    c.same = c.ours == c.plain || c.ec == boost::json::error::exponent_overflow;
    bool const says_another_type = !as_list && text.starts_with(R"({"NotificationContainer":{"type":")") &&
                                   !text.substr(34).starts_with("activity\"") &&
                                   text.find("ActivityNotification") == text.npos;
    if (!c.same && says_another_type && c.ours == verdict{decoded::other, {}, 0, 0}) {
        // Also one that spells our key with escapes.
        c.same = c.plain.result != decoded::activities || text.find("\\u") != text.npos;
        c.skipped = true;
    }
    return c;
}

} // namespace plex::testing
