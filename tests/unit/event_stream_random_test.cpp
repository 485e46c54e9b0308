#include "catch.hpp"

#include "event_stream.hpp"

#include <cstdlib>
#include <random>
#include <string>

namespace plex::protocol {

using namespace testing::sse;

namespace {

// Streams in which everything that means something is frequent, and cuts of them.
class source
{
public:
    explicit source(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

    template <std::size_t N>
    std::string one_of(char const* const (&choices)[N])
    {
        return choices[below(N)];
    }

    std::string line_end()
    {
        if (below(40) == 0)
            style_ = below(4);
        static constexpr char const* ends[] = {"\n", "\r", "\r\n"};
        return ends[style_ == 3 ? below(3) : style_];
    }

    std::string text()
    {
        std::string out(below(20) == 0 ? below(300) : below(12), '\0');
        for (char& c : out)
            c = "abc:\t 01{}\"\xc3\xa9\xff\xef\xbb\xbf"[below(18)];
        if (below(10) == 0)
            out += '\0';
        return out;
    }

    std::string line()
    {
        static constexpr char const* fields[] = {"data", "data", "data",  "event", "id",  "retry",
                                                 "",     "Data", "datum", "even",  "idx", "\357\273\277data"};
        static constexpr char const* numbers[] = {"0", "15", "2147483647", "99999999999", "-1", "3 ", ""};
        static constexpr char const* colons[] = {":", ": ", ": ", ": ", ":  ", ""};
        auto const field = one_of(fields);
        return field + one_of(colons) + (field == "retry" ? one_of(numbers) : text());
    }

    std::string stream()
    {
        style_ = below(4);
        std::string out = below(4) == 0 ? "\xef\xbb\xbf" : "";
        for (auto count = below(30); count != 0; --count) {
            switch (below(4)) {
            case 0: // as Plex does
                out += "event: " + text() + line_end() + "data: " + text() + line_end() + line_end();
                break;
            case 1:
                out += line_end();
                break;
            default:
                out += line() + line_end();
            }
        }
        if (below(2) == 0)
            out += line();
        for (auto damage = below(4) == 0 ? below(6) : 0; damage != 0 && !out.empty(); --damage)
            out[below(out.size())] = "\r\n:d \0"[below(6)];
        return out;
    }

private:
    std::mt19937 random_;
    std::size_t style_ = 0;
};

} // namespace

TEST_CASE("random streams come out as the standard says, however they are cut and whatever the limit",
          "[event_stream][random]")
{
    // PLEX_SEED repeats a run.
    char const* const given = std::getenv("PLEX_SEED");
    auto const seed =
        given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device()();
    INFO("PLEX_SEED=" << seed);
    source random(seed);
    std::size_t events = 0;
    std::size_t retries = 0;
    std::size_t refused = 0;
    for (int round = 0; round != 4000; ++round) {
        auto const stream = random.stream();
        auto const limit = random.below(4) == 0 ? random.below(60) : 1000;
        auto const expected = by_the_standard(stream, limit);
        for (auto const& item : expected) {
            events += item.what == event_stream::event;
            retries += item.what == event_stream::retry;
            refused += item.what == event_stream::too_big;
        }
        INFO("round " << round);
        CAPTURE(stream, limit);
        REQUIRE(until_failure(run(limit).piece(stream).events()) == expected);
        run cut(limit);
        auto const most = random.below(2) == 0 ? 8u : 200u;
        for (std::size_t at = 0; at < stream.size();) {
            auto const size = std::min(stream.size() - at, random.below(most));
            cut.piece(std::string_view(stream).substr(at, size));
            REQUIRE(cut.framer().memory() < 4 * (2 * limit + event_stream_framer::slack) + 1000);
            at += size;
        }
        REQUIRE(until_failure(cut.events()) == expected);
    }
    CHECK(events > 10000);
    CHECK(retries > 500);
    CHECK(refused > 200);
}

} // namespace plex::protocol
