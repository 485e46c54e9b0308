#pragma once

#include <plex/activity.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace plex::relay {

/// What is written of an activity. The uuid and two numbers name it for ever, so that to write it twice changes
/// nothing.
struct entry {
    std::string uuid;
    std::uint64_t life = 0; ///< how many times that uuid has begun
    std::uint64_t seq = 0;  ///< within the life, from 1
    event_kind kind = event_kind::started;
    bool inferred = false;
    std::chrono::system_clock::time_point at;
    plex::activity activity;
};

/// The last that was written of a uuid.
struct record {
    std::uint64_t life = 0;
    std::uint64_t seq = 0;
    bool ended = false;
    plex::activity activity; ///< empty where it has ended
};
using records = std::map<std::string, record, std::less<>>; ///< by uuid

/// What of one server's feed is yet to be written. No I/O and no clock.
///
/// Of a life's updates only the last waits, so what waits is bounded by the lives. One that stands by keeps the same,
/// and is told by `adopt` what of it the one before has written.
class outbox
{
public:
    using time = std::chrono::system_clock::time_point;

    static constexpr std::size_t usual = 10'000;

    /// @param most_waiting lives; where more wait, the oldest that has ended and of which nothing was written goes
    explicit outbox(std::size_t most_waiting = usual);
    /// Goes on from what was written.
    outbox(records const& written, time now, std::size_t most_waiting = usual);
    outbox(outbox&&) noexcept;
    outbox& operator=(outbox&&) noexcept;
    ~outbox();

    /// What runs by all that is known: what a feed is opened with.
    std::vector<activity> known() const;

    /// As the feed tells it.
    void observe(activity_event const&);

    /// Begins to write, after one who has written this. What he had of it is not written again; what runs by his
    /// account, and not by ours, has ended meanwhile, inferred.
    void adopt(records const& written, time now);

    /// What is to be written next, at most so much; then nothing until one of the next two is called.
    std::vector<entry> take(std::size_t most);
    void confirmed();
    /// Whether it was written is not known: the same again.
    void lost();

    /// Lets go of lives that ended before that; also of those that wait, where others write.
    void forget_ended_before(time, bool others_write);

    /// Lives with something to be written, and entries taken.
    std::size_t waiting() const noexcept { return queue_.size() + taken_.size(); }
    /// Updates that no entry was made of, as a later one came before they were written.
    std::uint64_t conflated() const noexcept { return conflated_; }
    /// Lives that nobody will read of, as more waited than may.
    std::uint64_t dropped() const noexcept { return dropped_; }

private:
    struct life;
    using life_ptr = std::shared_ptr<life>;
    using lives = std::deque<life_ptr>;

    static life_ptr life_of(std::string const& uuid, record const&, time now);
    void enqueue(life_ptr const&);
    void put_back_what_was_taken();
    void adopt(lives&, std::string const& uuid, record const&, time now);
    void tidy_queue();

    std::size_t most_waiting_;
    std::map<std::string, lives, std::less<>> lives_; // of a uuid those that wait, and the last one
    lives queue_;                                     // those that wait, in the order in which they began to
    std::vector<std::pair<life_ptr, entry>> taken_;
    bool in_flight_ = false;
    std::uint64_t conflated_ = 0;
    std::uint64_t dropped_ = 0;
};

} // namespace plex::relay
