#pragma once

#include "protocol/decoder.hpp"
#include "protocol/json_reader.hpp"
#include "protocol/json_sink.hpp"
#include "protocol/lenient_scalar.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace plex::protocol {

// Reads one entry of a notification or a list into an update (fields: protocol.md 2.14). A member in the shape that it
// nearly always has is read at once; all else by `read_odd`.
class activity_reader
{
public:
    void start(bool is_list, std::size_t message_size)
    {
        is_list_ = is_list;
        message_size_ = message_size;
        extra_is_ready_ = false;
    }

    json_reader& json() { return json_; }
    json_reader const& json() const { return json_; }

    // From behind the brace to behind the other. An entry of a list is the activity itself, without an event around it.
    // @param depth of open containers
    char* read(char* at, unsigned depth, activity_update& u)
    {
        static constexpr activity_update blank;
        u = blank; // copied by vectors: g++ zeroes this much by a `rep stos`, at the price of three members
        inner_uuid_ = {};
        has_event_ = is_list_;
        extra_start_ = extra_.npos;
        extra_is_too_much_ = false;
        return json_.close_object(is_list_ ? read_activity(at, depth, u) : read_event(at, depth, u));
    }

    // Whether what was read can be told apart: only then it is one.
    bool complete(activity_update& u)
    {
        if (u.uuid.empty())
            u.uuid = inner_uuid_;
        if (!has_event_ || u.uuid.empty() || u.uuid.size() > max_name || u.type.size() > max_name)
            return false;
        std::size_t room = max_kept;
        fit(u.context, u.context_left_out, room);
        fit(u.response, u.response_left_out, room);
        if (extra_start_ != extra_.npos) {
            if (!extra_is_too_much_)
                extra_.push_back('}');
            assert(extra_.size() <= message_size_);
            auto const text = std::string_view(extra_).substr(extra_start_);
            u.extra_left_out = extra_is_too_much_ || text.size() > room;
            if (u.extra_left_out)
                extra_.resize(extra_start_);
            else
                u.extra = text;
        }
        return true;
    }

private:
    static constexpr std::size_t max_name = 256;           // bytes of a uuid or type
    static constexpr std::size_t max_title = 4u << 10;     // and of a subtitle
    static constexpr std::size_t max_kept = 64u << 10;     // context, response and extra of one activity together
    static constexpr std::size_t max_extra = 1u << 20;     // of all entries of a message, before what is left out
    static constexpr std::size_t max_compacted = 1u << 20; // a longer text is left out, whatever it is without space

    // What a member is that is not read at once.
    enum class odd : std::uint8_t { unknown, known, event, progress, cancellable, user_id };

    // The members around the activity.
    [[gnu::always_inline]] char* read_event(char* at, unsigned depth, activity_update& u)
    {
        auto const usual = [this, depth, &u](char const* name, char* value, odd& kind) __attribute__((always_inline)) {
            return read_event_member(name, value, depth, u, kind);
        };
        return read_members(at, depth, u, usual);
    }

    char* read_activity(char* at, unsigned depth, activity_update& u)
    {
        auto const usual = [this, depth, &u](char const* name, char* value, odd& kind) __attribute__((always_inline)) {
            return read_activity_member(name, value, depth, u, kind);
        };
        return read_members(at, depth, u, usual);
    }

    template <class Usual>
    [[gnu::always_inline]] char* read_members(char* at, unsigned depth, activity_update& u, Usual usual)
    {
        return json_.read_members(at, [this, depth, &u, usual](char* name) __attribute__((always_inline)) {
            auto kind = odd::unknown;
            if (char* const next = usual(name, nullptr, kind))
                return next;
            return json_.read_respelled(name, [this, depth, &u, usual](char* start, char const* spelled, char* value) {
                auto respelled = odd::unknown;
                char* const next = usual(spelled, value, respelled);
                return next || json_.failed() ? next : read_odd(respelled, start, value, depth, u);
            });
        });
    }

    // A member in the shape that it nearly always has; null where it is in another, and then without a fault.
    // @param kind is what it is then
    [[gnu::always_inline]] char* read_event_member(char const* name, char* value, unsigned depth, activity_update& u,
                                                   odd& kind)
    {
        if (json_reader::names(name, "\"event\":", value)) {
            kind = odd::event;
            return read_known_event(value, u);
        }
        if (json_reader::names(name, "\"uuid\":", value)) {
            kind = odd::known;
            return read_text(value, u.uuid);
        }
        if (json_reader::names(name, "\"Activity\":", value)) {
            kind = odd::known;
            return *value == '{' ? json_.close_object(read_activity(value + 1, depth + 1, u)) : nullptr;
        }
        return nullptr;
    }

