#pragma once

#include "catch.hpp"

#include "event_stream_standard.hpp"

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

// What the tests of event-stream framing share: what a framer makes of a stream, compared with what the standard says.
namespace plex::protocol::testing::sse {

inline std::ostream& operator<<(std::ostream& out, seen const& s)
{
    static constexpr char const* names[] = {"need_more", "event", "retry", "too_big"};
    out << names[static_cast<int>(s.what)] << " name \"" << s.name << "\" data " << s.data.size() << " bytes \"";
    return out << s.data.substr(0, 40) << "\" id \"" << s.id << "\" retry " << s.retry;
}

// Feeds each piece in memory of its own, gone afterwards, so that the sanitizers see any use of what is no longer
// there; reads the slack after each event's data as a decoder may, and overwrites the data as it may, too.
class run
{
public:
    explicit run(std::size_t limit = 1 << 20) : framer_(limit) {}

    run& piece(std::string_view bytes)
    {
        // Would end an event, if it were looked at; in every other piece, after one more byte of it.
        std::string behind(event_stream_framer::slack, '\n');
        if (pieces_++ % 2 == 1)
            behind.front() = ' ';
        auto const buffer = std::make_unique<char[]>(bytes.size() + behind.size());
        std::copy(behind.begin(), behind.end(), std::copy(bytes.begin(), bytes.end(), buffer.get()));
        framer_.feed({buffer.get(), bytes.size()});
        while (true) {
            auto const item = framer_.next();
            if (item.what == event_stream::need_more)
                break;
            if (item.what == event_stream::event) {
                auto const* const end = item.data.data() + item.data.size();
                slack_read_ += std::string(end, end + event_stream_framer::slack).size();
            }
            trace_.push_back({item.what,
                              std::string(item.name),
                              {item.data.begin(), item.data.end()},
                              std::string(item.id),
                              item.retry.count()});
            std::fill(item.data.begin(), item.data.end(), '\n');
            if (item.what == event_stream::too_big)
                break;
        }
        CHECK(std::string_view(buffer.get() + bytes.size(), behind.size()) == behind);
        return *this;
    }

    trace const& events() const { return trace_; }
    event_stream_framer& framer() { return framer_; }

private:
    event_stream_framer framer_;
    trace trace_;
    std::size_t pieces_ = 0;
    std::size_t slack_read_ = 0;
};

// The last item of a failed stream repeats; a read loop looks at the first only.
inline trace until_failure(trace events)
{
    auto const failed = std::find(events.begin(), events.end(), too_big);
    if (failed != events.end())
        events.erase(failed + 1, events.end());
    return events;
}

// The promise on which everything rests: how the network cuts the stream makes no difference.
inline void check_however_cut(std::string const& stream, trace const& expected, std::size_t limit = 1 << 20)
{
    CAPTURE(stream.substr(0, 200));
    CHECK(by_the_standard(stream, limit) == expected);
    CHECK(until_failure(run(limit).piece(stream).events()) == expected);
    if (!stream.starts_with("\xef\xbb\xbf")) // past the first line, plain events are read in another way
        CHECK(until_failure(run(limit).piece("\n").piece(stream).events()) == expected);
    auto const whole = std::string_view(stream);
    // Of a long stream, which is mostly one line, each place near its ends and one in 997 of those between.
    auto const near = stream.size() <= 1500 ? stream.size() : 40;
    for (std::size_t cut = 0; cut <= stream.size();
         cut +=
         cut < near || cut + near >= stream.size() ? 1 : std::min<std::size_t>(997, stream.size() - near - cut)) {
        for (auto second = stream.size() <= 60 ? cut : stream.size(); second <= stream.size(); ++second) {
            auto const got = until_failure(run(limit)
                                               .piece(whole.substr(0, cut))
                                               .piece(whole.substr(cut, second - cut))
                                               .piece(whole.substr(second))
                                               .events());
            if (got != expected) {
                CAPTURE(cut, second);
                CHECK(got == expected);
                return;
            }
        }
    }
    run bytewise(limit);
    for (auto const& byte : stream)
        bytewise.piece({&byte, 1}).piece({});
    CHECK(until_failure(bytewise.events()) == expected);
}

} // namespace plex::protocol::testing::sse
