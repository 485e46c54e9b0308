#pragma once

#include "hash_table.hpp"
#include "mail.hpp"

#include "protocol/decoder.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace plex::sync {

struct ledger_limits {
    std::size_t bytes = std::size_t{8} << 20;
    std::size_t remembered_ends = 8192;
    std::chrono::steady_clock::duration grace = std::chrono::seconds(2);
    /// How long what no snapshot ever listed must stay silent after a gap, once the list is known to be partial.
    std::chrono::steady_clock::duration partial_silence = std::chrono::minutes(10);
    /// Of what the uuids are found by: random where somebody else chooses them.
    hash_key key = {};
};

/// Every life the feed and the list have shown: what runs, and which ends are remembered. It makes whole lives of two
/// sources without mutual order: `started`, any number of `updated`, `ended`, in that order, for each life.
///
/// What is to be told is appended to `out`; it belongs into every mailbox before the next one is introduced. Where
/// memory runs out in between, `std::bad_alloc`: what is in `out` then belongs there all the same, and nothing else has
/// happened: of a list the entries from there on were not taken in, and it infers nothing.
class ledger
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit ledger(ledger_limits limits = {}) : limits_(limits) {}

    /// An event of the feed.
    void heard(protocol::activity_update const&, instant now, std::vector<mail>& out);

    /// The feed was lost: what happens from here on is missed, what was asked or about to be concluded is void. The
    /// time before the first connection counts as such a gap.
    void disconnected() noexcept;

    /// `GET /activities` is being sent; one at a time.
    /// @param closes_gap it is the one 5 s after the connect: before it the server may not have listened for us
    void snapshot_requested(instant now, bool closes_gap) noexcept;
    void snapshot_arrived(std::span<protocol::activity_update const>, instant now, std::vector<mail>& out);
    /// It infers nothing.
    void snapshot_failed() noexcept { requested_.reset(); }

    /// A snapshot where there is no feed beside it: nothing else will come, so what it lacks has ended at once.
    void polled(std::span<protocol::activity_update const>, time_point requested, instant now, std::vector<mail>& out);

    /// The number of the last snapshot while its absences wait for `peer_confirmed`. What is sent to make the server
    /// answer should carry it: an answer to something older than the reply proves nothing.
    std::optional<std::uint32_t> awaiting_confirmation() const noexcept;
    /// The server answered what was sent after that snapshot's reply, so every event older than the reply is here.
    void peer_confirmed(std::uint32_t snapshot) noexcept;
    /// When `settle` has something to do.
    std::optional<time_point> next_settle() const noexcept;
    /// Ends what the last snapshot lacked, if it is time.
    void settle(instant now, std::vector<mail>& out);
    /// When the last snapshot whose absences are settled was requested.
    std::optional<time_point> settled() const noexcept { return settled_; }

    /// Appends what a late subscriber has to hear: `started`, inferred, for what runs, oldest first.
    void introduce(instant now, std::vector<mail>& out) const;
    /// Calls `f(activity const&, std::optional<system_clock::time_point> started_at, std::uint64_t life)` for what
    /// runs.
    template <class F>
    void for_each_running(F f) const
    {
        for (entry const& e : entries_)
            if (e.is == state::running)
                f(e.current, e.started_at, e.life);
    }

    /// A bound was exceeded: it takes nothing more.
    bool full() const noexcept { return full_; }
    std::size_t running() const noexcept { return running_; }
    std::size_t remembered_ends() const noexcept { return ends_.count; }
    std::size_t bytes() const noexcept { return bytes_; }
    /// Lives that went on after their end had been inferred.
    std::uint64_t revived() const noexcept { return revived_; }
    /// Entries about unknown activities that lack a type.
    std::uint64_t malformed() const noexcept { return malformed_; }
    /// Whether the list shows less than the feed, as far as that is known.
    bool list_is_partial() const noexcept { return partial_; }

private:
    static constexpr std::uint32_t none = 0xffffffff;
    static constexpr time_point never = time_point::max();
    static constexpr time_point not_yet = time_point::min();

    enum class state : std::uint8_t { unused, running, seen_ended, inferred_ended };

    struct entry {
        activity current; // of an end: uuid and type alone
        std::uint64_t life = 0;
        std::optional<std::chrono::system_clock::time_point> started_at;
        time_point since = not_yet;       // first known
        time_point last_event = not_yet;  // of the feed
        time_point last_listed = not_yet; // request of the last snapshot that listed it
        time_point forget_at = never;     // of a seen end
        std::uint32_t listed_by = 0;      // the last snapshot that listed it
        std::uint32_t before = none;      // among the ends
        std::uint32_t after = none;       // among the ends, or the unused
        std::uint32_t told_at = none;     // where in what is to be told, unless that has been told since
        state is = state::unused;
        std::uint8_t missing = 0; // from so many snapshots in a row

        time_point last_heard_of() const noexcept { return last_event < last_listed ? last_listed : last_event; }
    };

    /// What one costs beside its record: itself, and its place in `by_uuid_`.
    static constexpr std::size_t entry_bytes = sizeof(entry) + 48;

    struct snapshot {
        time_point requested;
        time_point grace_over;
        bool confirmed = false;
    };

    entry* find(std::string_view uuid) noexcept;
    entry& open(activity first, time_point since);
    void reopen(entry&, activity again, time_point since) noexcept;
    void begin(entry&, activity first, time_point since) noexcept;
    bool learn(entry&, activity merged, std::span<mail const> out) noexcept;
    void close(entry&, state, activity name, std::span<mail const> out) noexcept;
    void forget(entry&) noexcept;
    void append_to_ends(entry&) noexcept;
    void unlink_from_ends(entry&) noexcept;
    void keep(entry&, activity, std::span<mail const> out) noexcept;

    void heard_of_running(entry&, protocol::activity_update const&, instant now, std::vector<mail>& out);
    void heard_of_ended(entry&, protocol::activity_update const&, instant now, std::vector<mail>& out);
    void heard_of_unknown(protocol::activity_update const&, instant now, std::vector<mail>& out);
    void listed(protocol::activity_update const&, time_point requested, instant now, std::vector<mail>& out);
    void not_listed(entry&, time_point requested, instant now) noexcept;
    bool ends_by_absence(entry const&, time_point requested) const noexcept;
    bool in_grace(time_point now) const noexcept;
    static void tell(entry&, event_kind, bool inferred, instant now, std::vector<mail>& out);
    static void write(entry const&, event_kind, bool inferred, instant now, std::vector<mail>& out);
    std::uint32_t index_of(entry const& e) const noexcept { return static_cast<std::uint32_t>(&e - entries_.data()); }

    ledger_limits limits_;
    hash_table<std::uint32_t> by_uuid_; // into entries_
    std::vector<entry> entries_;
    std::uint32_t unused_ = none;
    struct {
        std::uint32_t oldest = none;
        std::uint32_t latest = none;
        std::size_t count = 0;
    } ends_;

    std::optional<time_point> requested_; // of the snapshot in flight
    std::optional<snapshot> unsettled_;
    std::optional<time_point> settled_;
    std::uint32_t snapshots_ = 0;
    bool in_gap_ = true;
    bool polling_ = false;
    time_point gap_closed_ = not_yet;
    bool partial_ = false;

    bool full_ = false;
    std::size_t running_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t lives_ = 0;
    std::uint64_t revived_ = 0;
    std::uint64_t malformed_ = 0;
};

} // namespace plex::sync
