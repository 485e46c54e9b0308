#include "catch.hpp"
#include "child_process.hpp"
#include "chosen_seed.hpp"
#include "hex.hpp"

#include "protocol/event_stream_framer.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace plex::test {
namespace {

namespace json = boost::json;

// Streams that both have to read alike: of valid UTF-8, as node knows text alone, with events of names that it listens
// for. Version 2 of that package takes a LF behind a CR of another line for its own, and a byte order mark that is cut
// for text: so all lines of a stream end alike, and it begins without one (event_stream_random_test has the rest).
class source
{
public:
    explicit source(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

    std::string stream()
    {
        static constexpr std::string_view names[] = {"activity", "ping", "other", "message", ""};
        std::string out;
        style_ = below(3);
        for (std::size_t events = 1 + below(8); events != 0; --events) {
            for (std::size_t lines = below(5); lines != 0; --lines)
                switch (below(8)) {
                case 0:
                    out += ":" + text() + end();
                    break;
                case 1:
                    out += "event" + colon() + std::string(names[below(5)]) + end();
                    break;
                case 2:
                    out += "id" + colon() + text() + end();
                    break;
                case 3:
                    out += "unknown: " + text() + end();
                    break;
                default:
                    out += "data" + colon() + text() + end();
                }
            out += end();
        }
        return out + (below(3) == 0 ? "data: unfinished" : "");
    }

private:
    std::string colon() { return below(4) == 0 ? ":" : ": "; }
    std::string end()
    {
        static constexpr std::string_view ends[] = {"\n", "\r\n", "\r"};
        return std::string(ends[style_]);
    }
    std::string text()
    {
        static constexpr std::string_view parts[] = {"{\"a\":1}",
                                                     "x",
                                                     " ",
                                                     ":",
                                                     "data: ",
                                                     "\xc3\xa9",
                                                     "\xe3\x83\x86",
                                                     "\xf0\x9f\x8e\xac",
                                                     "\t",
                                                     "long enough to be cut"};
        std::string out;
        for (std::size_t n = below(5); n != 0; --n)
            out += parts[below(std::size(parts))];
        return out;
    }

    std::mt19937 random_;
    std::size_t style_ = 0;
};

std::vector<std::string> pieces_of(std::string_view stream, source& random)
{
    std::vector<std::string> pieces;
    while (!stream.empty()) {
        std::size_t const size = std::min(stream.size(), 1 + random.below(random.below(2) == 0 ? 4 : 60));
        pieces.emplace_back(stream.substr(0, size));
        stream.remove_prefix(size);
    }
    return pieces;
}

json::array ours(std::vector<std::string> const& pieces)
{
    protocol::event_stream_framer framer(1u << 20);
    json::array seen;
    for (std::string piece : pieces) {
        std::size_t const size = piece.size();
        piece.append(protocol::event_stream_framer::slack, '\n');
        framer.feed({piece.data(), size});
        for (;;) {
            auto const item = framer.next();
            if (item.what != protocol::event_stream::event)
                break;
            seen.push_back(json::array{json::string(item.name.data(), item.name.size()),
                                       json::string(item.data.data(), item.data.size()),
                                       json::string(item.id.data(), item.id.size())});
        }
    }
    return seen;
}

} // namespace

TEST_CASE("random event streams say to us what they say to node's eventsource")
{
    std::uint32_t const seed = chosen_seed();
    INFO("PLEX_TEST_SEED=" << seed << " runs the same again");
    source random(seed);
    std::vector<std::string> streams;
    std::vector<json::array> expected;
    json::array to_node;
    for (int i = 0; i != 300; ++i) {
        streams.push_back(random.stream());
        std::vector<std::string> const pieces = pieces_of(streams.back(), random);
        json::array encoded;
        for (std::string const& piece : pieces)
            encoded.push_back(json::string(to_hex(piece)));
        to_node.push_back(std::move(encoded));
        expected.push_back(ours(pieces));
    }
    temporary_folder const folder;
    std::string const file = folder / "streams.json";
    std::ofstream(file) << json::serialize(to_node);

    find_program("node");
    std::vector<std::string> const lines =
        lines_of("NODE_PATH=\"${NODE_PATH:+$NODE_PATH:}/usr/share/nodejs\" node " PLEX_TEST_DATA
                 "/../integration/event_stream_reader.js '" +
                 file + "'");

    INFO("node, or its package eventsource, is missing: tests/run.sh installs both");
    REQUIRE(lines.size() == streams.size());
    std::size_t events = 0;
    for (std::size_t i = 0; i != streams.size(); ++i) {
        CAPTURE(i, streams[i]);
        REQUIRE(json::serialize(expected[i]) == json::serialize(json::parse(lines[i])));
        events += expected[i].size();
    }
    CHECK(events > 300);
}

} // namespace plex::test