    [[gnu::always_inline]] char* read_activity_member(char const* name, char* value, unsigned depth, activity_update& u,
                                                      odd& kind)
    {
        switch (name[1]) {
        case 'u':
            if (json_reader::names(name, "\"uuid\":", value)) {
                kind = odd::known;
                return read_text(value, inner_uuid_);
            }
            if (json_reader::names(name, "\"userID\":", value)) {
                kind = odd::user_id;
                return read_number(value, u.user_id);
            }
            break;
        case 't':
            if (json_reader::names(name, "\"type\":", value)) {
                kind = odd::known;
                return read_text(value, u.type);
            }
            if (json_reader::names(name, "\"title\":", value)) {
                kind = odd::known;
                return read_title(value, u.title);
            }
            break;
        case 's':
            if (json_reader::names(name, "\"subtitle\":", value)) {
                kind = odd::known;
                return read_title(value, u.subtitle);
            }
            break;
        case 'p':
            if (json_reader::names(name, "\"progress\":", value)) {
                kind = odd::progress;
                return read_number(value, u.progress);
            }
            break;
        case 'c':
            if (json_reader::names(name, "\"cancellable\":", value)) {
                kind = odd::cancellable;
                return read_boolean(value, u.cancellable);
            }
            break;
        case 'C':
            if (json_reader::names(name, "\"Context\":", value)) {
                kind = odd::known;
                return read_attributes(value, depth, u.context);
            }
            break;
        case 'R':
            if (json_reader::names(name, "\"Response\":", value)) {
                kind = odd::known;
                return read_attributes(value, depth, u.response);
            }
            break;
        default:
            break;
        }
        return nullptr;
    }

    [[gnu::always_inline]] char* read_known_event(char* at, activity_update& u)
    {
        std::size_t size = 0;
        if (std::memcmp(at, "\"updated\"", 9) == 0) {
            u.kind = event_kind::updated;
            size = 9;
        } else if (std::memcmp(at, "\"started\"", 9) == 0) {
            u.kind = event_kind::started;
            size = 9;
        } else if (std::memcmp(at, "\"ended\"", 7) == 0) {
            u.kind = event_kind::ended;
            size = 7;
        } else {
            return nullptr;
        }
        has_event_ = true;
        return at + size;
    }

    [[gnu::always_inline]] char* read_text(char* at, std::string_view& to)
    {
        return *at == '"' ? json_.read_string_in_place(at + 1, to) : nullptr;
    }

    [[gnu::always_inline]] char* read_title(char* at, std::optional<std::string_view>& to)
    {
        if (*at != '"')
            return nullptr;
        std::string_view& text = to.emplace();
        char* const next = json_.read_string_in_place(at + 1, text);
        if (text.size() > max_title)
            text = cut_utf8(text, max_title);
        return next;
    }

    template <class Number>
    [[gnu::always_inline]] char* read_number(char* at, std::optional<Number>& to)
    {
        int number = 0;
        char* const next = json_.read_small(at, number);
        if (next)
            to.emplace(number);
        return next;
    }

    [[gnu::always_inline]] static char* read_boolean(char* at, std::optional<bool>& to)
    {
        bool const is_false = std::memcmp(at, "false", 5) == 0;
        if (!is_false && std::memcmp(at, "true", 4) != 0)
            return nullptr;
        to.emplace(!is_false);
        return at + (is_false ? 5 : 4);
    }

    // As it stands where it has no white space and no escapes.
    [[gnu::always_inline]] char* read_attributes(char* at, unsigned depth, std::optional<std::string_view>& to)
    {
        if (*at != '{')
            return nullptr;
        json_.restart_regular();
        auto const repaired = json_.repaired();
        char* end = skip_flat(at + 1);
        if (!end) {
            json_.restore_repaired(repaired);
            end = json_.skip(at, depth);
        }
        if (end)
            to = as_it_stands(at, end) ? std::string_view(at, static_cast<std::size_t>(end - at)) : compact(at);
        return end;
    }

