#pragma once

#include "relay/outbox.hpp"
#include "relay/store.hpp"

#include <plex/activity.hpp>
#include <plex/client.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plex::relay {

/// What all servers of a relay have written together.
struct written_counts {
    std::uint64_t entries = 0;
    std::uint64_t repeated = 0; ///< given to Redis again, which had them
    std::uint64_t trimmed = 0;
    std::uint64_t fenced = 0;    ///< writes refused, as another has the lease
    std::uint64_t conflated = 0; ///< updates that a later one overtook before they were written, where they are ours
    std::uint64_t dropped = 0;   ///< lives that more waited than may, where they are ours
    std::string refusal;         ///< why Redis said no to the last write, if it did
};

/// One server that this relay follows: what of it is to be written, and whether it is ours to write.
///
/// Whoever has the lease writes. It is asked for when the feed is live, what runs is known, and the server has said who
/// it is: whoever takes over has to know what of the earlier one's lives goes on. Who has lost the server for a while
/// gives it to the others who follow, if there are any.
class followed_server : public std::enable_shared_from_this<followed_server>
{
public:
    using clock = std::chrono::steady_clock;
    using time = std::chrono::system_clock::time_point;

    followed_server(std::string name, store&, written_counts&, store::written, time now);

    std::string const& name() const noexcept { return name_; }
    /// What its feed is opened with.
    std::vector<activity> known() const { return outbox_.known(); }

    void event(activity_event const&);
    void connection(connection_state, clock::time_point now);

    /// Whether it is to be asked for its machineIdentifier.
    bool wants_identity() const noexcept { return is_live_ && !machine_is_certain_; }
    /// What it answered. False where that is another machine than the one of which all this is: nothing of it is
    /// written any more.
    bool answers_as(std::string const& machine);

    struct periods {
        clock::duration settles_in;     ///< how long a feed has to be live before the lease is asked for
        clock::duration renews_every;   ///< a lease that we have
        clock::duration gives_up_after; ///< without the server, where others follow it too
    };
    /// Asks for the lease, keeps it or gives it up; and writes what waits. To be called some times in each lease.
    void tick(clock::time_point now, time wall, periods const&);
    /// Writes what waits, where it is ours.
    void flush();
    /// Gives the lease back.
    void release();

    bool leads() const noexcept { return !lease_.empty(); }
    outbox const& waiting() const noexcept { return outbox_; }

    bool is_being_identified = false;
    bool others_follow = false;
    /// Others follow it now; we only until they know all that we do.
    std::optional<clock::time_point> unwanted_since;

private:
    void leased(store::lease_reply);
    void written(store::write_reply const&, std::string const& lease, std::size_t count);

    std::string name_;
    store& store_;
    written_counts& counts_;
    outbox outbox_;
    std::string machine_; // of what is in the outbox
    std::string lease_;
    bool machine_is_certain_ = false;
    bool is_live_ = false;
    std::optional<clock::time_point> live_since_;
    clock::time_point useful_at_;            // live, and certain of the machine
    std::optional<time> others_write_since_; // by what Redis said each time since
    clock::time_point asked_at_;
    bool is_asking_ = false;
    bool is_writing_ = false;
};

} // namespace plex::relay
