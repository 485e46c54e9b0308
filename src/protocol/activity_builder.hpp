#pragma once

#include "protocol/decoder.hpp"
#include "protocol/json_sink.hpp"
#include "protocol/lenient_scalar.hpp"
#include "protocol/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace plex::protocol {

// Makes updates of the members of entries and activities, which may come in any order (fields: protocol.md 2.14).
class activity_builder
{
public:
    // A member by its name.
    enum class field : std::uint8_t {
        other,
        event,
        activity,
        uuid,
        type,
        title,
        subtitle,
        progress,
        cancellable,
        user_id,
        context,
        response,
    };

    void start(std::size_t message_size)
    {
        message_size_ = message_size;
        extra_is_ready_ = false;
        malformed_entries_ = 0;
        // As with the arenas, what a long list took is not held for the small messages that follow.
        if (slots_.size() > 1024 && message_size_ < 16u << 10)
            slots_ = std::vector<activity_update>();
        used_ = 0;
        texts_.reset(message_size_);
    }

    std::span<activity_update const> updates() const { return {slots_.data(), used_}; }
    std::size_t malformed_entries() const { return malformed_entries_; }
    void drop_updates()
    {
        used_ = 0;
        malformed_entries_ = 0;
    }

    // An entry that is no object.
    void malformed() { ++malformed_entries_; }

    // @param in_list whether it is an activity itself, without an event around it
    void begin(bool in_list)
    {
        if (used_ == slots_.size())
            slots_.emplace_back();
        current_ = &slots_[used_];
        clear(*current_);
        inner_uuid_ = {};
        has_event_ = in_list;
        extra_start_ = nullptr;
    }

    void end()
    {
        if (current_->uuid.empty())
            current_->uuid = inner_uuid_;
        if (!has_event_ || current_->uuid.empty() || current_->uuid.size() > max_name ||
            current_->type.size() > max_name) {
            ++malformed_entries_;
            return;
        }
        std::size_t room = max_kept;
        fit(current_->context, current_->context_left_out, room);
        fit(current_->response, current_->response_left_out, room);
        if (extra_start_) {
            extra_sink_.end('}');
            auto const text = extra_.since(extra_start_);
            current_->extra_left_out = text.size() > room;
            if (!current_->extra_left_out)
                current_->extra = text;
        }
        ++used_;
    }

    // The next member of the entry around an activity.
    void entry_member(std::string_view name, bool verbatim)
    {
        key_ = name;
        key_verbatim_ = verbatim;
        in_entry_ = true;
        field_ = entry_field(name);
    }

    // The next member of an activity.
    void activity_member(std::string_view name, bool verbatim)
    {
        key_ = name;
        key_verbatim_ = verbatim;
        in_entry_ = false;
        field_ = activity_field(name);
    }

    // Whether an object as its value is the activity itself.
    bool is_activity() const { return field_ == field::activity; }

    // A string, number, boolean or null as the value of the field.
    void read_string(std::string_view text, bool verbatim)
    {
        switch (field_) {
        case field::event:
            has_event_ = true;
            if (is(text, "started")) {
                current_->kind = event_kind::started;
            } else if (is(text, "ended")) {
                current_->kind = event_kind::ended;
            } else {
                current_->kind = event_kind::updated;
                if (!is(text, "updated"))
                    add_extra_string(text, verbatim);
            }
            break;
        case field::uuid:
            if (in_entry_)
                current_->uuid = stored(text);
            else if (current_->uuid.empty())
                inner_uuid_ = stored(text);
            break;
        case field::type:
            current_->type = stored(text);
            break;
        case field::title:
            current_->title = stored(cut_utf8(text, max_title));
            break;
        case field::subtitle:
            current_->subtitle = stored(cut_utf8(text, max_title));
            break;
        case field::progress:
            if (auto const value = to_int(text))
                current_->progress = value;
            else
                add_extra_string(text, verbatim);
            break;
        case field::cancellable:
            if (auto const value = to_bool(text))
                current_->cancellable = value;
            else
                add_extra_string(text, verbatim);
            break;
        case field::user_id:
            if (auto const value = to_int64(text))
                current_->user_id = value;
            else
                add_extra_string(text, verbatim);
            break;
        default:
            add_extra_string(text, verbatim);
        }
    }

    void read_number(std::string_view text)
    {
        switch (field_) {
        case field::progress:
            if (auto const value = to_int(text))
                current_->progress = value;
            else
                add_extra(text);
            break;
        case field::cancellable:
            if (auto const value = to_bool(text))
                current_->cancellable = value;
            else
                add_extra(text);
            break;
        case field::user_id:
            if (auto const value = to_int64(text))
                current_->user_id = value;
            else
                add_extra(text);
            break;
        default:
            add_extra(text);
        }
    }

