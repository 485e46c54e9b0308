#include "activity_record.hpp"

#include "block_recycler.hpp"
#include "protocol/json_text.hpp"

#include <cstring>
#include <new>

namespace plex {

namespace detail {

namespace {

/// Each string that a record keeps.
template <class Fields, class F>
void each_text(Fields& fields, F f)
{
    f(fields.uuid);
    f(fields.type);
    f(fields.title);
    f(fields.subtitle);
    f(fields.context);
    f(fields.response);
    f(fields.extra);
}

std::size_t size_of_texts(activity_fields const& fields) noexcept
{
    std::size_t size = 0;
    each_text(fields, [&size](std::string_view text) { size += text.size(); });
    return size;
}

/// The same, with the strings one after the other from `at` on.
activity_fields moved_to(char* at, activity_fields const& fields) noexcept
{
    activity_fields moved = fields;
    each_text(moved, [&at](std::string_view& text) {
        char* const start = at;
        if (!text.empty())
            std::memcpy(start, text.data(), text.size());
        at += text.size();
        text = std::string_view(start, text.size());
    });
    return moved;
}

} // namespace

activity_record::activity_record(activity_fields const& fields, std::size_t size) noexcept
    : size_(size), fields_(moved_to(reinterpret_cast<char*>(this + 1), fields))
{
}

activity_record const* activity_record::make(activity_fields const& f)
{
    std::size_t const size = sizeof(activity_record) + size_of_texts(f);
    return new (take_block(size)) activity_record(f, size);
}

void activity_record::destroy() const noexcept
{
    std::size_t const size = size_;
    this->~activity_record();
    give_back_block(const_cast<activity_record*>(this), size);
}

} // namespace detail

activity::activity(activity const& other) noexcept : record_(other.record_)
{
    if (record_)
        record_->acquire();
}

activity& activity::operator=(activity const& other) noexcept
{
    activity copy(other);
    std::swap(record_, copy.record_);
    return *this;
}

void activity::release() noexcept
{
    record_->release();
}

std::string_view activity::uuid() const& noexcept
{
    return detail::fields_of(record_).uuid;
}
std::string_view activity::type() const& noexcept
{
    return detail::fields_of(record_).type;
}
std::string_view activity::title() const& noexcept
{
    return detail::fields_of(record_).title;
}
std::string_view activity::subtitle() const& noexcept
{
    return detail::fields_of(record_).subtitle;
}
std::optional<int> activity::progress() const noexcept
{
    return detail::fields_of(record_).progress;
}
bool activity::cancellable() const noexcept
{
    return detail::fields_of(record_).cancellable;
}
std::optional<std::int64_t> activity::user_id() const noexcept
{
    return detail::fields_of(record_).user_id;
}

attributes activity::context() const& noexcept
{
    auto const& f = detail::fields_of(record_);
    return attributes(f.context, f.context_left_out);
}

attributes activity::response() const& noexcept
{
    auto const& f = detail::fields_of(record_);
    return attributes(f.response, f.response_left_out);
}

attributes activity::extra() const& noexcept
{
    auto const& f = detail::fields_of(record_);
    return attributes(f.extra, f.extra_left_out);
}

std::optional<std::string> attributes::text(std::string_view key) const
{
    return protocol::member_text(json_, key);
}

std::string_view to_string(event_kind kind) noexcept
{
    switch (kind) {
    case event_kind::started:
        return "started";
    case event_kind::updated:
        return "updated";
    case event_kind::ended:
        return "ended";
    }
    return "unknown";
}

} // namespace plex
