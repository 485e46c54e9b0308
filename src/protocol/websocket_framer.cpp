#include "protocol/websocket_framer.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace plex::protocol {
namespace {

// Kept from one cut message to the next while input keeps ending within a message; what grew larger is freed at once.
constexpr std::size_t kept_storage = 64 * 1024;

// Reserved at most for what a header promises; beyond it, storage grows with what really comes.
constexpr std::size_t trusted_length = 16 * 1024;

constexpr std::uint8_t final_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t opcode_bits = 0x0f;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_bits = 0x7f;

bool is_control(opcode op)
{
    return op >= opcode::close;
}

std::uint64_t big_endian(std::span<std::uint8_t const> bytes)
{
    std::uint64_t value = 0;
    for (auto const byte : bytes)
        value = value << 8 | byte;
    return value;
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(value >> shift & 0xff));
}

} // namespace

websocket_item websocket_framer::next_slow()
{
    release_delivered();
    auto const item = step();
    auto const nothing_unfinished = header_size_ == 0 && !in_payload_ && !fragmented_;
    auto const ended = closed_ || failure_ != websocket_event::need_more;
    if (ended || (nothing_unfinished && !delivered_ && item.what == websocket_event::need_more))
        std::vector<char>().swap(storage_);
    between_messages_ = nothing_unfinished && !delivered_ && !ended;
    return item;
}

websocket_item websocket_framer::step()
{
    while (!closed_ && failure_ == websocket_event::need_more) {
        if (!in_payload_ && !read_header())
            break;
        if (is_control(opcode_)) {
            if (auto const item = take_control(); item.what != websocket_event::need_more)
                return item;
        } else if (websocket_item message; take_data(message)) {
            return message;
        }
        if (in_payload_)
            break;
    }
    if (failure_ != websocket_event::need_more) {
        at_ = end_;
        auto const too_big = failure_ == websocket_event::message_too_big;
        return {failure_, too_big ? close_code::message_too_big : close_code::protocol_error, {}};
    }
    if (closed_)
        at_ = end_;
    return {};
}

// False when the header is not complete, or was refused.
bool websocket_framer::read_header()
{
    auto const fill_to = [this](std::size_t size) {
        while (header_size_ < size && at_ != end_)
            header_[header_size_++] = static_cast<std::uint8_t>(*at_++);
        return header_size_ >= size;
    };
    if (!fill_to(2) || !check_header())
        return false;
    auto const short_length = static_cast<std::size_t>(header_[1] & length_bits);
    std::uint64_t length = short_length;
    if (short_length >= 126) {
        std::size_t const size = short_length == 126 ? 4 : 10;
        if (!fill_to(size))
            return false;
        length = big_endian(std::span(header_).subspan(2, size - 2));
    }
    if (!check_length(length))
        return false;
    header_size_ = 0;
    control_size_ = 0;
    remaining_ = static_cast<std::size_t>(length);
    in_payload_ = true;
    return true;
}

// What the first two bytes tell.
bool websocket_framer::check_header()
{
    opcode_ = static_cast<opcode>(header_[0] & opcode_bits);
    final_ = (header_[0] & final_bit) != 0;
    if ((header_[0] & reserved_bits) != 0)
        refuse("a reserved bit is set, though no extension was agreed");
    else if ((header_[1] & mask_bit) != 0)
        refuse("a frame of the server is masked");
    else if (opcode_ > opcode::pong || (opcode_ > opcode::binary && opcode_ < opcode::close))
        refuse("reserved opcode");
    else if (is_control(opcode_) && !final_)
        refuse("a control frame is fragmented");
    else if (is_control(opcode_) && (header_[1] & length_bits) > 125)
        refuse("a control frame is longer than 125 bytes");
    else if (opcode_ == opcode::continuation && !fragmented_)
        refuse("a continuation of no message");
    else if (!is_control(opcode_) && opcode_ != opcode::continuation && fragmented_)
        refuse("a new message within a fragmented one");
    return failure_ == websocket_event::need_more;
}

bool websocket_framer::check_length(std::uint64_t length)
{
    auto const form = header_[1] & length_bits;
    if (form == 127 && length >> 63 != 0)
        refuse("a length with its highest bit set");
    else if ((form == 126 && length < 126) || (form == 127 && length <= 0xffff))
        refuse("a length that is not in its shortest form");
    else if (!is_control(opcode_) && length > limit_ - stored_)
        refuse("a message exceeds the limit", websocket_event::message_too_big);
    return failure_ == websocket_event::need_more;
}

