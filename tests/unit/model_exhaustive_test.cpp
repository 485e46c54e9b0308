// Every order of a few steps, from several openings: two activities, two subscribers and a late one, one list in
// flight.

#include "catch.hpp"
#include "model_world.hpp"
#include "sanitizers.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

using namespace plex;
using namespace plex::testing::model;

namespace {

enum class step : std::uint8_t {
    start_a,
    update_a,
    end_a,
    vanish_a, // ends without a word on the feed
    start_b,
    update_b,
    end_b,
    deliver, // the next message, or the pong
    request,
    list, // the server makes it
    reply,
    wait, // longer than the grace
    settle,
    lose,
    connect,
    read, // both subscribers, all they have
    join, // one more, who knows `a` from before
};
constexpr int steps = 17;
constexpr std::string_view step_names[steps] = {"start a", "update a", "end a",   "vanish a", "start b", "update b",
                                                "end b",   "deliver",  "request", "list",     "reply",   "wait",
                                                "settle",  "lose",     "connect", "read",     "join"};
/// How often each step may occur; what makes the orders finite beside their length.
constexpr std::array<std::uint8_t, steps> allowed = {2, 2, 2, 1, 1, 2, 1, 8, 2, 2, 2, 2, 2, 1, 1, 2, 1};

constexpr std::uint32_t bits()
{
    return 0;
}
template <class... More>
constexpr std::uint32_t bits(step first, More... more)
{
    return 1u << static_cast<int>(first) | bits(more...);
}

/// With which steps the order of one matters. Others may change places with it, and the outcome is the same: a step of
/// the server and the delivery of an earlier message are such a pair, also one whose message is lost either way.
constexpr std::uint32_t depends(step s, bool server_listens_late)
{
    using enum step;
    constexpr std::uint32_t server = bits(start_a, update_a, end_a, vanish_a, start_b, update_b, end_b);
    constexpr std::uint32_t client = bits(deliver, request, reply, settle, lose, join);
    switch (s) {
    case update_a:
    case end_a:
    case vanish_a:
    case update_b:
    case end_b:
        if (!server_listens_late)
            return server | bits(list, reply, connect);
        [[fallthrough]];
    case start_a:
    case start_b:
        return server | bits(request, list, reply, connect);
    case deliver:
    case settle:
        return client | bits(wait, read);
    case request:
        return client | (server_listens_late ? server : bits(start_a, start_b)) | bits(list, wait, connect);
    case reply:
        return client | server | bits(list, wait, read);
    case list:
        return server | bits(request, reply, lose);
    case wait:
        return bits(deliver, request, reply, settle, wait, join);
    case lose:
        return client | bits(list, connect);
    case connect:
        return server | bits(request, lose);
    case read:
        return bits(deliver, reply, settle, read, join);
    case join:
        return client | bits(wait, read);
    }
    return ~0u;
}

struct position {
    position(terms const& t, carrier& by) : w(t, by) {}

    world w;
    std::array<std::uint8_t, steps> taken{};
    bool listens_late = false; // the server has no listener before the 5 s snapshot

    bool possible(step s) const
    {
        if (taken[static_cast<std::size_t>(s)] >= allowed[static_cast<std::size_t>(s)])
            return false;
        switch (s) {
        case step::start_a:
            return w.may_start(0);
        case step::start_b:
            return w.births(0) != 0 && w.may_start(1);
        case step::update_a:
        case step::end_a:
        case step::vanish_a:
            return w.runs(0);
        case step::update_b:
        case step::end_b:
            return w.runs(1);
        case step::deliver:
            return w.anything_on_the_wire();
        case step::request:
            return w.connected() && w.list() == world::list_state::none;
        case step::list:
            return w.list() == world::list_state::requested;
        case step::reply:
            return w.list() == world::list_state::taken;
        case step::settle:
            return w.next_settle() <= w.clock;
        case step::lose:
            return w.connected();
        case step::connect:
            return !w.connected();
        case step::wait:
        case step::read:
        case step::join:
            return true;
        }
        return false;
    }

    void take(step s)
    {
        w.pass(1);
        ++taken[static_cast<std::size_t>(s)];
        switch (s) {
        case step::start_a:
            return w.start(0);
        case step::start_b:
            return w.start(1);
        case step::update_a:
            return w.change(0, nth_update(0, ++updates_[0]));
        case step::update_b:
            return w.change(1, nth_update(1, ++updates_[1]));
        case step::end_a:
            return w.end(0, updates_[0] == 0 ? 1 : 0);
        case step::vanish_a:
            return w.vanish(0);
        case step::end_b:
            return w.end(1);
        case step::deliver:
            return w.deliver();
        case step::request:
            // The first after a connect comes at once, the next closes the gap.
            w.request(requested_once_ && !w.closed_gap());
            requested_once_ = true;
            return;
        case step::list:
            return w.take_list();
        case step::reply:
            return w.reply();
        case step::wait:
            return w.pass(grace);
        case step::settle:
            return w.settle();
        case step::lose:
            return w.lose();
        case step::connect:
            requested_once_ = false;
            return w.connect(!listens_late);
        case step::read:
            for (std::size_t i = 0; i < 2; ++i)
                w.read(i, SIZE_MAX);
            return;
        case step::join: {
            int const known[] = {0};
            return w.join(0, {}, known);
        }
        }
    }

private:
    bool requested_once_ = false; // since the connect
    std::array<int, 2> updates_{};

