#include "relay/store.hpp"

#include "relay/lua.hpp"

#include <plex/json.hpp>

#include <charconv>
#include <utility>

namespace plex::relay {

namespace asio = boost::asio;

namespace {

using kind = redis_reply::kind;

std::int64_t milliseconds(std::chrono::system_clock::time_point t)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

/// "LIFE SEQ", and of a live one " ACTIVITY" after it. False where that is not what it says.
bool read_record(std::string_view text, record& r)
{
    char const* const end = text.data() + text.size();
    auto const life = std::from_chars(text.data(), end, r.life);
    if (life.ec != std::errc() || life.ptr == end || *life.ptr != ' ')
        return false;
    auto const seq = std::from_chars(life.ptr + 1, end, r.seq);
    if (seq.ec != std::errc())
        return false;
    if (r.ended)
        return seq.ptr == end;
    if (seq.ptr == end || *seq.ptr != ' ')
        return false;
    std::optional<activity> const a =
        activity_from_json_text({seq.ptr + 1, static_cast<std::size_t>(end - seq.ptr - 1)});
    if (a)
        r.activity = *a;
    return a.has_value();
}

// Of a hash: names and values in turn.
void add_records(records& to, std::vector<redis_reply> const& fields, bool ended)
{
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        record r;
        r.ended = ended;
        if (read_record(fields[i + 1].text, r))
            to.emplace(fields[i].text, r); // what is live comes first, and counts
    }
}

records records_of(redis_reply const& live, redis_reply const& ended)
{
    records all;
    add_records(all, live.elements, false);
    add_records(all, ended.elements, true);
    return all;
}

} // namespace

store::store(redis& r, std::string id, std::string prefix, std::uint64_t max_length, std::chrono::milliseconds lease)
    : redis_(r), id_(std::move(id)), prefix_(std::move(prefix)), max_length_(std::to_string(max_length)),
      lease_ms_(std::to_string(lease.count())), lease_{lua::lease_lua(), {}}, write_{lua::write_lua(), {}},
      release_{lua::release_lua(), {}}, alive_{lua::alive_lua(), {}}
{
}

asio::awaitable<void> store::prepare()
{
    for (script* const s : {&lease_, &write_, &release_, &alive_}) {
        std::vector<std::string> words = {"SCRIPT", "LOAD"};
        words.emplace_back(s->text);
        redis_reply reply = co_await redis_.command(std::move(words));
        s->sha = std::move(reply.text);
    }
}

std::string store::key(std::string_view name, std::string const& server) const
{
    return key("server:" + server + ":" + std::string(name));
}

std::vector<std::string> store::call(script const& s, std::vector<std::string> keys) const
{
    std::vector<std::string> words = {"EVALSHA", s.sha, std::to_string(keys.size())};
    words.insert(words.end(), std::make_move_iterator(keys.begin()), std::make_move_iterator(keys.end()));
    return words;
}

asio::awaitable<store::written> store::read(std::string server)
{
    std::vector<std::string> machine_of = {"GET"};
    machine_of.push_back(key("machine", server));
    std::vector<std::string> live_of = {"HGETALL"};
    live_of.push_back(key("live", server));
    std::vector<std::string> ended_of = {"HGETALL"};
    ended_of.push_back(key("ended", server));
    redis_reply machine = co_await redis_.command(std::move(machine_of));
    redis_reply const live = co_await redis_.command(std::move(live_of));
    redis_reply const ended = co_await redis_.command(std::move(ended_of));
    co_return written{std::move(machine.text), records_of(live, ended)};
}

void store::ask_lease(std::string const& server, std::string const& lease, std::string const& machine,
                      std::function<void(lease_reply)> on_reply)
{
    std::vector<std::string> words = call(lease_, {key("lease", server), key("fence", server), key("machine", server),
                                                   key("live", server), key("ended", server), key("ended_at", server)});
    words.insert(words.end(), {lease, id_, lease_ms_, machine});
    redis_.command(words, [on_reply = std::move(on_reply)](redis_reply const& r) {
        lease_reply result;
        if (r.is == kind::error || r.is == kind::lost)
            result.why = r.text;
        else if (r.elements.size() == 1)
            result.is = lease_reply::kind::kept;
        else if (r.elements.size() == 2) {
            result.is = lease_reply::kind::held;
            result.why = r.elements[1].text;
        } else if (r.elements.size() == 4) {
            result.is = lease_reply::kind::taken;
            result.lease = r.elements[1].text;
            result.records = records_of(r.elements[2], r.elements[3]);
        }
        on_reply(std::move(result));
    });
}

void store::release(std::string const& server, std::string const& lease)
{
    std::vector<std::string> words = call(release_, {key("lease", server)});
    words.insert(words.end(), {lease, "1000"});
    redis_.command(words, [](redis_reply const&) {}); // else it runs out by itself
}

void store::write(std::string const& server, std::string const& lease, std::string const& machine,
                  std::vector<entry> const& entries, std::function<void(write_reply)> on_reply)
{
    std::vector<std::string> words = call(write_, {key("lease", server), key("events"), key("live", server),
                                                   key("ended", server), key("ended_at", server)});
    using std::to_string;
    words.insert(words.end(), {lease, max_length_, to_string(std::chrono::milliseconds(remembers_ends).count())});
    for (entry const& e : entries) {
        std::string const life = to_string(e.life);
        std::string const seq = to_string(e.seq);
        std::string const name(plex::to_string(e.kind));
        std::string const text = to_json_text(e.activity);
        std::string live = life;
        live.append(" ").append(seq).append(" ").append(text);
        words.insert(words.end(), {e.uuid,     life,
                                   seq,        name,
                                   live,       "18",
                                   "server",   server,
                                   "machine",  machine,
                                   "uuid",     e.uuid,
                                   "life",     life,
                                   "seq",      seq,
                                   "event",    name,
                                   "inferred", e.inferred ? "1" : "0",
                                   "at",       to_string(milliseconds(e.at)),
                                   "activity", text});
    }
    redis_.command(words, [on_reply = std::move(on_reply)](redis_reply const& r) {
        write_reply result;
        if (r.is == kind::error) {
            result.is = r.text.starts_with("FENCED") ? write_reply::kind::fenced : write_reply::kind::failed;
            result.why = r.text;
        } else if (r.elements.size() == 2) {
            result.is = write_reply::kind::done;
            result.written = r.elements[0].integer;
            result.trimmed = r.elements[1].integer;
        }
        on_reply(std::move(result));
    });
}

void store::say_alive(std::function<void(std::optional<std::vector<std::string>>, std::string const& why)> on_reply)
{
    std::vector<std::string> words = call(alive_, {key("relays")});
    words.insert(words.end(), {id_, lease_ms_});
    redis_.command(words, [on_reply = std::move(on_reply)](redis_reply const& r) {
        if (r.is != kind::array)
            return on_reply(std::nullopt, r.is == kind::lost ? std::string() : r.text);
        std::vector<std::string> all;
        all.reserve(r.elements.size());
        for (redis_reply const& each : r.elements)
            all.push_back(each.text);
        on_reply(std::move(all), {});
    });
}

void store::say_gone()
{
    std::vector<std::string> words = call(alive_, {key("relays")});
    words.insert(words.end(), {id_, "0"});
    redis_.command(words, [](redis_reply const&) {});
}

} // namespace plex::relay
