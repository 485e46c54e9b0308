// Input: a message or a list, as `record` is given it.

#include "fuzz.hpp"

#include "anonymiser.hpp"
#include "protocol/utf8.hpp"
#include "unit/reference_decoder.hpp"

namespace plex::fuzz {
namespace {

using testing::reference::node;

constexpr std::string_view secret = "S3CRET";

std::vector<int> lengths(std::string_view text)
{
    std::vector<int> of;
    for (char const c : text) {
        if ((static_cast<unsigned char>(c) & 0xc0) == 0x80)
            ++of.back();
        else
            of.push_back(1);
    }
    return of;
}

void check_same_form(node const& a, node const& b)
{
    promise(a.is == b.is && a.inner.size() == b.inner.size(), "types and structure are kept");
    promise(lengths(a.key) == lengths(b.key), "names keep their length");
    if (a.is == node::kind::string)
        promise(lengths(a.text) == lengths(b.text), "texts keep their length");
    if (a.is == node::kind::number)
        promise(a.text.size() == b.text.size() && a.text.starts_with('-') == b.text.starts_with('-'),
                "numbers keep their form");
    if (a.is == node::kind::boolean)
        promise(a.text == b.text, "booleans are kept");
    for (std::size_t i = 0; i != a.inner.size(); ++i)
        check_same_form(a.inner[i], b.inner[i]);
}

void check_no_secret(node const& value)
{
    promise(value.text.find(secret) == std::string::npos && value.key.find(secret) == std::string::npos,
            "the token does not come through");
    for (node const& each : value.inner)
        check_no_secret(each);
}

} // namespace

void run(std::string_view input)
{
    command::anonymiser anonymise{std::string(secret)};
    command::anonymised const made = anonymise(input);
    promise(made.json.empty() == !made.problem.empty(), "what cannot be read has a reason");
    if (made.json.empty())
        return;
    promise(protocol::terminal_safe(made.json) == made.json || made.json.find('\n') == made.json.npos,
            "a message is one line");
    boost::json::error_code ec;
    auto const after = testing::reference::parse(made.json, ec);
    if (ec == boost::json::error::exponent_overflow)
        return;
    promise(after.has_value(), "what is made is JSON");
    check_no_secret(*after);
    std::string readable;
    protocol::repair_utf8(input, readable);
    // Boost.JSON refuses a text with halves of surrogate pairs.
    auto const before = testing::reference::parse(readable, ec);
    if (before)
        check_same_form(*before, *after);
    promise(anonymise(input).json == made.json, "the same value has the same pseudonym");
}

} // namespace plex::fuzz
