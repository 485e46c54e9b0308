#pragma once

#include "decoding.hpp"
#include "protocol/utf8.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <cerrno>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What decoder.hpp and docs/protocol.md promise of a message, written down once more as plainly as can be: on a tree
// that Boost.JSON's parser makes, which, unlike its own `value`, keeps the order and repetition of members and the text
// of numbers.
namespace plex::testing::reference {

struct node {
    enum class kind { object, array, string, number, boolean, null };
    kind is = kind::null;
    std::string key;         // of a member
    std::string text;        // a string's content; a number or boolean as it stands
    std::vector<node> inner; // members or elements

    bool is_object() const { return is == kind::object; }
};

inline std::string quoted(std::string const& text)
{
    return boost::json::serialize(boost::json::string(text));
}

inline std::string to_json(node const& value)
{
    switch (value.is) {
    case node::kind::string:
        return quoted(value.text);
    case node::kind::null:
        return "null";
    case node::kind::number:
    case node::kind::boolean:
        return value.text;
    default:
        break;
    }
    std::string json;
    for (auto const& part : value.inner) {
        json += json.empty() ? "" : ",";
        json += (value.is_object() ? quoted(part.key) + ":" : "") + to_json(part);
    }
    return value.is_object() ? "{" + json + "}" : "[" + json + "]";
}

// A handler of Boost.JSON's basic_parser.
struct tree {
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);
    using error_code = boost::json::error_code;
    using view = boost::json::string_view;

    node root;
    std::vector<node> open;
    std::string key;
    std::string text;

    bool add(node::kind is, std::string content)
    {
        node made;
        made.is = is;
        made.text = std::move(content);
        return put(std::move(made));
    }
    bool put(node made)
    {
        if (open.empty()) {
            root = std::move(made);
            return true;
        }
        if (open.back().is_object() && made.key.empty())
            made.key = open.back().text;
        open.back().inner.push_back(std::move(made));
        return true;
    }
    bool begin(node::kind is)
    {
        node made;
        made.is = is;
        open.push_back(std::move(made));
        return true;
    }
    bool end()
    {
        node made = std::move(open.back());
        open.pop_back();
        made.text.clear();
        return put(std::move(made));
    }
    std::string taken(view last) { return std::exchange(text, std::string()) + std::string(last); }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return begin(node::kind::object); }
    bool on_object_end(std::size_t, error_code&) { return end(); }
    bool on_array_begin(error_code&) { return begin(node::kind::array); }
    bool on_array_end(std::size_t, error_code&) { return end(); }
    bool on_key_part(view part, std::size_t, error_code&) { return text.append(part.data(), part.size()), true; }
    bool on_key(view last, std::size_t, error_code&) { return open.back().text = taken(last), true; }
    bool on_string_part(view part, std::size_t, error_code&) { return text.append(part.data(), part.size()), true; }
    bool on_string(view last, std::size_t, error_code&) { return add(node::kind::string, taken(last)); }
    bool on_number_part(view part, error_code&) { return text.append(part.data(), part.size()), true; }
    bool on_int64(std::int64_t, view last, error_code&) { return add(node::kind::number, taken(last)); }
    bool on_uint64(std::uint64_t, view last, error_code&) { return add(node::kind::number, taken(last)); }
    bool on_double(double, view last, error_code&) { return add(node::kind::number, taken(last)); }
    bool on_bool(bool value, error_code&) { return add(node::kind::boolean, value ? "true" : "false"); }
    bool on_null(error_code&) { return add(node::kind::null, {}); }
    bool on_comment_part(view, error_code&) { return true; }
    bool on_comment(view, error_code&) { return true; }
};

// Nothing where Boost.JSON refuses the text; then `ec` says why.
inline std::optional<node> parse(std::string_view text, boost::json::error_code& ec)
{
    boost::json::basic_parser<tree> parser{boost::json::parse_options()};
    auto const read = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && read != text.size())
        ec = boost::json::error::extra_data;
    if (ec)
        return std::nullopt;
    return std::move(parser.handler().root);
}

// Rule 6: a number as JSON writes it, or as text.
inline std::optional<double> number(std::string const& text)
{
    if (text.empty() || text.find_first_not_of("0123456789.eE+-") != text.npos || text[0] == '+')
        return std::nullopt;
    char* end = nullptr;
    double const value = std::strtod(text.c_str(), &end);
    bool const is_zero = text.substr(0, text.find_first_of("eE")).find_first_of("123456789") == text.npos;
    if (*end != '\0' || std::isinf(value) || (value == 0 && !is_zero))
        return std::nullopt;
    return value;
}

inline std::optional<std::int64_t> whole(std::string const& text)
{
    if (text.find_first_not_of("0123456789", text.starts_with('-') ? 1 : 0) != text.npos || !number(text))
        return std::nullopt;
    errno = 0;
    std::int64_t const value = std::strtoll(text.c_str(), nullptr, 10);
    return errno == 0 ? std::optional(value) : std::nullopt;
}

class decoder
{
public:
    protocol::decoded result = protocol::decoded::malformed;
    std::vector<std::string> updates;
    std::size_t malformed_entries = 0;

