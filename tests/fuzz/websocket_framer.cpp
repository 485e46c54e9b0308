// Input: what a server sends over a WebSocket.

#include "fuzz.hpp"

#include "protocol/websocket_framer.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace plex::fuzz {
namespace {

using namespace protocol;

struct seen {
    websocket_event what;
    std::uint16_t code;
    std::string payload;

    bool operator==(seen const&) const = default;
};

struct reading {
    std::vector<seen> items;
    bool unfinished = false; // more of a message or a frame is to come
};

// RFC 6455, 5.2 to 5.5, as plainly as can be.
reading by_the_rfc(std::string_view in, std::size_t limit)
{
    reading r;
    std::string message;
    bool fragmented = false;
    auto const end = [&](websocket_event what, std::uint16_t code, std::string_view reason = {}) {
        r.items.push_back({what, code, std::string(reason)});
        r.unfinished = false;
        return r;
    };
    auto const violation = [&] { return end(websocket_event::violation, close_code::protocol_error); };
    while (!in.empty()) {
        r.unfinished = true;
        auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(in[i]); };
        if (in.size() < 2)
            return r;
        bool const is_final = byte(0) >= 0x80;
        unsigned const op = byte(0) & 0xf;
        bool const is_control = op >= 8;
        std::uint64_t length = byte(1) & 0x7f;
        if ((byte(0) & 0x70) != 0 || byte(1) >= 0x80 || (op > 2 && op < 8) || op > 10)
            return violation();
        if (is_control ? !is_final || length > 125 : (op == 0) != fragmented)
            return violation();
        std::size_t header = 2;
        if (length >= 126) {
            header = length == 126 ? 4 : 10;
            if (in.size() < header)
                return r;
            length = 0;
            for (std::size_t i = 2; i != header; ++i)
                length = length << 8 | byte(i);
            if (length < (header == 4 ? 126u : 65536u) || length >> 63 != 0)
                return violation();
        }
        if (!is_control && length > limit - message.size())
            return end(websocket_event::message_too_big, close_code::message_too_big);
        std::string_view const payload = in.substr(header, static_cast<std::size_t>(length));
        if (!is_control)
            fragmented = true; // bounds what may be held; a complete one is not held
        if (payload.size() != length)
            return r;
        in.remove_prefix(header + payload.size());
        if (op == 8 && length == 1)
            return violation();
        if (op == 8 && length == 0)
            return end(websocket_event::close, close_code::none);
        if (op == 8)
            return end(websocket_event::close,
                       static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                                  static_cast<unsigned char>(payload[1])),
                       payload.substr(2));
        if (is_control) {
            r.items.push_back({op == 9 ? websocket_event::ping : websocket_event::pong, 0, std::string(payload)});
        } else {
            message += payload;
            fragmented = !is_final;
            if (is_final)
                r.items.push_back({websocket_event::message, 0, std::exchange(message, {})});
        }
        r.unfinished = fragmented;
    }
    return r;
}

class framing
{
public:
    explicit framing(std::size_t limit) : framer_(limit), limit_(limit) {}

    void piece(std::string_view bytes)
    {
        auto const memory = std::make_unique<char[]>(bytes.size() + websocket_framer::slack);
        std::fill_n(std::copy(bytes.begin(), bytes.end(), memory.get()), websocket_framer::slack, '\x81');
        framer_.feed({memory.get(), bytes.size()});
        for (;;) {
            websocket_item const item = framer_.next();
            if (item.what == websocket_event::need_more)
                break;
            bool const failed = item.what >= websocket_event::violation;
            if (failed)
                promise(!framer_.fault().empty(), "a violation has a name");
            if (!failed || !failed_)
                items.push_back({item.what, item.close_code, {item.payload.begin(), item.payload.end()}});
            std::fill(item.payload.begin(), item.payload.end(), '\x81'); // ours to change
            failed_ = failed;
            if (failed)
                break;
        }
        // std::vector doubles.
        promise(framer_.memory() <= 2 * (limit_ + websocket_framer::slack), "storage is bounded by the limit");
    }
    bool holds_nothing() const { return framer_.memory() == 0; }

    std::vector<seen> items;

private:
    websocket_framer framer_;
    std::size_t limit_;
    bool failed_ = false;
};

// What we send comes out as it went in, of a reader that follows RFC 6455, 5.3.
void check_ours(std::string_view payload)
{
    dice random(payload);
    mask_key key;
    for (auto& byte : key)
        byte = static_cast<std::uint8_t>(random.below(256));
    std::string sent;
    append_frame(sent, opcode::text, payload, key);
    std::size_t const header = payload.size() < 126 ? 2 : payload.size() < 65536 ? 4 : 10;
    promise(sent.size() == header + key.size() + payload.size(), "a frame of ours has the shortest form");
    std::string open = sent.substr(0, header);
    promise((open[1] & 0x80) != 0, "a frame of ours is masked");
    open[1] = static_cast<char>(open[1] & 0x7f);
    for (std::size_t i = 0; i != payload.size(); ++i)
        open += static_cast<char>(static_cast<unsigned char>(sent[header + 4 + i]) ^ key[i % 4]);
    reading const back = by_the_rfc(open, payload.size());
    promise(back.items == std::vector<seen>{{websocket_event::message, 0, std::string(payload)}} && !back.unfinished,
            "a frame of ours holds what was put into it");
}

} // namespace

void run(std::string_view input)
{
    dice random(input);
    for (std::size_t const limit : {std::size_t{150}, std::size_t{1} << 20}) {
        reading const expected = by_the_rfc(input, limit);
        framing whole(limit);
        whole.piece(input);
        promise(whole.items == expected.items, "a stream says what the RFC says of it");
        promise(expected.unfinished || whole.holds_nothing(), "what is finished is not held");
        for (std::size_t const longest : cuts) {
            framing pieces(limit);
            cut(input, longest, random, [&](std::string_view piece) { pieces.piece(piece); });
            promise(pieces.items == expected.items, "how a stream is cut makes no difference");
        }
    }
    check_ours(input);
}

} // namespace plex::fuzz