    bool as_it_stands(char const* at, char const* end) const
    {
        return json_.is_regular() || static_cast<std::size_t>(end - at) > max_compacted;
    }

    // An object of strings and booleans, as nearly all attributes are; null where it is another.
    char* skip_flat(char* at)
    {
        at = json_.read_members(at, [this](char* name) __attribute__((always_inline)) -> char* {
            char* const value = json_.read_name(name).next;
            if (!value)
                return nullptr;
            if (*value == '"')
                return json_.read_string(value + 1).next;
            std::optional<bool> truth;
            return read_boolean(value, truth);
        });
        return at && *at == '}' ? at + 1 : nullptr;
    }

    // A checked value, written anew in its place.
    [[gnu::noinline]] std::string_view compact(char* at)
    {
        auto const repaired = json_.repaired();
        compacted_.clear();
        json_sink sink(compacted_);
        json_.read_value(at, 0, sink);
        json_.restore_repaired(repaired);
        std::memcpy(at, compacted_.data(), compacted_.size());
        return std::string_view(at, compacted_.size());
    }

    // A member that is unknown, or in a shape that it seldom has. Of what we know, null says that there is none.
    [[gnu::noinline]] char* read_odd(odd kind, char* start, char* value, unsigned depth, activity_update& u)
    {
        char* const end = json_.skip(value, depth);
        if (!end || (*value == 'n' && kind != odd::unknown))
            return end;
        auto const repaired = json_.repaired();
        bool const is_regular = json_.is_regular();
        bool const is_string = *value == '"';
        auto const text = is_string ? json_.read_string(value + 1).text
                                    : std::string_view(value, static_cast<std::size_t>(end - value));
        bool understood = false;
        if (kind == odd::event && is_string) {
            has_event_ = true;
            u.kind = text == "started" ? event_kind::started
                     : text == "ended" ? event_kind::ended
                                       : event_kind::updated;
            understood = u.kind != event_kind::updated || text == "updated";
        } else if (kind == odd::progress) {
            understood = set(u.progress, to_int(text));
        } else if (kind == odd::cancellable) {
            understood = set(u.cancellable, to_bool(text));
        } else if (kind == odd::user_id) {
            understood = set(u.user_id, to_int64(text));
        }
        if (!understood)
            add_extra(start, value, end, is_regular);
        json_.restore_repaired(repaired);
        return end;
    }

    template <class T>
    static bool set(std::optional<T>& to, std::optional<T> value)
    {
        if (value)
            to = value;
        return value.has_value();
    }

    // The entry's unknown members are one text. There is room for those of all entries, so that views into it stand.
    // @param as_it_is a member that needs not be written anew
    void add_extra(char* start, char* value, char* end, bool as_it_is)
    {
        if (!extra_is_ready_) {
            extra_.clear();
            extra_.reserve(std::min(message_size_, max_extra));
            extra_is_ready_ = true;
        }
        // What is written anew takes no more room, and there are two brackets.
        if (static_cast<std::size_t>(end - start) + 2 > extra_.capacity() - extra_.size()) {
            extra_is_too_much_ = true;
            extra_start_ = std::min(extra_start_, extra_.size());
        }
        if (extra_is_too_much_)
            return;
        bool const is_first = extra_start_ == extra_.npos;
        if (is_first)
            extra_start_ = extra_.size();
        extra_.push_back(is_first ? '{' : ',');
        if (as_it_is) {
            extra_.append(start, end);
            return;
        }
        json_sink sink(extra_);
        auto const name = json_.read_name(start).text;
        sink.key(name, name.data() == start + 1);
        json_.read_value(value, 0, sink);
    }

    static void fit(std::optional<std::string_view>& json, bool& left_out, std::size_t& room)
    {
        if (!json)
            return;
        if (json->size() > room) {
            left_out = true;
            json.reset();
        } else {
            room -= json->size();
        }
    }

    json_reader json_;
    bool is_list_ = false;
    std::size_t message_size_ = 0;

    // Of the entry being read.
    bool has_event_ = false;
    std::string_view inner_uuid_; // the activity's own, which counts where the entry has none
    std::size_t extra_start_ = 0; // where its extra members begin; npos while it has none

    bool extra_is_ready_ = false;
    bool extra_is_too_much_ = false; // of the entry being read, and its members are left out
    std::string extra_;
    std::string compacted_;
};

} // namespace plex::protocol
