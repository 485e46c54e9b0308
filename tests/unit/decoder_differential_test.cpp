#include "catch.hpp"

#include "decoder_comparison.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace plex::testing {
namespace {

class dice
{
public:
    explicit dice(std::uint64_t seed) : state_(seed) {}

    std::size_t below(std::size_t n)
    {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return (z ^ z >> 31) % n;
    }
    bool one_in(std::size_t n) { return below(n) == 0; }
    template <class Choices>
    auto const& one_of(Choices const& choices)
    {
        return choices[below(std::size(choices))];
    }

private:
    std::uint64_t state_;
};

using tokens = std::vector<std::string_view>;

// Strings, brackets and the like, and what is between.
tokens tokens_of(std::string_view text)
{
    tokens found;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at + 1;
        if (text[at] == '"') {
            while (end < text.size() && text[end] != '"')
                end += text[end] == '\\' ? 2 : 1;
            end = std::min(end + 1, text.size());
        } else if (std::string_view("{}[],:").find(text[at]) == std::string_view::npos) {
            end = std::min(text.find_first_of("{}[],:\"", at), text.size());
        }
        found.push_back(text.substr(at, end - at));
        at = end;
    }
    return found;
}

std::vector<std::string> seeds()
{
    std::vector<std::string> all = {
        full_message,
        read_data("list_pms143.json"),
        read_data("list_empty.json"),
        R"({"MediaContainer":{"Activity":{"uuid":"a","Response":{"x":[1,2,{"y":null}]},"userID":"7","more":[{}]}}})",
        R"({"ActivityNotification":[{"event":"paused","uuid":"a","odd":{"k":"\n\u001f"},"Activity":{"progress":"42.5"}}]})",
        (R"( { "NotificationContainer" : { "size" : 1 , "ActivityNotification" : [ { "Activity" : { "Context" : {)"
         R"( "a" : [ 1 , { } ] } , "type" : "t" , "title" : "x\\y" } , "uuid" : "u" , "event" : "ended" } ] } } )"),
        in_notification(R"({"event":"ended","Activity":{"uuid":"in","cancellable":true,"userID":123456789012}},{},7)"),
        ("{\"NotificationContainer\":{\"type\":\"progress\",\"size\":1,\"ProgressNotification\":[{\"message\":"
         "\"L\xe9\"}"
         "]}}"),
    };
    for (auto const* file : {"ws_augment.ndjson", "ws_item_refresh.ndjson", "ws_timeline_2018.ndjson",
                             "ws_transcode_strings.ndjson", "ws_subscriptions_process.ndjson"})
        for (auto const& message : messages(file))
            all.push_back(message);
    for (auto const* file : {"sse_section_scan.txt", "sse_item_refresh.txt", "sse_timeline_2026.txt"})
        for (auto const& message : messages(file, "data: "))
            all.push_back(message);
    return all;
}

// Messages of which many are valid, and in which what a decoder distinguishes is frequent.
class mutator
{
public:
    mutator() : seeds_(seeds())
    {
        for (auto const& seed : seeds_)
            tokenised_.push_back(tokens_of(seed));
    }