    /// The first brings the Context, by which the filter follows `a` and not `b`; the second reaches 100, which is no
    /// end, without one; a third takes the key away again.
    static payload nth_update(int who, int n)
    {
        switch (n % 3) {
        case 1:
            return {-1, who == 0 ? 1 : 2, 0};
        case 2:
            return {100, 0, 0};
        default:
            return {payload::unsaid, 3, 0};
        }
    }
};

/// Plays every order of at most `depth` steps, and lets the world come to rest after each. Of orders that differ only
/// in neighbours that do not depend on each other, one is played (sleep sets).
struct explorer {
    std::uint64_t schedules = 0;
    std::vector<step> path = {};

    void explore(position& at, int depth, std::uint32_t asleep = 0)
    {
        for (int i = 0; depth != 0 && i < steps; ++i) {
            step const s = static_cast<step>(i);
            if ((asleep & bits(s)) != 0 || !at.possible(s) || (depth == 1 && comes_anyway(s)))
                continue;
            path.push_back(s);
            position next = at;
            next.take(s);
            explore(next, depth - 1, asleep & ~depends(s, at.listens_late));
            path.pop_back();
            asleep |= bits(s);
        }
        ++schedules;
        at.w.quieten();
    }
    /// Coming to rest begins with these: as the last step they make no schedule of their own.
    static bool comes_anyway(step s) { return s == step::wait || s == step::connect; }
};

struct opening {
    std::string_view name;
    std::vector<step> moves;
    int depth;
    std::uint32_t hidden = 0;
    bool listens_late = false;
    sync::ledger_limits ledger = {};
    std::size_t mailbox_bytes = std::size_t{4} << 20;
};

void play(opening const& o, std::uint64_t& total)
{
    explorer e;
    try {
        terms t;
        t.hidden = o.hidden;
        t.limits = o.ledger;
        carrier as_it_is;
        position start(t, as_it_is);
        start.listens_late = o.listens_late;
        sync::mailbox_limits limits;
        limits.bytes = o.mailbox_bytes;
        limits.conflate_after = 3;
        start.w.join(0, limits);
        limits.conflate_after = 2;
        start.w.join(1, limits);
        for (step const s : o.moves) {
            REQUIRE(start.possible(s));
            start.take(s);
            start.taken = {};
        }
        e.explore(start, o.depth);
    } catch (broken_rule const& broken) {
        std::string path;
        for (step const s : e.path)
            path += (path.empty() ? "" : ", ") + std::string(step_names[static_cast<std::size_t>(s)]);
        FAIL(o.name << ", then: " << path << ": " << broken.what());
    }
    std::cout << "model: " << e.schedules << " schedules of up to " << o.depth << " steps from: " << o.name << '\n';
    total += e.schedules;
}

} // namespace

TEST_CASE("every order of a few steps of server, network and readers tells each subscriber what the rules promise",
          "[model]")
{
    using enum step;
    auto const then = [](std::vector<step> moves, std::initializer_list<step> more) {
        moves.insert(moves.end(), more);
        return moves;
    };
    auto const snapshot = {request, list, reply, deliver, wait, settle};
    auto const live = then(then({start_a, deliver}, snapshot), snapshot); // heard of, listed, and the gap is closed
    auto const seen_to_end = then(live, {update_a, deliver, end_a, deliver, read});
    auto const lost = then(live, {read, lose});
    auto const ended_by_absence = then(then(lost, {connect}), snapshot);
    auto const forgiven = then(then(seen_to_end, snapshot), {lose});
    std::uint32_t const a_is_hidden = 1;
    sync::ledger_limits one_end;
    one_end.remembered_ends = 1;
    std::size_t const two_events = 700;
    sync::ledger_limits small; // room for one activity
    small.bytes = 600;
    // The address sanitizer takes five times as long to look at it.
    int const otherwise = plex::test::under_address_sanitizer ? -1 : 0;
    int const deeper = std::getenv("PLEX_TEST_LONG") ? 1 : otherwise;
    std::uint64_t total = 0;

    play({"nothing is known", {}, 8 + deeper}, total);
    play({"a runs, the gap is closed", then(live, {read}), 6 + deeper}, total);
    play({"a runs unlisted, the gap is closed", then(live, {read}), 6 + deeper, a_is_hidden}, total);
    play({"a ran, the connection is lost", lost, 7 + deeper}, total);
    play({"a ran, and the server listens late", then(lost, {connect}), 6 + deeper, 0, true}, total);
    play({"a has vanished, and one snapshot lacked it", then(then(live, {vanish_a}), snapshot), 7 + deeper}, total);
    play({"a was seen to end", seen_to_end, 7 + deeper}, total);
    play({"a was seen to end and may live again, the connection is lost", forgiven, 6 + deeper}, total);
    play({"a ended by absence, and runs on", ended_by_absence, 6 + deeper, a_is_hidden}, total);
    play({"a went on, so the list is partial", then(ended_by_absence, {update_a, deliver}), 6 + deeper, a_is_hidden},
         total);
    play({"a runs unlisted, and a snapshot lacked it after a gap", then(lost, {connect, request, list, reply}),
          6 + deeper, a_is_hidden},
         total);
    play({"one end is remembered and the mailboxes hold two events", then({start_a, deliver}, {update_a, deliver}),
          6 + deeper, 0, false, one_end, two_events},
         total);
    play({"the ledger is small", {start_a, deliver}, 6 + deeper, 0, false, small}, total);
    std::cout << "model: " << total << " schedules in all\n";
}
