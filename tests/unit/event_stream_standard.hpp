#pragma once

#include "protocol/event_stream_framer.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What an event stream says, by the standard.
namespace plex::protocol::testing::sse {

struct seen {
    event_stream what;
    std::string name;
    std::string data;
    std::string id;
    std::int64_t retry = 0;

    bool operator==(seen const&) const = default;
};

using trace = std::vector<seen>;

inline seen event(std::string name, std::string data, std::string id = {})
{
    return {event_stream::event, std::move(name), std::move(data), std::move(id)};
}

inline seen message(std::string data)
{
    return event("message", std::move(data));
}

inline seen retry(std::int64_t milliseconds)
{
    return {event_stream::retry, {}, {}, {}, milliseconds};
}

inline seen const too_big{event_stream::too_big, {}, {}, {}};

// The standard's algorithm as it is written there ("Interpreting an event stream"), on a whole stream, with nothing in
// common with the framer, and with its limits.
inline trace by_the_standard(std::string stream, std::size_t limit = 1 << 20)
{
    trace out;
    std::vector<std::string> lines(1);
    for (std::size_t i = 0; i != stream.size(); ++i) {
        if (stream[i] == '\r' || stream[i] == '\n')
            lines.emplace_back();
        else
            lines.back() += stream[i];
        if (stream[i] == '\r' && i + 1 != stream.size() && stream[i + 1] == '\n')
            ++i;
    }
    std::string data_buffer, event_type_buffer, last_id_buffer;
    for (std::size_t i = 0; i != lines.size(); ++i) {
        auto line = lines[i];
        if (line.size() > limit) {
            out.push_back(too_big);
            break;
        }
        if (i + 1 == lines.size()) // its end has not come, so it is no line
            break;
        if (i == 0 && line.substr(0, 3) == "\xef\xbb\xbf")
            line.erase(0, 3);
        if (line.empty()) {
            if (!data_buffer.empty()) {
                data_buffer.pop_back();
                out.push_back(
                    event(event_type_buffer.empty() ? "message" : event_type_buffer, data_buffer, last_id_buffer));
            }
            data_buffer.clear();
            event_type_buffer.clear();
            continue;
        }
        if (line[0] == ':')
            continue;
        std::string field = line, value;
        if (auto const colon = line.find(':'); colon != std::string::npos) {
            field = line.substr(0, colon);
            value = line.substr(colon + 1);
            if (value.substr(0, 1) == " ")
                value.erase(0, 1);
        }
        if (field == "event") {
            event_type_buffer = value;
        } else if (field == "data") {
            data_buffer += value + '\n';
            if (data_buffer.size() - 1 > limit) {
                out.push_back(too_big);
                break;
            }
        } else if (field == "id" && value.find('\0') == std::string::npos) {
            last_id_buffer = value;
        } else if (field == "retry" && !value.empty() && value.find_first_not_of("0123456789") == std::string::npos) {
            value.erase(0, std::min(value.find_first_not_of('0'), value.size() - 1));
            out.push_back(retry(value.size() > 10 ? 0x7fffffff : std::min(std::stoll(value), 0x7fffffffLL)));
        }
    }
    return out;
}

} // namespace plex::protocol::testing::sse
