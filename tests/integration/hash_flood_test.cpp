#include "calls_fixture.hpp"

#include "sync/hash_table.hpp"

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <time.h>

// A server chooses the uuids by which a feed finds its activities (SECURITY.md).

using namespace plex;
using namespace plex::test;

namespace {

constexpr std::size_t uuid_size = 36;

bool needs_no_escape(std::uint64_t word)
{
    for (int i = 0; i != 8; ++i, word >>= 8) {
        auto const byte = static_cast<unsigned char>(word);
        if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
            return false;
    }
    return true;
}

/// Uuids whose hash under a key is 0, whatever eight of their digits are: where the first words make a factor that is
/// text itself, the uuid goes on with these digits and that very text, and the product is nothing.
std::vector<std::string> colliding(std::size_t count, sync::hash_key const& known)
{
    for (std::uint64_t tried = 0;; ++tried) {
        std::string start = std::to_string(tried);
        start.insert(0, 16 - start.size(), '0');
        std::array<std::uint64_t, 2> words{};
        std::memcpy(words.data(), start.data(), 16);
        std::uint64_t const factor = sync::folded_product(words[0] ^ known.a, words[1] ^ known.b ^ uuid_size);
        if (!needs_no_escape(factor))
            continue;
        std::string const end = std::string(reinterpret_cast<char const*>(&factor), 8) + "0123";
        std::vector<std::string> uuids;
        while (uuids.size() != count)
            uuids.push_back(start + std::to_string(10'000'000 + uuids.size()) + end);
        return uuids;
    }
}

std::string notification_of(std::span<std::string const> uuids)
{
    std::string text = R"({"NotificationContainer":{"type":"activity","ActivityNotification":[)";
    for (std::string const& uuid : uuids)
        text += R"({"event":"started","uuid":")" + uuid + R"(","Activity":{"type":"t"}},)";
    text.back() = ']';
    return text + "}}";
}

double thread_seconds()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// What it costs to hear of so many activities.
double cost_of(std::vector<std::string> const& uuids)
{
    static constexpr std::size_t in_one_message = 8'000;
    call_scene s;
    s.settings.mailbox_bytes = s.settings.ledger_bytes = 256u << 20;
    double seconds = 0;
    s.run([&]() -> asio::awaitable<void> {
        client& c = s.client();
        feed events = c.subscribe();
        co_await c.ready(10s);
        std::vector<std::string> messages;
        for (std::span<std::string const> rest(uuids); !rest.empty();) {
            auto const some = rest.first(std::min(rest.size(), in_one_message));
            messages.push_back(notification_of(some));
            rest = rest.subspan(some.size());
        }
        double const begin = thread_seconds();
        for (std::string const& message : messages)
            s.server.notify_raw(message);
        for (std::size_t heard = 0; heard != uuids.size(); ++heard) {
            std::optional<activity_event> const event = co_await events.next();
            if (!event || event->activity.uuid() != uuids[heard])
                throw std::logic_error("the feed told something else");
        }
        seconds = thread_seconds() - begin;
    });
    return seconds;
}

} // namespace

TEST_CASE("uuids made to have one hash cost a feed no more than others, as its key is drawn")
{
    // Each is looked for among all before it where they share a hash: with a key that the source tells this took
    // some forty times as long.
    sync::hash_key const told_by_the_source;
    std::vector<std::string> const hostile = colliding(16'000, told_by_the_source);
    std::vector<std::string> plain;
    for (std::string const& uuid : hostile) {
        plain.push_back("7c9e6679-7425-40de-944b-" + std::to_string(100'000'000'000 + plain.size()));
        REQUIRE(plain.back().size() == uuid_size);
        REQUIRE(uuid.size() == uuid_size);
        REQUIRE(sync::hash_of(uuid, told_by_the_source) == 0);
    }
    double const usual = cost_of(plain);
    double const attacked = cost_of(hostile);
    INFO(usual << " s, " << attacked << " s");
    CHECK(attacked < 3 * usual);
}
