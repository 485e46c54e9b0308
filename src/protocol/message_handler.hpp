#pragma once

#include "protocol/activity_builder.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace plex::protocol {

enum class envelope : std::uint8_t { notification, list };

// Takes a JSON reader's events and finds the entries among them, in whichever envelope, and gives them to the builder.
// Members are known by place and name, never by name alone: a Context may hold any.
class message_handler
{
public:
    void start(envelope e, std::size_t message_size)
    {
        is_list_ = e == envelope::list;
        place_ = place::document;
        member_ = member::other;
        root_is_object_ = has_container_ = has_entries_ = list_is_scalar_ = false;
        builder_.start(message_size);
    }

    bool root_is_object() const { return root_is_object_; }
    bool has_container() const { return has_container_; }
    bool has_entries() const { return has_entries_; }
    // Where a list's entries should be, there is neither an array nor an object.
    bool list_is_scalar() const { return list_is_scalar_; }
    activity_builder& builder() { return builder_; }
    activity_builder const& builder() const { return builder_; }

    void begin_object()
    {
        switch (place_) {
        case place::document:
            root_is_object_ = true;
            place_ = place::root;
            break;
        case place::root:
        case place::container:
            if (member_ == member::entries) {
                outside_entries_ = place_;
                in_array_ = false;
                begin_entry();
            } else if (member_ == member::container) {
                has_container_ = true;
                place_ = place::container;
            } else {
                begin_skipped();
            }
            break;
        case place::entries:
            begin_entry();
            break;
        case place::entry:
            if (builder_.is_activity())
                place_ = place::activity;
            else
                begin_kept('{');
            break;
        case place::activity:
            begin_kept('{');
            break;
        case place::kept:
            ++depth_;
            sink_->begin('{');
            break;
        case place::skipped:
            ++depth_;
        }
    }

    void end_object()
    {
        switch (place_) {
        case place::root:
            place_ = place::document;
            break;
        case place::container:
            place_ = place::root;
            break;
        case place::entry:
            end_entry();
            break;
        case place::activity:
            if (is_list_)
                end_entry();
            else
                place_ = place::entry;
            break;
        default:
            end_nested('}');
        }
    }

    void begin_array()
    {
        switch (place_) {
        case place::root:
        case place::container:
            if (member_ == member::entries) {
                outside_entries_ = place_;
                in_array_ = true;
                place_ = place::entries;
            } else {
                begin_skipped();
            }
            break;
        case place::entries:
            builder_.malformed();
            begin_skipped();
            break;
        case place::entry:
        case place::activity:
            begin_kept('[');
            break;
        case place::kept:
            ++depth_;
            sink_->begin('[');
            break;
        case place::document:
            begin_skipped();
            break;
        case place::skipped:
            ++depth_;
        }
    }

    void end_array()
    {
        if (place_ == place::entries)
            place_ = outside_entries_;
        else
            end_nested(']');
    }

    void key(std::string_view name, bool verbatim)
    {
        switch (place_) {
        case place::root:
        case place::container:
            member_ = outer_member(name);
            break;
        case place::entry:
            builder_.entry_member(name, verbatim);
            break;
        case place::activity:
            builder_.activity_member(name, verbatim);
            break;
        case place::kept:
            sink_->key(name, verbatim);
            break;
        default:
            break;
        }
    }

    // @param verbatim whether it stands so in the message, without escapes
    void string(std::string_view text, bool verbatim)
    {
        if (is_in_entry())
            builder_.read_string(text, verbatim);
        else if (place_ == place::kept)
            sink_->string(text, verbatim);
        else
            other_scalar();
    }

    // A number as it stands.
    void number(std::string_view text)
    {
        if (is_in_entry())
            builder_.read_number(text);
        else if (place_ == place::kept)
            sink_->value(text);
        else
            other_scalar();
    }

    void boolean(bool value)
    {
        if (is_in_entry())
            builder_.read_boolean(value);
        else if (place_ == place::kept)
            sink_->value(std::string_view(value ? "true" : "false"));
        else
            other_scalar();
    }

    void null()
    {
        if (is_in_entry())
            builder_.read_null();
        else if (place_ == place::kept)
            sink_->value(std::string_view("null"));
        else if (place_ == place::entries)
            builder_.malformed();
    }

private:
    // What the innermost open container is.
    enum class place : std::uint8_t {
        document,
        root,
        container, // NotificationContainer or MediaContainer
        entries,   // the array of them
        entry,     // of a notification, around the activity
        activity,
        kept,    // inside a value that is written down as it is
        skipped, // inside one that is not
    };

    // Of the root or container.
    enum class member : std::uint8_t { other, container, entries };

    bool is_in_entry() const { return place_ == place::entry || place_ == place::activity; }

    member outer_member(std::string_view key)
    {
        bool const in_root = place_ == place::root;
        if (in_root && (is_list_ ? is(key, "MediaContainer") : is(key, "NotificationContainer")))
            return member::container;
        if (is_list_ ? !in_root && is(key, "Activity") : is(key, "ActivityNotification")) {
            has_entries_ = true;
            return member::entries;
        }
        return member::other;
    }

    // Perhaps where an entry should be.
    void other_scalar()
    {
        bool const outer = place_ == place::root || place_ == place::container;
        bool const in_their_place = outer && member_ == member::entries;
        if (place_ == place::entries || in_their_place)
            builder_.malformed();
        list_is_scalar_ = list_is_scalar_ || (is_list_ && in_their_place);
    }

    void begin_entry()
    {
        builder_.begin(is_list_);
        place_ = is_list_ ? place::activity : place::entry;
    }

    void end_entry()
    {
        builder_.end();
        place_ = in_array_ ? place::entries : outside_entries_;
    }

    void begin_skipped()
    {
        outside_nested_ = place_;
        place_ = place::skipped;
        depth_ = 1;
    }

    void begin_kept(char bracket)
    {
        outside_nested_ = place_;
        place_ = place::kept;
        depth_ = 1;
        sink_ = &builder_.begin_json(bracket);
    }

    void end_nested(char bracket)
    {
        if (place_ == place::kept)
            sink_->end(bracket);
        if (--depth_ != 0)
            return;
        if (place_ == place::kept)
            builder_.end_json();
        place_ = outside_nested_;
    }

    bool is_list_ = false;
    bool in_array_ = false; // the entries are
    bool root_is_object_ = false;
    bool has_container_ = false;
    bool has_entries_ = false;
    bool list_is_scalar_ = false;
    place place_ = place::document;
    member member_ = member::other;
    place outside_entries_ = place::root; // where it goes on after the entries
    place outside_nested_ = place::root;  // and after what is kept or skipped
    std::size_t depth_ = 0;               // in what is kept or skipped
    json_sink* sink_ = nullptr;
    activity_builder builder_;
};

} // namespace plex::protocol
