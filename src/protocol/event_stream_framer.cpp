#include "protocol/event_stream_framer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace plex::protocol {
namespace {

// Kept from one cut event to the next while input keeps ending within an event; what grew larger is freed at once.
constexpr std::size_t kept_storage = 64 * 1024;

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string_view view(std::span<char const> bytes)
{
    return {bytes.data(), bytes.size()};
}

// What a string holds outside itself.
std::size_t heap_of(std::string const& text)
{
    return text.capacity() > std::string().capacity() ? text.capacity() : 0;
}

} // namespace

void event_stream_framer::feed(std::span<char> input) noexcept
{
    assert(at_ == end_);
    at_ = input.data();
    end_ = at_ + input.size();
    if (after_cr_ && at_ != end_) {
        after_cr_ = false;
        if (*at_ == '\n')
            ++at_;
    }
}

event_stream_item event_stream_framer::next()
{
    if (delivered_)
        forget_event();
    event_stream_item item;
    if (between_events_) [[likely]] {
        if (at_ == end_) { // as with each chunk that brought whole events
            free_storage();
            return item;
        }
        if (take_plain_event(item))
            return item;
    }
    return next_slow();
}

std::size_t event_stream_framer::memory() const noexcept
{
    return storage_.capacity() + heap_of(name_) + heap_of(id_);
}

// The first LF or CR in the input from there on, or end_. Both in one pass: what a search costs here is the guess when
// it ends, which two would get wrong twice.
char* event_stream_framer::find_line_end(char* from) const noexcept
{
#if defined(__SSE2__)
    auto const line_ends = [](char const* at) {
        __m128i const bytes = _mm_loadu_si128(reinterpret_cast<__m128i const*>(at));
        return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
    };
    for (; end_ - from >= 64; from += 64) {
        __m128i const early = _mm_or_si128(line_ends(from), line_ends(from + 16));
        __m128i const late = _mm_or_si128(line_ends(from + 32), line_ends(from + 48));
        if (_mm_movemask_epi8(_mm_or_si128(early, late)) != 0)
            break;
    }
    for (; from < end_; from += 16) // by whose slack it may look past the end
        if (auto const found = static_cast<unsigned>(_mm_movemask_epi8(line_ends(from))))
            return std::min(from + std::countr_zero(found), end_);
    return end_;
#else
    return std::find_if(from, end_, [](char c) { return c == '\n' || c == '\r'; });
#endif
}

// Every event of Plex is "event: <name>\ndata: <JSON>\n\n" (protocol.md 2.13). One that lies whole in the input is
// dealt with here, all else in next_slow().
bool event_stream_framer::take_plain_event(event_stream_item& item) noexcept
{
    static constexpr std::string_view event = "event: ";
    static constexpr std::string_view usual = "event: activity\n";
    static constexpr std::string_view data = "\ndata: ";
    auto const starts_with = [this](char const* at, std::string_view text) {
        return static_cast<std::size_t>(end_ - at) >= text.size() && std::memcmp(at, text.data(), text.size()) == 0;
    };
    char* const name = at_ + event.size();
    char* name_end = nullptr;
    if (starts_with(at_, usual)) [[likely]]
        name_end = at_ + usual.size() - 1;
    else if (starts_with(at_, event))
        name_end = find_line_end(name);
    else
        return false;
    if (name_end == name || !starts_with(name_end, data))
        return false;
    char* const body = name_end + data.size();
    char* const last = find_line_end(body);
    if (end_ - last < 2 || last[0] != '\n' || last[1] != '\n' || static_cast<std::size_t>(last - at_) > limit_)
        return false;
    item.what = event_stream::event;
    item.name = {name, static_cast<std::size_t>(name_end - name)};
    item.data = {body, last};
    item.id = id_;
    at_ = last + 2;
    return true;
}

event_stream_item event_stream_framer::next_slow()
{
    event_stream_item item;
    try {
        std::span<char> line;
        while (item.what == event_stream::need_more && fault_.empty() && take_line(line))
            item = read_line(line);
        if (item.what == event_stream::need_more && fault_.empty())
            keep_unfinished();
    } catch (std::bad_alloc const&) {
        refuse("there is no memory for what came");
    }
    if (!fault_.empty()) {
        at_ = end_;
        item.what = event_stream::too_big;
    }
    between_events_ = !first_line_ && !delivered_ && !unfinished() && fault_.empty();
    return item;
}

