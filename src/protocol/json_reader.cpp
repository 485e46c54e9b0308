#include "protocol/json_reader.hpp"

#include "protocol/json_text.hpp"

// What few texts need: apart, so that it takes no registers of what all do.
namespace plex::protocol {

char* json_reader::skip(char* at, unsigned depth)
{
    struct {
        void begin_object() {}
        void end_object() {}
        void begin_array() {}
        void end_array() {}
        void key(std::string_view, bool) {}
        void string(std::string_view, bool) {}
        void number(std::string_view) {}
        void boolean(bool) {}
        void null() {}
    } nobody;
    return read_value(at, depth, nobody);
}

json_reader::piece json_reader::read_escaped(char* start, char* at)
{
    is_regular_ = false;
    while (*at == '\\')
        at = at + 1 == end_ ? at + 1 : find_special(at + 2);
    if (*at != '"')
        return {fail_unclosed(at), {}};
    unescaped_.clear();
    if (!unescape(std::string_view(start, static_cast<std::size_t>(at - start)), unescaped_, repaired_))
        return {fail(start), {}};
    return {at + 1, unescaped_};
}

char* json_reader::unescape_in_place(char* start, char* at, std::string_view& to)
{
    piece const string = read_escaped(start, at);
    if (string.next) {
        std::memcpy(start, string.text.data(), string.text.size());
        to = std::string_view(start, string.text.size());
    }
    return string.next;
}

char* json_reader::skip_more_space(char* at)
{
    for (; *at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'; ++at)
        is_regular_ = false;
    return at;
}

char* json_reader::skip_digits(char* at)
{
    if (*at < '0' || *at > '9')
        return fail(at);
    while (*at >= '0' && *at <= '9')
        ++at;
    return at;
}

char* json_reader::skip_number(char* at)
{
    if (*at == '-')
        ++at;
    at = *at == '0' ? at + 1 : skip_digits(at); // behind a first 0 there is no digit
    if (at && *at == '.')
        at = skip_digits(at + 1);
    if (at && (*at == 'e' || *at == 'E')) {
        ++at;
        at = skip_digits(*at == '+' || *at == '-' ? at + 1 : at);
    }
    return at;
}

char* json_reader::fail_literal(char const* at, char const* literal)
{
    while (*at == *literal) {
        ++at;
        ++literal;
    }
    return fail(at);
}

char* json_reader::fail(char const* at)
{
    fault_ = at == end_ && !is_brace_ ? json_fault::truncated : json_fault::malformed;
    return nullptr;
}

char* json_reader::fail_unclosed(char const* at)
{
    fault_ = at == end_ ? json_fault::truncated : json_fault::malformed;
    return nullptr;
}

char* json_reader::fail_too_deep()
{
    fault_ = json_fault::too_deep;
    return nullptr;
}

} // namespace plex::protocol