    decoder(node const& document, bool as_list) : list_(as_list)
    {
        if (!document.is_object())
            return;
        read_outer(document, true);
        if (list_ ? !has_container_ || is_no_list_ : false) {
            updates.clear();
            malformed_entries = 0;
            return;
        }
        result = list_ || has_entries_ ? protocol::decoded::activities : protocol::decoded::other;
    }

private:
    void read_outer(node const& object, bool is_root)
    {
        for (auto const& member : object.inner) {
            if (is_root && member.key == (list_ ? "MediaContainer" : "NotificationContainer") && member.is_object()) {
                has_container_ = true;
                read_outer(member, false);
            } else if (list_ ? !is_root && member.key == "Activity" : member.key == "ActivityNotification") {
                has_entries_ = true;
                if (member.is == node::kind::array)
                    for (auto const& entry : member.inner)
                        read_entry(entry);
                else if (member.is != node::kind::null)
                    read_entry(member);
                is_no_list_ = is_no_list_ || (list_ && !member.is_object() && member.is != node::kind::array &&
                                              member.is != node::kind::null);
            }
        }
    }

    void read_entry(node const& entry)
    {
        protocol::activity_update u;
        extra_.clear();
        inner_uuid_ = {};
        has_event_ = list_;
        if (entry.is_object() && list_)
            read_activity(entry, u);
        else if (entry.is_object())
            read_event(entry, u);
        if (u.uuid.empty())
            u.uuid = inner_uuid_;
        if (!has_event_ || u.uuid.empty() || u.uuid.size() > 256 || u.type.size() > 256) {
            ++malformed_entries;
            return;
        }
        std::string const extra = "{" + extra_ + "}";
        if (!extra_.empty())
            u.extra = extra;
        updates.push_back(describe(u));
    }

    void read_event(node const& entry, protocol::activity_update& u)
    {
        for (auto const& member : entry.inner) {
            bool const is_text = member.is == node::kind::string;
            if (member.key == "Activity" && member.is_object()) {
                read_activity(member, u);
            } else if (member.key == "event" && is_text) {
                has_event_ = true;
                u.kind = member.text == "started" ? event_kind::started
                         : member.text == "ended" ? event_kind::ended
                                                  : event_kind::updated;
                if (u.kind == event_kind::updated && member.text != "updated")
                    keep(member);
            } else if (member.key == "uuid" && is_text) {
                u.uuid = member.text;
            } else {
                keep_unless_null(member, member.key == "event" || member.key == "uuid" || member.key == "Activity");
            }
        }
    }

    void read_activity(node const& activity, protocol::activity_update& u)
    {
        for (auto const& member : activity.inner) {
            auto const& key = member.key;
            bool const is_text = member.is == node::kind::string;
            bool const is_scalar = is_text || member.is == node::kind::number || member.is == node::kind::boolean;
            if (key == "uuid" && is_text)
                inner_uuid_ = member.text;
            else if (key == "type" && is_text)
                u.type = member.text;
            else if (key == "title" && is_text)
                u.title = protocol::cut_utf8(member.text, 4096);
            else if (key == "subtitle" && is_text)
                u.subtitle = protocol::cut_utf8(member.text, 4096);
            else if (key == "Context" && member.is_object())
                u.context = stored(to_json(member));
            else if (key == "Response" && member.is_object())
                u.response = stored(to_json(member));
            else if (key == "progress" && is_scalar && progress(member.text))
                u.progress = progress(member.text);
            else if (key == "userID" && is_scalar && user(member.text))
                u.user_id = user(member.text);
            else if (key == "cancellable" && is_scalar && truth(member.text))
                u.cancellable = truth(member.text);
            else
                keep_unless_null(member, key == "uuid" || key == "type" || key == "title" || key == "subtitle" ||
                                             key == "Context" || key == "Response" || key == "progress" ||
                                             key == "userID" || key == "cancellable");
        }
    }

    static std::optional<int> progress(std::string const& text)
    {
        auto const exact = whole(text);
        if (exact && *exact >= INT_MIN && *exact <= INT_MAX)
            return static_cast<int>(*exact);
        auto const value = number(text);
        return value && std::abs(*value) < INT_MAX ? std::optional(static_cast<int>(*value)) : std::nullopt;
    }

    static std::optional<std::int64_t> user(std::string const& text)
    {
        if (auto const exact = whole(text))
            return exact;
        auto const value = number(text);
        bool const is_exact = value && std::abs(*value) < 9.0e15 && *value == std::floor(*value);
        return is_exact ? std::optional(static_cast<std::int64_t>(*value)) : std::nullopt;
    }

    static std::optional<bool> truth(std::string const& text)
    {
        if (text == "true" || number(text) == 1.0)
            return true;
        return text == "false" || number(text) == 0.0 ? std::optional(false) : std::nullopt;
    }

    void keep_unless_null(node const& member, bool is_known)
    {
        if (!is_known || member.is != node::kind::null)
            keep(member);
    }

    void keep(node const& member)
    {
        extra_ += (extra_.empty() ? "" : ",") + quoted(member.key) + ":" + to_json(member);
    }

    std::string_view stored(std::string text) { return texts_.emplace_back(std::move(text)); }

    bool list_;
    bool has_container_ = false;
    bool has_entries_ = false;
    bool is_no_list_ = false;
    bool has_event_ = false;
    std::string_view inner_uuid_;
    std::string extra_;
    std::deque<std::string> texts_;
};

} // namespace plex::testing::reference