    std::string message(dice& random)
    {
        made_.clear();
        tokens message = random.one_of(tokenised_);
        for (auto changes = random.below(5); changes != 0; --changes)
            change(message, random);
        std::string text;
        bool const spaced = random.one_in(10);
        for (auto const token : message) {
            text += token;
            if (spaced && random.one_in(3))
                text += random.one_of(std::array{" ", "\n", "\t ", "\r\n"});
        }
        if (random.one_in(3))
            for (auto changes = random.below(3) + 1; changes != 0; --changes)
                change_bytes(text, random);
        return text;
    }

private:
    void change(tokens& message, dice& random)
    {
        static constexpr auto values = std::to_array<std::string_view>({"null",
                                                                        "true",
                                                                        "false",
                                                                        "0",
                                                                        "-0",
                                                                        "-1",
                                                                        "7",
                                                                        "42.9",
                                                                        "1e2",
                                                                        "1E+2",
                                                                        "-0.0e-0",
                                                                        "1e400",
                                                                        "1e-400",
                                                                        "1e3000000000",
                                                                        "2147483647",
                                                                        "2147483648",
                                                                        "-2147483648",
                                                                        "999999999",
                                                                        "1000000000",
                                                                        "9223372036854775807",
                                                                        "9223372036854775808",
                                                                        "123456789012345678901234567890",
                                                                        "01",
                                                                        "1.",
                                                                        "{}",
                                                                        "[]",
                                                                        "\"\"",
                                                                        "\"42\"",
                                                                        "\"1\"",
                                                                        "\"true\"",
                                                                        "\"-1.5\"",
                                                                        "\"started\"",
                                                                        "\"ended\"",
                                                                        "\"x\\ny\"",
                                                                        "\"\\u0031\"",
                                                                        "\"\\ud83d\\ude00\"",
                                                                        "\"\\udc00\\ud83d\"",
                                                                        "\"\\\"\\\\\\/\\b\\f\\r\\t\"",
                                                                        "\"\xc3\xa9\xf0\x9f\x98\x80\"",
                                                                        "\"\xe2\x80\"",
                                                                        " "});
        static constexpr auto names = std::to_array<std::string_view>(
            {"\"event\"", "\"uuid\"", "\"Activity\"", "\"type\"", "\"title\"", "\"subtitle\"", "\"progress\"",
             "\"cancellable\"", "\"userID\"", "\"Context\"", "\"Response\"", "\"NotificationContainer\"",
             "\"MediaContainer\"", "\"ActivityNotification\"", "\"size\"", "\"Title\"", "\"uuid\\\":\\\"x\"",
             "\"u\\u0075id\""});
        auto const at = random.below(message.size() + 1);
        auto const where = message.begin() + static_cast<std::ptrdiff_t>(at);
        if (at == message.size()) {
            message.push_back(random.one_of(values));
            return;
        }
        switch (random.below(12)) {
        case 0:
            std::swap(message[at], message[random.below(message.size())]);
            break;
        case 1:
            message.erase(where);
            break;
        case 2:
        case 3:
            for (std::size_t i = at; i != message.size(); ++i)
                if (is_scalar(message, i)) {
                    message[i] = random.one_of(values);
                    break;
                }
            break;
        case 4:
        case 5: // another member in front of one
            if (is_name(message, at)) {
                auto const added =
                    std::to_array<std::string_view>({random.one_of(names), ":", random.one_of(values), ","});
                message.insert(where, added.begin(), added.end());
            }
            break;
        case 6:
            if (is_name(message, at))
                message[at] = random.one_of(names);
            break;
        case 7: { // a part of one message in another
            auto const& from = random.one_of(tokenised_);
            auto const first = random.below(from.size());
            auto const size = random.below(std::min<std::size_t>(from.size() - first, 12));
            message.insert(where, from.begin() + static_cast<std::ptrdiff_t>(first),
                           from.begin() + static_cast<std::ptrdiff_t>(first + size));
            break;
        }
        case 8: { // deeper
            auto const levels = random.one_in(2) ? random.below(3) : random.below(34);
            bool const as_objects = random.one_in(2);
            std::string open;
            for (std::size_t i = 0; i != levels; ++i)
                open += as_objects ? "{\"k\":" : "[";
            if (!is_scalar(message, at))
                break;
            message[at] =
                made_.emplace_back(open + std::string(message[at]) + std::string(levels, as_objects ? '}' : ']'));
            break;
        }
        case 9:
        case 10: // an escape in the place of what it means, or of something else
            if (message[at].size() > 2 && message[at][0] == '"') {
                std::string text(message[at]);
                auto const place = 1 + random.below(text.size() - 2);
                auto const c = static_cast<unsigned char>(text[place]);
                std::array<char, 8> escape{};
                std::snprintf(escape.data(), escape.size(), random.one_in(2) ? "\\u%04x" : "\\u%04X",
                              random.one_in(6) ? static_cast<unsigned>(random.below(0x10000))
                              : c < 0x80       ? c
                                               : 0xe9u);
                message[at] = made_.emplace_back(text.replace(place, 1, escape.data()));
            }
            break;
        default: { // some tokens once more
            auto const size = random.below(std::min<std::size_t>(message.size() - at, 8));
            tokens const again(where, where + static_cast<std::ptrdiff_t>(size));
            message.insert(where, again.begin(), again.end());
        }
        }
    }

    static bool is_name(tokens const& message, std::size_t at)
    {
        return at + 1 < message.size() && message[at].starts_with('"') && message[at + 1].starts_with(':');
    }

    static bool is_scalar(tokens const& message, std::size_t at)
    {
        return std::string_view("{}[],:").find(message[at][0]) == std::string_view::npos && !is_name(message, at);
    }

    void change_bytes(std::string& text, dice& random) const
    {
        if (text.empty())
            return;
        auto const at = random.below(text.size());
        switch (random.below(7)) {
        case 0:
            text[at] = static_cast<char>(text[at] ^ 1 << random.below(8));
            break;
        case 1:
            text.insert(at, 1, static_cast<char>(random.below(256)));
            break;
        case 2:
            text.erase(at, 1 + random.below(3));
            break;
        case 3:
            text.insert(at, random.one_of(std::array{"\\", "\"", "{", "}", "]", ",", " ", "\\ud800", "\xf0\x9f", "-",
                                                     ".", "e9"}));
            break;
        case 4:
            text.resize(at);
            break;
        case 5:
            text.insert(at, text.substr(random.below(text.size()), random.below(40)));
            break;
        default: {
            auto const& other = random.one_of(seeds_);
            text.insert(at, other, random.below(other.size()), random.below(60));
        }
        }
    }

    std::vector<std::string> seeds_;
    std::vector<tokens> tokenised_;
    std::deque<std::string> made_;
};

} // namespace

TEST_CASE("whatever the message, it is decoded as a plain decoder on Boost.JSON decodes it", "[decoder]")
{
    // PLEX_SEED repeats one message; PLEX_TEST_LONG runs more of them.
    std::uint64_t const usual = 100'000;
    char const* const given = std::getenv("PLEX_SEED");
    std::uint64_t const first = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::uint64_t const count = given ? 1 : std::getenv("PLEX_TEST_LONG") ? 10'000'000 : usual;
    CAPTURE(first, count);
    protocol::decoder decoder;
    mutator mutate;
    std::size_t accepted = 0;
    std::size_t read = 0;
    std::size_t skipped = 0;
    for (std::uint64_t seed = first; seed != first + count; ++seed) {
        dice random(seed);
        auto const text = mutate.message(random);
        bool const as_list = random.one_in(2) ? text.find("MediaContainer") != text.npos : random.one_in(2);

        char const behind = random.one_of(std::array{'"', '}', '\0', ' ', '1', '\\', ','});
        comparison const made = compare(decoder, text, as_list, behind);
        accepted += made.ec ? 0 : 1;
        skipped += made.skipped ? 1 : 0;
        read += made.ours.updates.size();
        if (!made.same)
            FAIL("PLEX_SEED=" << seed << (as_list ? " list: " : " notification: ") << text << '\n' << made.text());
    }
    if (!given) {
        CHECK(accepted > count / 4);
        CHECK(read > count / 8);
        CHECK(skipped > 0);
    }
}

} // namespace plex::testing
