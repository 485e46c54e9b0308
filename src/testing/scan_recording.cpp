// One scan of a movie section as it was recorded (protocol.md 2.5, 3): its counts, its order, its repeated progress and
// the places of its Context; the titles are made up.
#include "testing/scan_recording.hpp"

#include "testing/server_state.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>

namespace plex::testing {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t updates = fake_server::scan_events - 2;
/// Events told before other handlers may run: what they bring leaves in one write.
constexpr std::size_t events_at_once = 64;
constexpr steady_clock::duration longest_wait = std::chrono::milliseconds(20);

std::string made_up_title(std::size_t number)
{
    static constexpr std::array<std::string_view, 24> first = {
        "The Quiet",  "A Distant",  "Seven",      "The Last",   "Beneath the", "Return to", "The Paper",   "Midnight",
        "An Honest",  "The Copper", "Beyond the", "The Wooden", "Letters to",  "A Winter",  "The Hidden",  "Under the",
        "The Second", "Nine",       "Across the", "The Glass",  "A Borrowed",  "The Blue",  "Towards the", "The Long"};
    static constexpr std::array<std::string_view, 19> second = {
        "Harbour",    "Lighthouse", "Orchard",   "Crossing", "Garden",  "Mountain", "Cartographer",
        "Summer",     "Meridian",   "River",     "Café",     "Archive", "Ferryman", "Valley",
        "Clockmaker", "Island",     "Überfahrt", "Station",  "Horizon"};
    return std::string(first[number % first.size()]) + " " + std::string(second[number / 7 % second.size()]) + " (" +
           std::to_string(1925 + number * 13 % 100) + ")";
}

feed_item status(std::string const& title)
{
    feed_item item(feed_item::kind::notification);
    item.type = "status";
    item.key = "StatusNotification";
    item.text = R"({"title":)";
    append_json_string(item.text, title);
    item.text += R"(,"description":"","notificationName":"LIBRARY_UPDATE"})";
    return item;
}

feed_item timeline(std::string const& section, std::string const& title, int state)
{
    feed_item item(feed_item::kind::notification);
    item.type = "timeline";
    item.key = "TimelineEntry";
    item.text = R"({"identifier":"com.plexapp.plugins.library","sectionID":)";
    append_json_string(item.text, section);
    item.text += R"(,"itemID":"86099","type":1,"title":)";
    append_json_string(item.text, title);
    item.text += R"(,"state":)" + std::to_string(state) + "}";
    return item;
}

/// What else the recording has on the feed before its n-th update.
std::vector<feed_item> others_before(std::size_t update, scan_options const& options)
{
    std::vector<feed_item> items;
    if (update == 0 || update == updates / 2)
        items.push_back(status("Scanning the \"" + options.section_title + "\" section"));
    if (update == updates / 3 || update == updates / 3 + 1)
        items.push_back(timeline(options.section, made_up_title(update), update == updates / 3 ? 0 : 5));
    if (update == updates / 2 + 1 || update == updates)
        items.push_back(status("Library scan complete"));
    return items;
}

} // namespace

boost::asio::awaitable<void> play_recording(std::shared_ptr<server_state> state, scan_options options)
{
    fake_activity activity("library.update.section", "Scanning");
    if (!options.uuid.empty())
        activity.uuid = options.uuid;
    std::string context = R"({"librarySectionID":)";
    append_json_string(context, options.section);
    context += '}';

    asio::any_io_executor const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    auto const began = steady_clock::now();
    state->start(activity);
    activity.title = "Scanning " + options.section_title;
    activity.context_json = context;
    for (std::size_t update = 0; update <= updates; ++update) {
        // An event is told for each file, so that many of them share a progress.
        auto const due = began + options.duration * static_cast<int>(update + 1) / static_cast<int>(updates + 1);
        if (due <= steady_clock::now() && update % events_at_once == 0)
            co_await asio::post(executor, asio::use_awaitable);
        while (due > steady_clock::now()) {
            // In steps, so that a slow scan sees its end soon.
            timer.expires_at(std::min(due, steady_clock::now() + longest_wait));
            co_await timer.async_wait(asio::use_awaitable);
            if (state->is_stopped() || !state->find(activity.uuid))
                co_return;
        }
        if (state->is_stopped())
            co_return;
        if (state->options.other_notifications)
            for (auto& item : others_before(update, options))
                state->publish(std::make_shared<feed_item const>(std::move(item)));
        if (update == updates)
            break;
        auto const percent = 1 + update * 99 / updates;
        activity.progress = static_cast<double>(percent);
        activity.subtitle = made_up_title(update);
        if (!state->update(activity))
            co_return;
    }
    state->end(activity.uuid, 100);
}

} // namespace plex::testing
