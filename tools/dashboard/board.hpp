#pragma once

#include <plex/activity.hpp>
#include <plex/client.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plex::dashboard {

/// How far a reader of the board has read.
struct bookmark {
    std::uint64_t seen = 0;  ///< the version of the last thing that it was told
    std::uint64_t reset = 0; ///< the version at which it was last told to begin anew
};

/// All that the page shows, and what of it is new to a reader. No I/O and no clock.
///
/// Each thing on it has the version of its last change, so a reader that comes late gets the latest of each, and none
/// has a queue. The end of an activity is a thing of its own, kept for an hour; whoever has missed one that is not kept
/// any more begins anew.
class board
{
public:
    using time = std::chrono::system_clock::time_point;

    /// @param can_cancel whether the page is to have buttons for it
    /// @param cut_after what a reader is told at once is no longer than this by more than one thing
    explicit board(bool can_cancel, std::size_t cut_after = 256 << 10) : can_cancel_(can_cancel), cut_after_(cut_after)
    {
    }

    void set_can_cancel(bool);
    /// These are configured, in this order. One that stays keeps what is known of it.
    void configured(std::vector<std::string> const& names);
    void connection(std::string_view server, connection_status const&, time now);
    void event(std::string_view server, activity_event const&);
    /// Drops what ended more than an hour ago.
    void forget_old(time now);

    /// Grows with each change.
    std::uint64_t version() const noexcept { return version_; }
    /// What a reader has not seen, as a JSON text in one line, and moves its bookmark there; null when there is
    /// nothing. It may not be all: ask again until it is null. Readers that are equally far share the text.
    std::shared_ptr<std::string const> news(bookmark&, time now);

    /// The server's name, where this activity of it is shown and says that it can be cancelled.
    std::optional<std::string> cancellable(std::uint64_t server, std::string_view uuid) const;

    static constexpr std::size_t most_ended = 1'000;

private:
    /// An activity that is not known to have ended.
    struct running {
        std::uint64_t version = 0;
        plex::activity activity;
        time since;
        bool start_seen = false; ///< else it has run since before `since`
    };

    struct server {
        std::uint64_t version = 0;
        std::uint64_t id = 0;
        std::string name;
        connection_state state = connection_state::idle;
        plex::transport transport = plex::transport::automatic;
        std::string why; ///< it is not connected
        std::optional<time> next_try;
        std::map<std::string, running, std::less<>> activities;
    };

    /// The end of an activity.
    struct ended {
        std::uint64_t version = 0;
        std::uint64_t server = 0;
        std::string server_name;
        std::string uuid;
        std::string type;
        std::string title;
        std::string subtitle;
        std::optional<int> progress;
        time since;
        bool start_seen = false;
        time at;
        bool inferred = false;
    };
    struct change;

    server* find(std::string_view name) noexcept;
    std::vector<change> changes_since(std::uint64_t seen) const;
    void drop_oldest_end();

    bool can_cancel_;
    std::size_t cut_after_;
    std::uint64_t version_ = 1;
    std::uint64_t next_server_ = 1;
    std::uint64_t anew_ = 1; ///< who has begun before this version has missed something
    std::vector<std::unique_ptr<server>> servers_;
    std::deque<ended> ended_;
    struct {
        bookmark from;
        bookmark to;
        std::uint64_t version = 0;
        std::shared_ptr<std::string const> text;
    } last_; // news, for the next reader that is as far
};

} // namespace plex::dashboard