// False when no line is complete, or it was refused.
bool event_stream_framer::take_line(std::span<char>& line)
{
    char* const line_end = find_line_end(at_);
    line = {at_, line_end};
    if (line.size() > limit_ - cut_line_) {
        refuse("a line exceeds the limit");
        return false;
    }
    if (line_end == end_)
        return false;
    line_stored_ = cut_line_ != 0;
    if (line_stored_) {
        store(data_.size() + cut_line_, line);
        line = std::span(storage_).subspan(data_.size(), cut_line_ + line.size());
        cut_line_ = 0;
    }
    pass_line_end(line_end);
    if (first_line_ && view(line).starts_with(byte_order_mark))
        line = line.subspan(byte_order_mark.size());
    first_line_ = false;
    return true;
}

void event_stream_framer::pass_line_end(char* line_end) noexcept
{
    at_ = line_end + 1;
    if (*line_end != '\r')
        return;
    after_cr_ = at_ == end_;
    if (!after_cr_ && *at_ == '\n')
        ++at_;
}

// Fields of other names are passed over, comments too: their name is empty.
event_stream_item event_stream_framer::read_line(std::span<char> line)
{
    if (line.empty())
        return end_event();
    auto const colon = std::min(view(line).find(':'), line.size());
    auto const field = view(line.first(colon));
    auto value = line.subspan(std::min(colon + 1, line.size()));
    if (!value.empty() && value.front() == ' ')
        value = value.subspan(1);
    if (field == "data")
        add_data(value);
    else if (field == "event")
        name_ = view(value);
    else if (field == "id" && view(value).find('\0') == std::string_view::npos)
        std::string(view(value)).swap(id_);
    else if (field == "retry")
        return read_retry(view(value));
    return {};
}

event_stream_item event_stream_framer::end_event() noexcept
{
    event_stream_item item;
    if (data_.data() == nullptr) {
        name_.clear();
        return item;
    }
    item.what = event_stream::event;
    item.name = name_.empty() ? std::string_view("message") : name_;
    item.data = data_;
    item.id = id_;
    delivered_ = true;
    return item;
}

event_stream_item event_stream_framer::read_retry(std::string_view digits) noexcept
{
    event_stream_item item;
    auto value = item.retry.count();
    for (char const c : digits) {
        if (c < '0' || c > '9')
            return item;
        value = std::min(10 * value + (c - '0'), max_retry.count());
    }
    if (!digits.empty()) {
        item.what = event_stream::retry;
        item.retry = std::chrono::milliseconds(value);
    }
    return item;
}

// Where data and value both lie in the input, or both in storage, the value is moved to the end of the data: what is
// between them is used up.
void event_stream_framer::add_data(std::span<char> value)
{
    bool const first = data_.data() == nullptr;
    if (!first && value.size() >= limit_ - data_.size()) {
        refuse("an event's data exceeds the limit");
        return;
    }
    if (first && !line_stored_) {
        data_ = value;
        return;
    }
    auto const start = first ? 0 : data_.size() + 1;
    if (data_stored_ && !line_stored_) {
        store(start, value);
    } else {
        data_stored_ = line_stored_;
        if (first)
            data_ = {storage_.data(), 0};
        std::memmove(data_.data() + start, value.data(), value.size());
    }
    if (!first)
        data_.data()[start - 1] = '\n';
    data_ = {data_.data(), start + value.size()};
}

bool event_stream_framer::unfinished() const noexcept
{
    return !name_.empty() || data_.data() != nullptr || cut_line_ != 0;
}

// At the end of the input: it will be gone when the rest comes.
void event_stream_framer::keep_unfinished()
{
    if (data_.data() != nullptr && !data_stored_) {
        store(0, data_);
        data_stored_ = true;
        data_ = {storage_.data(), data_.size()};
    }
    if (at_ != end_) {
        std::span<char const> const begun(at_, end_);
        store(data_.size() + cut_line_, begun);
        cut_line_ += begun.size();
        at_ = end_;
    }
    if (!unfinished())
        free_storage();
}

void event_stream_framer::store(std::size_t offset, std::span<char const> bytes)
{
    auto const size = offset + bytes.size() + slack;
    if (size > storage_.size()) {
        storage_.resize(size);
        if (data_stored_)
            data_ = {storage_.data(), data_.size()};
    }
    std::copy(bytes.begin(), bytes.end(), storage_.data() + offset);
}

void event_stream_framer::forget_event() noexcept
{
    delivered_ = false;
    data_stored_ = false;
    data_ = {};
    name_.clear();
    between_events_ = true;
    if (memory() > kept_storage)
        free_storage();
}

void event_stream_framer::free_storage() noexcept
{
    std::vector<char>().swap(storage_);
    std::string().swap(name_);
}

void event_stream_framer::refuse(std::string_view fault) noexcept
{
    fault_ = fault;
    data_ = {};
    std::string().swap(id_);
    free_storage();
}

} // namespace plex::protocol
