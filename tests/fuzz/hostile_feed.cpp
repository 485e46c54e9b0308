// Input: what a hostile server sends over a WebSocket: messages that begin as lists do are lists, all others
// notifications. The payload of a ping says what else happens meanwhile, a letter each.

#include "fuzz.hpp"

#include "activity_record.hpp"
#include "protocol/decoder.hpp"
#include "protocol/utf8.hpp"
#include "protocol/websocket_framer.hpp"
#include "sync/ledger.hpp"
#include "sync/mailbox.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace plex::fuzz {
namespace {

using namespace plex::sync;

constexpr std::size_t ledger_bytes = 6000;
constexpr std::size_t mailbox_bytes = 4000;

// Rule 1, of what one subscriber takes, and rule 4.
class listener
{
public:
    listener(filter f, std::size_t conflate_after) : box_(std::move(f), {conflate_after, mailbox_bytes}) {}

    void post(mail const& m)
    {
        box_.post(m);
        promise(box_.bytes() <= mailbox_bytes, "a mailbox is bounded");
        promise(box_.empty() == (box_.pending() == 0), "a mailbox knows whether it is empty");
    }

    void take()
    {
        while (auto const event = box_.take()) {
            activity const& a = event->activity;
            for (auto const text : {a.uuid(), a.type(), a.title(), a.subtitle(), a.context().json(),
                                    a.response().json(), a.extra().json()})
                promise(protocol::valid_utf8(text), "what a subscriber is told is valid UTF-8");
            std::string const uuid(a.uuid());
            bool const runs = runs_.contains(uuid);
            promise((event->kind == event_kind::started) != runs, "a subscriber hears whole lives");
            if (event->kind == event_kind::ended)
                runs_.erase(uuid);
            else
                runs_[uuid] = detail::activity_access::record(a)->fields().title;
        }
        promise(box_.bytes() == 0, "an empty mailbox holds nothing");
    }

    void compare(ledger const& l) const
    {
        if (box_.overflowed() || l.full())
            return;
        std::size_t running = 0;
        l.for_each_running([&](activity const& a, auto const&, std::uint64_t) {
            ++running;
            auto const heard = runs_.find(std::string(a.uuid()));
            promise(heard != runs_.end() && heard->second == a.title(), "who hears everything knows what runs");
        });
        promise(running == runs_.size() && running == l.running(), "who hears everything knows no more");
    }

private:
    mailbox box_;
    std::map<std::string, std::string> runs_;
};

class feed
{
public:
    feed() : ledger_(limits())
    {
        listeners_.emplace_back(filter(), 5u);
        listeners_.emplace_back(filter().type("library."), 100u);
        listeners_.emplace_back(filter().context("librarySectionID", "3"), 2u);
    }

    void piece(std::string_view bytes)
    {
        if (ended_)
            return;
        std::string input(bytes);
        input.append(protocol::websocket_framer::slack, '{');
        framer_.feed({input.data(), bytes.size()});
        for (;;) {
            protocol::websocket_item const item = framer_.next();
            switch (item.what) {
            case protocol::websocket_event::need_more:
                return;
            case protocol::websocket_event::message:
                message(item.payload);
                break;
            case protocol::websocket_event::ping:
                for (char const c : item.payload)
                    meanwhile(c);
                break;
            case protocol::websocket_event::pong:
                ledger_.peer_confirmed(ledger_.awaiting_confirmation().value_or(0));
                break;
            case protocol::websocket_event::close:
            case protocol::websocket_event::violation:
            case protocol::websocket_event::message_too_big:
                ledger_.disconnected();
                ended_ = true;
                return;
            }
        }
    }

    void end()
    {
        for (listener& l : listeners_)
            l.take();
        listeners_.front().compare(ledger_);
    }

private:
    static ledger_limits limits()
    {
        ledger_limits l;
        l.bytes = ledger_bytes;
        l.remembered_ends = 3;
        return l;
    }

    void message(std::span<char> text)
    {
        bool const as_list = std::string_view(text.data(), text.size()).starts_with("{\"MediaContainer");
        auto const what = as_list ? decoder_.list(text) : decoder_.notification(text);
        if (what != protocol::decoded::activities)
            return;
        if (as_list) {
            ledger_.snapshot_arrived(decoder_.updates(), now_, out_);
            tell();
            return;
        }
        for (auto const& u : decoder_.updates())
            ledger_.heard(u, now_, out_);
        tell();
    }

    void meanwhile(char c)
    {
        switch (c) {
        case 'r':
            ledger_.snapshot_requested(now_, false);
            break;
        case 'R':
            ledger_.snapshot_requested(now_, true);
            break;
        case 'f':
            ledger_.snapshot_failed();
            break;
        case 'd':
            ledger_.disconnected();
            break;
        case 's':
            ledger_.settle(now_, out_);
            tell();
            break;
        case 't':
            end();
            break;
        case 'T':
            listeners_.back().take();
            break;
        default: { // time passes
            auto const d = std::chrono::milliseconds(static_cast<unsigned char>(c) * 100);
            now_.steady += d;
            now_.system += d;
        }
        }
    }

    void tell()
    {
        for (mail const& m : out_)
            for (listener& l : listeners_)
                l.post(m);
        out_.clear();
        // Each record and its entry; what exceeds the bound is the last thing it takes.
        promise(ledger_.full() || ledger_.bytes() <= ledger_bytes, "a ledger is bounded");
        promise(ledger_.remembered_ends() <= 3, "so many ends are remembered, not more");
    }

    protocol::websocket_framer framer_{4096};
    bool ended_ = false;
    protocol::decoder decoder_;
    ledger ledger_;
    std::vector<listener> listeners_;
    std::vector<mail> out_;
    instant now_{std::chrono::steady_clock::time_point(std::chrono::hours(1)),
                 std::chrono::system_clock::time_point(std::chrono::hours(1))};
};

} // namespace

void run(std::string_view input)
{
    feed f;
    dice random(input);
    cut(input, cuts[input.size() % 3], random, [&](std::string_view piece) { f.piece(piece); });
    f.end();
}

} // namespace plex::fuzz
