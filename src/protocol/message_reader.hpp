#pragma once

#include "protocol/activity_reader.hpp"
#include "protocol/decoder.hpp"
#include "protocol/json_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace plex::protocol {

enum class envelope : std::uint8_t { notification, list };

// Reads the shapes that are known, in whichever envelope: document, container, entries (protocol.md 2.13). Members are
// known by place and name, never by name alone: a Context may hold any.
class message_reader
{
public:
    // @param message is changed. @param ends_with_brace whether it does: else the byte behind it is changed as well
    // @param max_depth of what is not one of the shapes that are known, which are less deep
    json_fault read(envelope e, std::span<char> message, bool ends_with_brace, unsigned max_depth)
    {
        is_list_ = e == envelope::list;
        root_is_object_ = has_container_ = has_entries_ = list_is_scalar_ = has_too_many_ = false;
        drop_updates();
        activities_.start(is_list_, message.size());
        json().start(message.data() + message.size() - (ends_with_brace ? 1 : 0), ends_with_brace, max_depth);
        read_document(json().skip_space(message.data()));
        return json().fault();
    }

    bool root_is_object() const { return root_is_object_; }
    bool has_container() const { return has_container_; }
    bool has_entries() const { return has_entries_; }
    // Where a list's entries should be, there is neither an array nor an object.
    bool list_is_scalar() const { return list_is_scalar_; }
    bool has_too_many() const { return has_too_many_; }
    std::size_t repaired() const { return activities_.json().repaired(); }

    std::span<activity_update const> updates() const { return {slots_.data(), used_}; }
    std::size_t malformed_entries() const { return malformed_entries_; }
    void drop_updates()
    {
        used_ = 0;
        malformed_entries_ = 0;
    }

private:
    json_reader& json() { return activities_.json(); }

    // In memory an entry is many times what it may be on the wire, here and in the ledger, which takes a message whole.
    static constexpr std::size_t most_updates = 8'192;

    template <bool InRoot>
    static constexpr unsigned depth_of = InRoot ? 1 : 2; // of open containers

    void read_document(char* at)
    {
        root_is_object_ = *at == '{';
        if (root_is_object_) {
            at = read_outer<true>(at + 1);
            // The NUL is in the place of this very brace.
            if (at && !(json().is_at_end(at) && json().ends_with_brace()))
                json().fail_unclosed(at);
            return;
        }
        at = json().skip(at, 0);
        if (at && (!json().is_at_end(at = json().skip_space(at)) || json().ends_with_brace()))
            json().fail(at);
    }

    // The members of the root or of the container, which is one of them.
    template <bool InRoot>
    char* read_outer(char* at)
    {
        return json().read_members(at, [this](char* name) __attribute__((always_inline)) {
            if (char* const next = read_outer_member<InRoot>(name, nullptr))
                return next;
            return json().read_respelled(name, [this](char*, char const* spelled, char* value) {
                char* const next = read_outer_member<InRoot>(spelled, value);
                return next || json().failed() ? next : json().skip(value, depth_of<InRoot>);
            });
        });
    }

    template <bool InRoot>
    [[gnu::always_inline]] char* read_outer_member(char const* name, char* value)
    {
        if constexpr (InRoot) {
            if (is_list_ ? json_reader::names(name, "\"MediaContainer\":", value)
                         : json_reader::names(name, "\"NotificationContainer\":", value)) {
                if (*value != '{')
                    return nullptr;
                has_container_ = true;
                return json().close_object(read_outer<false>(value + 1));
            }
        }
        // Skipped like all others; every message has them.
        if (json_reader::names(name, "\"type\":", value))
            return *value == '"' ? json().read_string(value + 1).next : nullptr;
        if (int size = 0; json_reader::names(name, "\"size\":", value))
            return json().read_small(value, size);
        if (is_list_ ? !InRoot && json_reader::names(name, "\"Activity\":", value)
                     : json_reader::names(name, "\"ActivityNotification\":", value))
            return read_entries(value, depth_of<InRoot>);
        return nullptr;
    }

    char* read_entries(char* at, unsigned depth)
    {
        has_entries_ = true;
        at = json().skip_space(at);
        if (*at == '{')
            return read_entry(at + 1, depth + 1);
        if (*at != '[') {
            if (*at != 'n') {
                ++malformed_entries_;
                list_is_scalar_ = is_list_;
            }
            return json().skip(at, depth);
        }
        at = json().skip_space(at + 1);
        if (*at == ']')
            return at + 1;
        while (true) {
            if (*at == '{') {
                at = read_entry(at + 1, depth + 2);
            } else {
                ++malformed_entries_;
                at = json().skip(at, depth + 1);
            }
            if (!at)
                return nullptr;
            at = json().skip_space(at);
            if (*at == ']')
                return at + 1;
            if (*at != ',')
                return json().fail(at);
            at = json().skip_space(at + 1);
        }
    }

    char* read_entry(char* at, unsigned depth)
    {
        if (used_ == most_updates) {
            has_too_many_ = true;
            return json().fail(at);
        }
        if (used_ == slots_.size())
            slots_.emplace_back();
        at = activities_.read(at, depth, slots_[used_]);
        if (at && activities_.complete(slots_[used_]))
            ++used_;
        else
            ++malformed_entries_;
        return at;
    }

    activity_reader activities_;
    std::vector<activity_update> slots_; // of which the first `used_` are updates
    std::size_t used_ = 0;
    std::size_t malformed_entries_ = 0;

    bool is_list_ = false;
    bool root_is_object_ = false;
    bool has_container_ = false;
    bool has_entries_ = false;
    bool list_is_scalar_ = false;
    bool has_too_many_ = false;
};

} // namespace plex::protocol
