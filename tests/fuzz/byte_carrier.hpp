#pragma once

#include "fuzz.hpp"

#include "protocol/decoder.hpp"
#include "protocol/event_stream_framer.hpp"
#include "protocol/json_text.hpp"
#include "protocol/websocket_framer.hpp"
#include "unit/model_server.hpp"

#include <memory>

namespace plex::fuzz {

using namespace plex::testing;
using namespace plex::testing::model;

// What the model's server says as bytes of a WebSocket or an event stream, cut anywhere, among whatever else a feed
// has; and back through framer and decoder.
class byte_carrier : public carrier
{
public:
    explicit byte_carrier(std::string_view input) : random_(input), over_websocket_(random_.below(2) == 0) { lost(); }

    activity_update const& event(int who, event_kind kind, payload const& said) override
    {
        message_.reset();
        std::string const json = notification(who, kind, said);
        std::string const bytes = over_websocket_ ? websocket(json) : event_stream(json);
        std::size_t const longest = cuts[random_.below(3)];
        cut(bytes, longest, random_, [&](std::string_view piece) { read(piece); });
        promise(message_ != nullptr && updates_.updates().size() == 1, "an event that was sent is read");
        return updates_.updates()[0];
    }

    std::span<activity_update const> list(std::span<std::pair<int, payload> const> list) override
    {
        std::string body = R"({"MediaContainer":{"size":)" + std::to_string(list.size()) + R"(,"Activity":[)";
        for (auto const& [who, said] : list)
            body += (body.back() == '[' ? "{" : ",{") + members(who, said) + "}";
        body += "]}}";
        auto bytes = std::make_unique<char[]>(body.size() + 16);
        std::copy(body.begin(), body.end(), bytes.get());
        std::span<char> const text(bytes.get(), body.size());
        promise(list_.take_list(std::move(bytes), text) == protocol::decoded::activities,
                "a list that was made is read");
        promise(list_.updates().size() == list.size(), "a list is read whole");
        return list_.updates();
    }

    void lost() override
    {
        websocket_ = std::make_unique<protocol::websocket_framer>(1u << 16);
        stream_ = std::make_unique<protocol::event_stream_framer>(1u << 16);
    }

private:
    static std::string members(int who, payload const& said)
    {
        activity_update const u = entry(who, event_kind::updated, said);
        std::string text = R"("uuid":)";
        protocol::append_json_string(text, u.uuid);
        text += R"(,"type":)";
        protocol::append_json_string(text, u.type);
        text += R"(,"title":)";
        protocol::append_json_string(text, *u.title);
        if (u.progress)
            text += R"(,"progress":)" + std::to_string(*u.progress);
        if (u.context)
            text += R"(,"Context":)" + std::string(*u.context);
        return text;
    }

    std::string notification(int who, event_kind kind, payload const& said) const
    {
        std::string text = over_websocket_
                               ? R"({"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[)"
                               : R"({"ActivityNotification":)";
        text += R"({"event":")" + std::string(to_string(kind)) + R"(","uuid":")" +
                std::string(names[static_cast<std::size_t>(who)]) + R"(","Activity":{)" + members(who, said) + "}}";
        return text + (over_websocket_ ? "]}}" : "}");
    }

    static std::string frame(int first, std::string_view payload)
    {
        std::string out(1, static_cast<char>(first));
        if (payload.size() > 125)
            out.append({126, static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())});
        else
            out += static_cast<char>(payload.size());
        return out.append(payload);
    }

    std::string websocket(std::string_view json)
    {
        std::string out;
        int first = 1;
        auto const control = [&] {
            if (random_.below(4) == 0)
                out += frame(random_.below(2) == 0 ? 0x89 : 0x8a, json.substr(0, random_.below(20)));
        };
        if (random_.below(4) == 0)
            out += frame(0x81, R"({"NotificationContainer":{"type":"status","size":0}})");
        if (random_.below(8) == 0)
            out += frame(0x81, "{\"NotificationContainer\":{\"type\":\"activity\"");
        while (random_.below(3) == 0) {
            control();
            std::size_t const size = random_.below(json.size() + 1);
            out += frame(std::exchange(first, 0), json.substr(0, size));
            json.remove_prefix(size);
        }
        control();
        return out + frame(0x80 | first, json);
    }

    std::string event_stream(std::string_view json)
    {
        std::string out = random_.below(4) == 0 ? "event: ping\ndata: {}\n\n" : "";
        if (random_.below(4) == 0)
            out += ": a comment\r\nretry: 500\r\n";
        static constexpr std::string_view ends[] = {"\n", "\r\n", "\r"};
        std::string_view const end = ends[random_.below(3)];
        out.append("event: activity").append(end);
        // A line feed between the parts of JSON is white space.
        if (std::size_t const comma = json.find(','); random_.below(3) == 0 && comma != json.npos) {
            out.append("data: ").append(json.substr(0, comma)).append(end);
            json.remove_prefix(comma);
        }
        return out.append("data: ").append(json).append(end).append(end);
    }

    void read(std::string_view piece)
    {
        std::string input(piece);
        input.append(16, '"');
        std::span<char> const bytes(input.data(), piece.size());
        if (over_websocket_) {
            websocket_->feed(bytes);
            for (;;) {
                auto const item = websocket_->next();
                if (item.what == protocol::websocket_event::need_more)
                    break;
                promise(item.what <= protocol::websocket_event::pong, "a good stream stays one");
                if (item.what == protocol::websocket_event::message)
                    take(item.payload);
            }
        } else {
            stream_->feed(bytes);
            for (;;) {
                auto const item = stream_->next();
                if (item.what == protocol::event_stream::need_more)
                    break;
                promise(item.what != protocol::event_stream::too_big, "a good stream stays one");
                if (item.what == protocol::event_stream::event && item.name == "activity")
                    take(item.data);
            }
        }
    }

    // Into memory that stays until the next event: what is read lies in it.
    void take(std::span<char const> text)
    {
        auto memory = std::make_unique<char[]>(text.size() + 16);
        std::copy(text.begin(), text.end(), memory.get());
        if (updates_.notification({memory.get(), text.size()}) == protocol::decoded::activities) {
            promise(message_ == nullptr, "an event is read once");
            message_ = std::move(memory);
        } else {
            promise(message_ == nullptr, "an event comes last");
        }
    }

    dice random_;
    bool over_websocket_;
    std::unique_ptr<protocol::websocket_framer> websocket_;
    std::unique_ptr<protocol::event_stream_framer> stream_;
    protocol::decoder updates_;
    protocol::decoder list_;
    std::unique_ptr<char[]> message_;
};

} // namespace plex::fuzz
