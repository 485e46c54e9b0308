#include "anonymiser.hpp"

#include "protocol/json_reader.hpp"
#include "protocol/json_text.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

namespace plex::command {
namespace {

using names = std::span<std::string_view const>;

// The envelopes, and what the server says of an activity itself (protocol.md 2.13, 2.14). Only there a word is known to
// be one of the protocol's own: a Context or a Response may hold anything under any name.
constexpr std::array<std::string_view, 5> own_objects = {"", "MediaContainer", "NotificationContainer",
                                                         "ActivityNotification", "Activity"};
constexpr std::array<std::string_view, 18> own_members = {"MediaContainer",
                                                          "NotificationContainer",
                                                          "ActivityNotification",
                                                          "Activity",
                                                          "Context",
                                                          "Response",
                                                          "type",
                                                          "event",
                                                          "size",
                                                          "uuid",
                                                          "title",
                                                          "subtitle",
                                                          "progress",
                                                          "cancellable",
                                                          "userID",
                                                          "key",
                                                          "_children",
                                                          "librarySectionID"};
// protocol.md 3: those that are no plain words.
constexpr std::array<std::string_view, 4> own_types = {"backgroundProcessingQueue", "transcodeSession.start",
                                                       "transcodeSession.update", "transcodeSession.end"};
constexpr std::array<std::string_view, 6> path_words = {"library",  "metadata", "collections",
                                                        "children", "sections", "playlists"};

bool is_in(std::string_view text, names among)
{
    return std::find(among.begin(), among.end(), text) != among.end();
}

bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/// `library.update.section`
bool is_word(std::string_view text)
{
    return !text.empty() && text.size() <= 64 && is_small(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_small(c) || is_digit(c) || c == '.'; });
}

// No dots or dashes: what has them may be the name of a file or a host. No digits in a long one: it may be an
// identifier of a machine, or a token that is not ours.
bool is_identifier(std::string_view text)
{
    auto const is_letter = [](char c) { return is_small(c) || (c >= 'A' && c <= 'Z') || c == '_'; };
    if (text.size() >= 16 && std::any_of(text.begin(), text.end(), is_digit))
        return false;
    return !text.empty() && text.size() <= 64 && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || is_digit(c); });
}

bool is_percentage(std::string_view number)
{
    double value = 0;
    auto const [end, ec] = std::from_chars(number.data(), number.data() + number.size(), value);
    return ec == std::errc() && end == number.data() + number.size() && value >= -1 && value <= 100;
}

bool is_small_count(std::string_view number)
{
    return number.size() <= 4 && std::all_of(number.begin(), number.end(), is_digit);
}

/// `/library/metadata/513/children`: the numbers alone are somebody's.
bool is_library_path(std::string_view text)
{
    if (!text.starts_with("/library/"))
        return false;
    while (!text.empty()) {
        text.remove_prefix(1);
        std::string_view const segment = text.substr(0, text.find('/'));
        bool const is_number = !segment.empty() && std::all_of(segment.begin(), segment.end(), is_digit);
        if (!is_number && !is_in(segment, path_words))
            return false;
        text.remove_prefix(segment.size());
    }
    return true;
}

} // namespace

// Writes the same text with everything that is somebody's replaced.
class anonymiser::writer
{
public:
    writer(anonymiser& owner, std::size_t size) : owner_(owner) { out_.reserve(size + 16); }

    std::string take() { return std::move(out_); }

    void begin_object() { open('{', true); }
    void begin_array() { open('[', false); }
    void end_object() { close('}'); }
    void end_array() { close(']'); }

    void key(std::string_view name, bool)
    {
        separate();
        bool const kept = is_in(name, own_members) || (is_identifier(name) && owner_.is_safe(name));
        name_ = name;
        quote(kept ? name_ : owner_.pseudonyms_.of(name));
        out_ += ':';
        after_key_ = true;
    }

    void string(std::string_view text, bool)
    {
        separate();
        std::string const name = name_of_value();
        if (is_kept(name, text) || (is_number(text) && is_kept_number(name, text)))
            quote(text);
        else if (is_library_path(text))
            quote(with_other_numbers(text));
        else
            quote(owner_.pseudonyms_.of(text));
    }

