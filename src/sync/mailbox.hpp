#pragma once

#include "hash_table.hpp"
#include "mail.hpp"

#include <plex/activity.hpp>
#include <plex/filter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace plex::sync {

struct mailbox_limits {
    std::size_t conflate_after = 1024;
    std::size_t bytes = std::size_t{4} << 20;
};

/// What one subscriber has yet to take. It keeps every event until `conflate_after` events or half its bytes are
/// pending; then it conflates what it holds and, until drained, what comes: every `started` and `ended`, and for each
/// life the latest `updated` alone, in the place of the first.
///
/// Charged are whole records, shared or not. When full it takes nothing more; what it holds can be taken. A `post` that
/// throws `std::bad_alloc` has not happened; of what `settled` was to tell then, the next one tells the rest.
class mailbox
{
public:
    explicit mailbox(filter, mailbox_limits = {});

    /// Activities that the subscriber knows from an earlier process: for it they have started. To be called before the
    /// first `post`. What still runs continues with `updated`; what a snapshot requested from `now` on does not show,
    /// once settled, is told as `ended`, inferred.
    void remember(std::vector<activity> known, instant now);

    /// Gives `put(activity_event)` what the subscriber is to hear of that, if anything, in order.
    template <class Mail, class Put>
    void admit(Mail&& m, Put put);
    /// Keeps what the subscriber is to hear of that. Of several that throw, those before one are kept.
    void post(mail const&);
    void post(mail&&);
    void post(std::span<mail const>);
    /// The absences of the snapshot requested then are settled (`ledger::settled`).
    void settled(std::chrono::steady_clock::time_point requested, instant now);

    /// The oldest; empty when nothing is pending.
    std::optional<activity_event> take();

    bool empty() const noexcept { return count_ == 0; }
    /// Whether some of what it was to `remember` may still run, as far as is known.
    bool remembers() const noexcept { return !known_.empty(); }
    std::size_t pending() const noexcept { return count_; }
    std::size_t bytes() const noexcept { return bytes_; }
    /// Bytes held for the queue itself, beside the records.
    std::size_t memory() const noexcept { return ring_.size() * sizeof(mail); }
    bool overflowed() const noexcept { return overflowed_; }
    /// How many updates were left out.
    std::uint64_t conflated() const noexcept { return conflated_; }

private:
    enum class hearing : std::uint8_t {
        nothing,
        as_it_is,
        as_update, ///< of what it knew
        as_start,  ///< the first that it hears of that life
        as_start_and_end
    };

    hearing hears(mail const&);
    bool was_known(activity const&) noexcept;
    void make_room(std::size_t events);
    template <class Event>
    void put(Event&&, std::uint64_t life) noexcept;
    activity_event* pending_update_of(std::uint64_t life) noexcept;
    bool charge(std::size_t more, std::size_t less) noexcept;
    template <class Event>
    void append(Event&&, std::uint64_t life) noexcept;
    void resize_ring(std::size_t events);
    void conflate() noexcept;
    void calm_down() noexcept;
    mail& at(std::size_t index) noexcept { return ring_[(first_ + index) & (ring_.size() - 1)]; }

    filter filter_;
    bool filtered_;
    mailbox_limits limits_;
    hash_table<bool> told_; // lives the filter has said yes to; unused when the filter is empty
    std::vector<activity> known_;
    std::chrono::steady_clock::time_point known_since_;

    std::vector<mail> ring_; // a power of two
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t taken_ = 0;

    bool conflating_ = false;
    bool overflowed_ = false;
    hash_table<std::uint64_t> pending_update_; // while conflating: the number of each life's `updated`
    std::uint64_t conflated_ = 0;
};

template <class Mail, class Put>
void mailbox::admit(Mail&& m, Put put)
{
    if (!filtered_ && known_.empty())
        return put(std::forward<Mail>(m).event);
    hearing const how = hears(m);
    if (how == hearing::nothing)
        return;
    if (how == hearing::as_it_is)
        return put(std::forward<Mail>(m).event);
    activity_event event = m.event;
    event.kind = how == hearing::as_update ? event_kind::updated : event_kind::started;
    event.inferred = event.inferred || how != hearing::as_update;
    put(std::move(event));
    if (how == hearing::as_start_and_end)
        put(std::forward<Mail>(m).event);
}

} // namespace plex::sync
