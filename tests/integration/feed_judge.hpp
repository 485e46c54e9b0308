#pragma once

#include <plex/activity.hpp>
#include <plex/testing/fake_server.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace plex::test {

/// Compares what a feed told with what a server's own record says has happened: no life lost, none doubled, but for
/// those that lie wholly inside a gap.
class feed_judge
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// The feed's loop has gone round, with whatever there was to read.
    void turned(time_point now = std::chrono::steady_clock::now())
    {
        if (!turned_.empty() && now - turned_.back() < slack / turns)
            return;
        turned_.push_back(now);
        if (turned_.size() > std::size_t{turns})
            turned_.pop_front();
        if (!felt_by_all_ && turned_.size() == std::size_t{turns} && turned_.front() > last_fault_)
            felt_by_all_ = now;
    }
    /// The feed hears nothing from now on; what the server said up to `slack` ago may still have been on its way, and
    /// longer where the loop has hardly gone round since, on a machine that is busy.
    void gap_began(time_point now = std::chrono::steady_clock::now())
    {
        last_fault_ = now;
        felt_by_all_.reset();
        if (!gap_)
            gap_ = turned_.empty() ? now - slack : std::min(now - slack, turned_.front());
    }
    void gap_began_if_none_since(time_point since)
    {
        if (!gap_)
            gap_ = since;
    }
    /// Whether a fault may have hit that connection before its client knew of it: it was young, or not yet there.
    bool may_be_hit(time_point connected) const
    {
        return last_fault_ != time_point::min() && (!felt_by_all_ || connected < *felt_by_all_);
    }
    /// What runs now is known, what comes is heard, if the connection is younger than the last fault: a client may not
    /// have noticed yet.
    void gap_ended(time_point connected)
    {
        if (!gap_ || connected < last_fault_)
            return;
        gaps_.push_back({*gap_, std::chrono::steady_clock::now()});
        gap_.reset();
    }
    bool in_gap() const { return gap_.has_value(); }

    void happened(std::vector<testing::told_event> const& truth)
    {
        for (testing::told_event const& e : truth) {
            std::vector<life>& of_uuid = lives_[e.uuid];
            if (of_uuid.empty() || of_uuid.back().ended)
                of_uuid.push_back({e.at, std::nullopt});
            if (e.event == "ended")
                of_uuid.back().ended = e.at;
        }
    }
    /// The server forgot all that ran.
    void restarted(time_point now = std::chrono::steady_clock::now())
    {
        for (auto& [uuid, all] : lives_)
            if (!all.back().ended)
                all.back().ended = now;
    }

    /// What is wrong with that story; empty when nothing is.
    /// @param revivals lives that the feed says it has opened again
    std::string verdict(std::vector<activity_event> const& story, std::uint64_t revivals)
    {
        std::map<std::string, std::size_t> told;
        std::map<std::string, bool> running;
        for (activity_event const& e : story) {
            std::string const uuid(e.activity.uuid());
            if (!lives_.contains(uuid))
                return uuid + " was told and never was";
            bool& runs = running[uuid];
            if ((e.kind == event_kind::started) == runs)
                return uuid + ": " + std::string(to_string(e.kind)) + (runs ? " while it runs" : " while it does not");
            runs = e.kind != event_kind::ended;
            if (e.kind == event_kind::started)
                ++told[uuid];
        }
        for (auto const& [uuid, runs] : running)
            if (runs)
                return uuid + " was never told to end";
        for (auto const& [uuid, all] : lives_) {
            std::size_t audible = 0;
            for (life const& l : all) {
                ++judged_;
                if (in_a_gap(l))
                    ++excused_;
                else
                    ++audible;
            }
            if (told[uuid] < audible)
                return uuid + " was lost" + about(all);
            if (told[uuid] > all.size() + revivals)
                return uuid + " was told " + std::to_string(told[uuid]) + " times";
        }
        return {};
    }

    std::size_t judged() const { return judged_; }
    std::size_t excused() const { return excused_; }

private:
    static constexpr auto slack = std::chrono::milliseconds(300);
    static constexpr int turns = 10;

    struct life {
        time_point began;
        std::optional<time_point> ended;
    };
    struct interval {
        time_point from, to;
    };

    std::string about(std::vector<life> const& all) const
    {
        auto const ms = [start = lives_start()](time_point t) {
            return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(t - start).count());
        };
        std::string text = "; lived";
        for (life const& l : all)
            text += " " + ms(l.began) + "-" + (l.ended ? ms(*l.ended) : "");
        text += " ms; gaps";
        for (interval const& g : gaps_)
            text += " " + (g.from == time_point::min() ? "" : ms(g.from)) + "-" + ms(g.to);
        return text;
    }
    time_point lives_start() const
    {
        time_point first = time_point::max();
        for (auto const& [uuid, all] : lives_)
            first = std::min(first, all.front().began);
        return first;
    }

    bool in_a_gap(life const& l) const
    {
        return std::any_of(gaps_.begin(), gaps_.end(),
                           [&](interval const& g) { return l.began >= g.from && l.ended && *l.ended <= g.to; });
    }

    std::map<std::string, std::vector<life>> lives_;
    std::vector<interval> gaps_;
    std::deque<time_point> turned_;
    std::optional<time_point> gap_ = time_point::min(); // until the first contact
    time_point last_fault_ = time_point::min();
    std::optional<time_point> felt_by_all_; // of the last fault
    std::size_t judged_ = 0;
    std::size_t excused_ = 0;
};

} // namespace plex::test