    void read_boolean(bool value)
    {
        if (field_ == field::cancellable)
            current_->cancellable = value;
        else
            add_extra(std::string_view(value ? "true" : "false"));
    }

    // Of what we know, null says that there is none.
    void read_null()
    {
        if (field_ == field::other)
            add_extra(std::string_view("null"));
    }

    // An object or array as its value, to be written down as it comes.
    json_sink& begin_json(char bracket)
    {
        bool const is_attributes = bracket == '{' && (field_ == field::context || field_ == field::response);
        attributes_start_ = is_attributes ? texts_.end() : nullptr;
        if (is_attributes)
            attributes_sink_.restart();
        else
            add_extra_key();
        json_sink& sink = is_attributes ? attributes_sink_ : extra_sink_;
        sink.begin(bracket);
        return sink;
    }

    void end_json()
    {
        if (attributes_start_)
            (field_ == field::context ? current_->context : current_->response) = texts_.since(attributes_start_);
    }

private:
    static constexpr std::size_t max_name = 256;       // bytes of a uuid or type
    static constexpr std::size_t max_title = 4u << 10; // and of a subtitle
    static constexpr std::size_t max_kept = 64u << 10; // context, response and extra of one activity together

    static field entry_field(std::string_view key)
    {
        if (is(key, "event"))
            return field::event;
        if (is(key, "uuid"))
            return field::uuid;
        if (is(key, "Activity"))
            return field::activity;
        return field::other;
    }

    static field activity_field(std::string_view key)
    {
        switch (key.size()) {
        case 4:
            return is(key, "uuid") ? field::uuid : is(key, "type") ? field::type : field::other;
        case 5:
            return is(key, "title") ? field::title : field::other;
        case 6:
            return is(key, "userID") ? field::user_id : field::other;
        case 7:
            return is(key, "Context") ? field::context : field::other;
        case 8:
            return is(key, "subtitle")   ? field::subtitle
                   : is(key, "progress") ? field::progress
                   : is(key, "Response") ? field::response
                                         : field::other;
        case 11:
            return is(key, "cancellable") ? field::cancellable : field::other;
        default:
            return field::other;
        }
    }

    std::string_view stored(std::string_view text)
    {
        auto const start = texts_.end();
        texts_.put(text);
        return texts_.since(start);
    }

    // Field by field: as a whole it is 240 bytes, whose clearing and copying took a fifth of the time of a message.
    static void clear(activity_update& u)
    {
        u.kind = event_kind::updated;
        u.uuid = u.type = u.extra = {};
        u.title.reset();
        u.subtitle.reset();
        u.progress.reset();
        u.cancellable.reset();
        u.user_id.reset();
        u.context.reset();
        u.response.reset();
        u.context_left_out = u.response_left_out = u.extra_left_out = false;
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

    void add_extra_string(std::string_view text, bool verbatim)
    {
        add_extra_key();
        extra_sink_.string(text, verbatim);
    }

    // A number's or literal's text.
    void add_extra(std::string_view text)
    {
        add_extra_key();
        extra_sink_.value(text);
    }

    void add_extra_key()
    {
        if (!extra_is_ready_)
            extra_.reset(message_size_);
        extra_is_ready_ = true;
        if (!extra_start_) {
            extra_start_ = extra_.end();
            extra_sink_.restart();
            extra_sink_.begin('{');
        }
        extra_sink_.key(key_, key_verbatim_);
    }

    std::size_t message_size_ = 0;
    std::vector<activity_update> slots_; // of which the first `used_` are updates
    std::size_t used_ = 0;
    std::size_t malformed_entries_ = 0;

    std::string_view key_;
    bool key_verbatim_ = false;
    field field_ = field::other;
    bool in_entry_ = false;

    activity_update* current_ = nullptr; // the slot being filled
    std::string_view inner_uuid_;        // the activity's own, which counts where the entry has none
    bool has_event_ = false;
    bool extra_is_ready_ = false;
    char const* attributes_start_ = nullptr; // of the Context or Response being written; null for an extra field
    char const* extra_start_ = nullptr;      // null while the entry has none

    text_arena texts_;
    text_arena extra_; // apart, as an activity's extra fields are one text, and lie anywhere among the others
    json_sink attributes_sink_{texts_};
    json_sink extra_sink_{extra_};
};

} // namespace plex::protocol