    void number(std::string_view text)
    {
        separate();
        out_ += is_kept_number(name_of_value(), text) ? std::string(text) : owner_.pseudonyms_.of_number(text);
    }

    void boolean(bool value) { literal(value ? "true" : "false"); }
    void null() { literal("null"); }

private:
    struct container {
        std::string name; // of the member that it is, or of the array in which it is
        bool is_object = false;
        bool is_own = false; // it and all around it are the protocol's
        bool has_members = false;
    };

    std::string name_of_value() const
    {
        if (open_.empty())
            return {};
        return open_.back().is_object ? name_ : open_.back().name;
    }

    bool is_within(std::string_view own_object) const
    {
        return !open_.empty() && open_.back().is_own && open_.back().name == own_object;
    }

    bool is_kept(std::string_view name, std::string_view text) const
    {
        bool word = false;
        if (name == "event")
            word = is_within("ActivityNotification") && is_word(text);
        else if (name == "type" && is_within("NotificationContainer"))
            word = is_word(text) || is_in(text, own_types);
        else if (name == "type")
            word = (is_within("Activity") || is_within("ActivityNotification")) && is_word(text);
        else if (name == "cancellable")
            word = is_within("Activity") && (text == "true" || text == "false");
        return word && owner_.is_safe(text);
    }

    bool is_kept_number(std::string_view name, std::string_view text) const
    {
        bool kept = false;
        if (name == "progress")
            kept = is_within("Activity") && is_percentage(text);
        else if (name == "size")
            kept = (is_within("MediaContainer") || is_within("NotificationContainer")) && is_small_count(text);
        else if (name == "cancellable")
            kept = is_within("Activity") && (text == "0" || text == "1");
        else if (name == "librarySectionID") // filters are made of it
            kept = is_small_count(text);
        return kept && owner_.is_safe(text);
    }

    std::string with_other_numbers(std::string_view path)
    {
        std::string made;
        while (!path.empty()) {
            made += '/';
            path.remove_prefix(1);
            std::string_view const segment = path.substr(0, path.find('/'));
            made += is_in(segment, path_words) ? std::string(segment) : owner_.pseudonyms_.of(segment);
            path.remove_prefix(segment.size());
        }
        return made;
    }

    void open(char bracket, bool is_object)
    {
        separate();
        container opened;
        opened.name = name_of_value();
        opened.is_object = is_object;
        opened.is_own = (open_.empty() || open_.back().is_own) && is_in(opened.name, own_objects);
        open_.push_back(std::move(opened));
        out_ += bracket;
    }

    void close(char bracket)
    {
        open_.pop_back();
        out_ += bracket;
    }

    void literal(std::string_view text)
    {
        separate();
        out_ += text;
    }

    void quote(std::string_view text) { protocol::append_json_string(out_, text); }

    void separate()
    {
        if (std::exchange(after_key_, false) || open_.empty())
            return;
        if (std::exchange(open_.back().has_members, true))
            out_ += ',';
    }

    anonymiser& owner_;
    std::string out_;
    std::vector<container> open_;
    std::string name_; // of the member whose value comes
    bool after_key_ = false;
};

bool anonymiser::is_safe(std::string_view kept) const
{
    return secret_.empty() || kept.find(secret_) == std::string_view::npos;
}

anonymised anonymiser::operator()(std::string_view text)
{
    constexpr std::size_t slack = 16;
    anonymised result;
    std::string readable;
    result.repaired = protocol::repair_utf8(text, readable);
    std::size_t const size = readable.size();
    readable.append(slack, '\0');
    protocol::json_reader reader;
    writer out(*this, size);
    switch (reader.read(std::string_view(readable.data(), size), out)) {
    case protocol::json_fault::none:
        result.json = out.take();
        result.repaired += reader.repaired();
        break;
    case protocol::json_fault::truncated:
        result.problem = text.empty() ? "empty" : "truncated";
        break;
    case protocol::json_fault::too_deep:
        result.problem = "too deep";
        break;
    case protocol::json_fault::malformed:
        result.problem = "no JSON";
        break;
    }
    return result;
}

} // namespace plex::command
