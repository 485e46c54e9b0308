#include "relay/relay_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace plex::relay {

namespace {

// A count that is kept elsewhere.
class count
{
public:
    count(service::metrics& of, char const* name, char const* help)
        : told_(prometheus::BuildCounter().Name(name).Help(help).Register(of.own()).Add({}))
    {
    }
    void is(std::uint64_t now)
    {
        // What a server counted that is followed no more is missing from the sum.
        if (now > last_)
            told_.Increment(static_cast<double>(now - last_));
        last_ = now;
    }

private:
    prometheus::Counter& told_;
    std::uint64_t last_ = 0;
};

} // namespace

struct relay_metrics::families {
    explicit families(service::metrics& of)
        : redis(of.own_gauge("plex_relay_redis_connected", "1 while Redis is connected.")),
          relays(of.own_gauge("plex_relay_relays", "Relays that are alive, by what Redis said last.")),
          followed(of.own_gauge("plex_relay_servers_followed", "Servers that this relay follows.")),
          written(of.own_gauge("plex_relay_servers_written", "Servers that this relay writes.")),
          waiting(of.own_gauge("plex_relay_waiting_lives",
                               "Lives with something to be written, of servers that this relay writes.")),
          entries(of, "plex_relay_entries_written_total", "Entries written into the stream."),
          repeated(of, "plex_relay_entries_repeated_total", "Entries given to Redis again, which had them."),
          trimmed(of, "plex_relay_entries_trimmed_total",
                  "Old entries that went for new ones, as the stream is bounded."),
          fenced(of, "plex_relay_writes_fenced_total", "Writes refused, as another relay has the lease."),
          conflated(of, "plex_relay_conflated_total", "Updates that a later one overtook before they were written."),
          dropped(of, "plex_relay_dropped_total", "Lives that were never written, as more waited than may.")
    {
    }
    prometheus::Gauge& redis;
    prometheus::Gauge& relays;
    prometheus::Gauge& followed;
    prometheus::Gauge& written;
    prometheus::Gauge& waiting;
    count entries;
    count repeated;
    count trimmed;
    count fenced;
    count conflated;
    count dropped;
};

relay_metrics::relay_metrics(service::metrics& of) : families_(std::make_unique<families>(of)) {}
relay_metrics::~relay_metrics() = default;

void relay_metrics::update(figures const& f)
{
    families_->redis.Set(f.redis_is_open ? 1 : 0);
    families_->relays.Set(static_cast<double>(f.relays));
    families_->followed.Set(static_cast<double>(f.followed));
    families_->written.Set(static_cast<double>(f.written));
    families_->waiting.Set(static_cast<double>(f.waiting));
    families_->entries.is(f.counts.entries);
    families_->repeated.is(f.counts.repeated);
    families_->trimmed.is(f.counts.trimmed);
    families_->fenced.is(f.counts.fenced);
    families_->conflated.is(f.counts.conflated);
    families_->dropped.is(f.counts.dropped);
}

} // namespace plex::relay
