#include "mqtt/discovery.hpp"

#include "protocol/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace plex::mqtt {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_part = 64;
constexpr std::size_t longest_name = 120; // bytes

bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// Letters, digits, `_`, `-` and `also`. Where something had to be changed a number tells it from what looks the same
// then.
std::string made_plain(std::string_view name, std::string_view also)
{
    std::string out;
    std::uint32_t h = 0x811c9dc5; // FNV-1a
    bool changed = name.empty() || name.size() > longest_part;
    for (char const c : name) {
        h = (h ^ static_cast<unsigned char>(c)) * 0x01000193;
        bool const stays = is_plain(c) || also.find(c) != also.npos;
        changed = changed || !stays;
        if (out.size() < longest_part)
            out += stays ? c : '_';
    }
    if (!changed)
        return out;
    std::array<char, 16> number{};
    std::snprintf(number.data(), number.size(), "-%08x", static_cast<unsigned>(h));
    return out + number.data();
}

// Of a server's words, which may be anything.
std::string shown(std::string_view text)
{
    return std::string(protocol::cut_utf8(protocol::terminal_safe(text), longest_name));
}

} // namespace

std::string part(std::string_view name)
{
    return made_plain(name, ".");
}

std::string topics::availability(std::string_view server) const
{
    return prefix_ + '/' + part(server) + "/availability";
}

std::string topics::cancel(std::string_view server_part) const
{
    return prefix_ + '/' + std::string(server_part) + "/cancel";
}

std::string_view topics::cancelled_at(std::string_view topic) const
{
    constexpr std::string_view end = "/cancel";
    if (topic.size() <= prefix_.size() + 1 + end.size() || !topic.starts_with(prefix_ + '/') || !topic.ends_with(end))
        return {};
    std::string_view const between = topic.substr(prefix_.size() + 1, topic.size() - prefix_.size() - 1 - end.size());
    return between.find('/') == between.npos ? between : std::string_view();
}

std::vector<std::string> topics::running_of_all() const
{
    return {prefix_ + "/+/+/running", prefix_ + "/+/+/+/running"};
}

device topics::device_of(std::string_view server, std::string_view type, std::string_view section,
                         std::string_view title) const
{
    device d;
    std::string const at = part(server) + '/' + part(type) + (section.empty() ? "" : '/' + part(section));
    d.topic = prefix_ + '/' + at;
    d.id = made_plain(prefix_ + '/' + at, {});
    d.name = shown(server) + ": " + shown(section.empty() || title.empty() ? type : title);
    d.model = shown(type);
    d.availability = availability(server);
    return d;
}

std::string topics::config_topic(std::string_view component, std::string_view id, std::string_view object) const
{
    return discovery_prefix_ + '/' + std::string(component) + '/' + std::string(id) + '/' + std::string(object) +
           "/config";
}

std::vector<message> topics::discovery(device const& d) const
{
    auto const entity = [&](char const* object, char const* name, std::string const& state) {
        json::object e;
        e["name"] = name;
        e["unique_id"] = d.id + '_' + object;
        e["state_topic"] = state;
        e["availability"] =
            json::array{json::object{{"topic", availability()}}, json::object{{"topic", d.availability}}};
        e["availability_mode"] = "all";
        e["device"] = json::object{
            {"identifiers", json::array{d.id}}, {"name", d.name}, {"manufacturer", "Plex"}, {"model", d.model}};
        e["origin"] = json::object{{"name", "plex-activities"}, {"sw_version", version_}};
        return e;
    };
    json::object is_running = entity("running", "Running", running(d.topic));
    is_running["device_class"] = "running";
    json::object how_far = entity("progress", "Progress", progress(d.topic));
    how_far["unit_of_measurement"] = "%";
    how_far["state_class"] = "measurement";
    how_far["icon"] = "mdi:progress-clock";
    json::object last = entity("finished", "Last finished", finished(d.topic));
    last["device_class"] = "timestamp";
    return {{config_topic("binary_sensor", d.id, "running"), json::serialize(is_running)},
            {config_topic("sensor", d.id, "progress"), json::serialize(how_far)},
            {config_topic("sensor", d.id, "finished"), json::serialize(last)}};
}

std::vector<message> topics::removal(device const& d) const
{
    std::vector<message> all = discovery(d);
    for (message& m : all)
        m.payload.clear();
    for (std::string const& topic : {running(d.topic), progress(d.topic), finished(d.topic)})
        all.push_back({topic, {}});
    return all;
}

} // namespace plex::mqtt
