#pragma once

#include "protocol/decoder.hpp"

#include <plex/activity.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace plex::testing {

// An update on one line, with what it has and nothing else, so that a test compares all of it at once.
inline std::string describe(protocol::activity_update const& u)
{
    std::string line = std::string(to_string(u.kind)) + ' ' + std::string(u.uuid) + " type=" + std::string(u.type);
    auto const add = [&line](char const* name, auto const& text) {
        if (text)
            line.append(name).append(*text);
    };
    auto const add_number = [&line](char const* name, auto const& number) {
        if (number)
            line.append(name).append(std::to_string(*number));
    };
    add(" title=", u.title);
    add(" subtitle=", u.subtitle);
    add_number(" progress=", u.progress);
    add_number(" cancellable=", u.cancellable);
    add_number(" user=", u.user_id);
    add(" context=", u.context);
    add(" response=", u.response);
    if (!u.extra.empty())
        line.append(" extra=").append(u.extra);
    line.append(u.context_left_out ? " context-left-out" : "");
    line.append(u.response_left_out ? " response-left-out" : "");
    line.append(u.extra_left_out ? " extra-left-out" : "");
    return line;
}

// A decoder with what its last message said. The message is given in memory of exactly the size the decoder may read,
// so that a sanitizer sees it go further.
struct decoding {
    protocol::decoder decoder;
    unsigned max_depth = 32;
    protocol::decoded result = protocol::decoded::other;
    std::vector<std::string> updates;
    std::unique_ptr<char[]> memory; // in which the updates' texts may lie

    decoding& notification(std::string_view message)
    {
        return run(message, [this](std::span<char> bytes) { return decoder.notification(bytes, max_depth); });
    }
    decoding& list(std::string_view body)
    {
        return run(body, [this](std::span<char> bytes) { return decoder.list(bytes, max_depth); });
    }

private:
    /// The message; one that is whole was before tried cut at every byte, and none of that may be taken for whole.
    template <class Read>
    decoding& run(std::string_view message, Read read)
    {
        if (run_once(message, read).result == protocol::decoded::malformed)
            return *this;
        std::string_view whole = message;
        while (!whole.empty() && std::string_view(" \t\r\n").find(whole.back()) != whole.npos)
            whole.remove_suffix(1);
        // Of a message that says it is of another type only the end is looked at (decoder.hpp).
        bool const says_its_type = message.starts_with(R"({"NotificationContainer":{"type":")");
        // Of long ones the ends, and a place now and then between.
        for (std::size_t cut = 0; cut < whole.size(); cut += cut < 1500 || whole.size() - cut < 200 ? 1 : 997) {
            run_once(whole.substr(0, cut), read);
            if (result != protocol::decoded::malformed && !(says_its_type && result == protocol::decoded::other))
                throw std::logic_error("a message cut after " + std::to_string(cut) + " bytes was taken for whole");
        }
        return run_once(message, read);
    }

    template <class Read>
    decoding& run_once(std::string_view message, Read read)
    {
        static constexpr std::size_t slack = 16;
        memory = std::make_unique<char[]>(message.size() + slack);
        std::fill(std::copy(message.begin(), message.end(), memory.get()), memory.get() + message.size() + slack, '"');
        result = read(std::span<char>(memory.get(), message.size()));
        if (std::string_view(memory.get() + message.size(), slack) != std::string(slack, '"'))
            throw std::logic_error("the decoder wrote behind the message");
        updates.clear();
        for (auto const& u : decoder.updates())
            updates.push_back(describe(u));
        return *this;
    }
};

// A list whose body is the decoder's from then on. It is read once, whatever its size.
inline protocol::decoded take_list(protocol::decoder& d, std::string_view body)
{
    auto bytes = std::make_unique<char[]>(body.size() + 16);
    std::copy(body.begin(), body.end(), bytes.get());
    std::span<char> const text(bytes.get(), body.size());
    return d.take_list(std::move(bytes), text);
}

// A notification of one entry, in the WebSocket's envelope.
inline std::string in_notification(std::string_view entry)
{
    return R"({"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[)" + std::string(entry) +
           "]}}";
}

// One whose activity has these members besides a uuid.
inline std::string with_members(std::string_view members)
{
    return in_notification(R"({"event":"updated","uuid":"u","Activity":{"type":"t")" +
                           std::string(members.empty() ? "" : ",") + std::string(members) + "}}");
}

// A message with everything in it that a decoder distinguishes.
inline std::string const full_message =
    R"({"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[{"event":"updated","uuid":"u\u00e9")"
    R"(,"Activity":{"uuid":"u","type":"t","cancellable":"1","userID":1,"title":"a\nb","subtitle":"","progress":-1.5e0,)"
    R"("Context":{"k":[true,false,null,{"x":"\ud83d\ude00"}]},"Response":{},"new":[1,2,{"y":-0.5}]},"more":"z"}]}})";

inline std::string read_data(std::string_view name)
{
    std::string const path = std::string(PLEX_TEST_DATA "/") + std::string(name);
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw std::runtime_error("cannot open " + path);
    return {std::istreambuf_iterator<char>(in), {}};
}

// The lines of a file, or the data of an event stream's events.
inline std::vector<std::string> messages(std::string_view name, std::string_view prefix = {})
{
    std::vector<std::string> found;
    std::string const text = read_data(name);
    for (std::size_t at = 0; at < text.size();) {
        auto const end = std::min(text.find('\n', at), text.size());
        std::string_view const line(text.data() + at, end - at);
        if (!line.empty() && line.starts_with(prefix))
            found.emplace_back(line.substr(prefix.size()));
        at = end + 1;
    }
    return found;
}

} // namespace plex::testing