websocket_item websocket_framer::take_control()
{
    auto const available = static_cast<std::size_t>(end_ - at_);
    auto const count = std::min(available, remaining_);
    std::span<char> payload(at_, count);
    at_ += count;
    remaining_ -= count;
    if (control_size_ != 0 || remaining_ != 0) {
        std::copy(payload.begin(), payload.end(), control_.begin() + control_size_);
        control_size_ = static_cast<std::uint8_t>(control_size_ + count);
        if (remaining_ != 0)
            return {};
        payload = std::span(control_).first(control_size_);
    }
    in_payload_ = false;
    if (opcode_ == opcode::close)
        return end_by_close(payload);
    return {opcode_ == opcode::ping ? websocket_event::ping : websocket_event::pong, 0, payload};
}

websocket_item websocket_framer::end_by_close(std::span<char> payload)
{
    if (payload.size() == 1) {
        refuse("a close frame holds half a code");
        return {};
    }
    closed_ = true;
    if (payload.empty())
        return {websocket_event::close, close_code::none, {}};
    auto const code = static_cast<std::uint8_t>(payload[0]) << 8 | static_cast<std::uint8_t>(payload[1]);
    return {websocket_event::close, static_cast<std::uint16_t>(code), payload.subspan(2)};
}

// True when the current frame's payload completes a message.
bool websocket_framer::take_data(websocket_item& message)
{
    auto const available = static_cast<std::size_t>(end_ - at_);
    if (stored_ == 0 && final_ && available >= remaining_) {
        message = {websocket_event::message, 0, {at_, remaining_}};
        at_ += remaining_;
        in_payload_ = false;
        fragmented_ = false;
        return true;
    }
    if (!store(std::min(available, remaining_)) || remaining_ != 0)
        return false;
    in_payload_ = false;
    fragmented_ = !final_;
    if (fragmented_)
        return false;
    message = {websocket_event::message, 0, std::span(storage_).first(stored_)};
    delivered_ = true;
    return true;
}

// Moves bytes of the current frame from the input to storage; false when there is no memory for that, and it is
// refused.
bool websocket_framer::store(std::size_t count)
try {
    if (count == 0)
        return true;
    if (stored_ + count + slack > storage_.size()) {
        auto const promised = stored_ + std::min(remaining_, trusted_length);
        auto const grown = std::min(limit_, 2 * storage_.size());
        storage_.resize(std::max({stored_ + count, promised, grown}) + slack);
    }
    std::memcpy(storage_.data() + stored_, at_, count);
    stored_ += count;
    at_ += count;
    remaining_ -= count;
    return true;
} catch (std::bad_alloc const&) {
    refuse("there is no memory for a message", websocket_event::message_too_big);
    return false;
}

void websocket_framer::release_delivered() noexcept
{
    if (!delivered_)
        return;
    delivered_ = false;
    stored_ = 0;
    if (storage_.size() > kept_storage)
        std::vector<char>().swap(storage_);
}

void websocket_framer::refuse(std::string_view fault, websocket_event what) noexcept
{
    failure_ = what;
    fault_ = fault;
}

void append_frame(std::string& out, opcode op, std::string_view payload, mask_key key)
{
    assert(!is_control(op) || payload.size() <= 125);
    out.push_back(static_cast<char>(final_bit | static_cast<std::uint8_t>(op)));
    auto const size = payload.size();
    if (size < 126) {
        out.push_back(static_cast<char>(mask_bit | size));
    } else if (size <= 0xffff) {
        out.push_back(static_cast<char>(mask_bit | 126));
        append_big_endian(out, size, 2);
    } else {
        out.push_back(static_cast<char>(mask_bit | 127));
        append_big_endian(out, size, 8);
    }
    for (auto const byte : key)
        out.push_back(static_cast<char>(byte));
    auto const start = out.size();
    out.append(payload);
    for (std::size_t i = 0; i != size; ++i)
        out[start + i] = static_cast<char>(static_cast<std::uint8_t>(out[start + i]) ^ key[i % 4]);
}

std::string close_payload(std::uint16_t code, std::string_view reason)
{
    std::string payload;
    if (code < 1000 || code >= 5000 || code == 1004 || code == 1005 || code == 1006 || code == 1015)
        return payload;
    append_big_endian(payload, code, 2);
    payload.append(cut_utf8(reason, 123));
    return payload;
}

} // namespace plex::protocol
