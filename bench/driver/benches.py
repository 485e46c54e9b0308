"""What is measured: of each bench our program, what it is compared with, how much of it, and what its line says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Figures = dict[str, float | str]
"""What a program prints; of several runs the median."""


@dataclass(frozen=True)
class Call:
    """A program as a bench calls it: PORT COUNT and more arguments."""

    program: str
    port: str = "plain"
    """Or "tls", or "none"."""
    more: tuple[str, ...] = ()
    share: float = 1.0
    """Of the bench's count: what takes longer does less."""
    leading: tuple[str, ...] = ()
    """Arguments before PORT."""


Ratio = Callable[[Figures, Figures], float]


def by_cpu_time(own: Figures, peer: Figures) -> float:
    return peer["ns_each"] / own["ns_each"]


def by_rate(own: Figures, peer: Figures) -> float:
    return own["per_second"] / peer["per_second"]


def times_as_long(own_field: str, peer_field: str) -> Ratio:
    return lambda own, peer: own[own_field] / peer[peer_field]


@dataclass(frozen=True)
class Versus:
    call: Call
    ratio: Ratio = by_cpu_time
    """How many times better ours is; where it is a time that is told, how many times as long ours takes."""


@dataclass(frozen=True)
class Bench:
    name: str
    unit: str
    ours: Call
    count: int
    quick_count: int
    vs: dict[str, Versus] = field(default_factory=dict)
    value: str = "per_second"
    fields: tuple[str, ...] = ()
    """Of what our program prints, what the line has too."""
    peers_field: str | None = None
    """Of what the peers print, what the line has as `peers_…`: an object of their names."""
    callgrind_count: int = 0
    """Instructions are counted over so many; 0: they say nothing here."""
    rounds: int = 15
    """Many and short: what else the machine does changes from one second to the next."""
    quick_rounds: int = 3
    multiple: int = 1
    """Our program measures whole ones of these."""
    on_one_core: bool = False
    """Also measured with the server on the client's core, where the rate is what both take: `vs_on_one_core`."""
    tested: Call | None = None
    """What a test of the driver calls in place of `ours`, where that takes long whatever the count."""


READ_LOOP = {"beast_read_loop": Versus(Call("beast_read_loop"))}
SUBSCRIBERS = 1_000
STEP = 8 * SUBSCRIBERS
"""What 8 events in one read are to 1,000 subscribers."""


def feed(name: str, vs: dict[str, Versus], port: str = "plain") -> Bench:
    return Bench(name, "events/s", Call(name, port), 400_000, 300_000, vs, fields=("conflated",), callgrind_count=20_000)


def idle(name: str, *call: object) -> Bench:
    vs = {"beast_read_loop": Versus(Call("beast_idle_feeds", *call)), "node_ws": Versus(Call("node_ws_idle", *call))}
    fields = ("kib_per_feed", "core_share", "open_seconds")
    return Bench(name, "feeds/s", Call("idle_feeds", *call), 9_500, 2_000, vs, fields=fields, peers_field=fields[0], rounds=3,
                 quick_rounds=1)


def subscribers(name: str, ours: Call, vs: dict[str, Versus]) -> Bench:
    return Bench(name, "events/s", ours, 150 * STEP, 100 * STEP, vs, fields=("conflated",), callgrind_count=10 * STEP,
                 multiple=STEP)


def with_one_stalled(program: str) -> dict[str, Versus]:
    return {"with_one_stalled": Versus(Call(program, more=("stalled",)))}


def beast_requests(*more: str) -> dict[str, Versus]:
    return {"beast_request_loop": Versus(Call("beast_request_loop", more=more))}


BENCHES = (
    feed("feed", READ_LOOP | {
        "node_ws": Versus(Call("node_ws", share=0.4)),
        "bun": Versus(Call("bun", share=0.6)),
        "go_gorilla": Versus(Call("go_gorilla", share=0.6)),
        "aiohttp": Versus(Call("aiohttp", share=0.1)),
    }),
    feed("feed_batch", READ_LOOP),
    feed("feed_callback", READ_LOOP),
    Bench("feed_skip", "messages/s", Call("feed_skip"), 400_000, 300_000,
          {"beast_read_loop": Versus(Call("beast_read_loop", more=("others",)))}, callgrind_count=40_000, multiple=1_000),
    feed("feed_eventsource", {
        "websocket_feed": Versus(Call("feed")),
        "npm_eventsource": Versus(Call("npm_eventsource", share=0.2)),
    }),
    feed("feed_tls", {"beast_read_loop": Versus(Call("beast_read_loop_tls", "tls"))}, "tls"),
    Bench("decode", "messages/s", Call("decode", "none"), 400_000, 300_000, READ_LOOP, callgrind_count=20_000),
    Bench("list", "requests/s", Call("list"), 20_000, 15_000, beast_requests() | {"libcurl": Versus(Call("libcurl"))},
          callgrind_count=2_000, on_one_core=True),
    Bench("cancel", "requests/s", Call("cancel"), 20_000, 15_000, beast_requests("cancel"), callgrind_count=2_000),
    Bench("list_1000", "requests/s", Call("list_1000"), 1_000, 500,
          beast_requests("list_1000") | {"decode": Versus(Call("decode_list", "none"))}, callgrind_count=20),
    Bench("in_flight_64", "requests/s", Call("in_flight_64"), 12_800, 6_400,
          {"one_at_a_time": Versus(Call("one_at_a_time", share=0.015), by_rate)}, rounds=5, multiple=64),
    Bench("latency", "ns", Call("latency"), 4_000, 2_000,
          {p: Versus(Call("beast_latency"), times_as_long(p + "_ns", p + "_ns")) for p in ("p50", "p99")},
          value="p50_ns", fields=("p50_ns", "p99_ns"), rounds=5),
    idle("idle_feeds"),
    idle("idle_feeds_tls", "tls", ("tls",)),
    subscribers("subscribers_1000", Call("subscribers_1000"), with_one_stalled("subscribers_1000")),
    subscribers("subscribers_1000_next", Call("subscribers_1000", more=("next",)), {}),
    subscribers("subscribers_1000_callback", Call("subscribers_1000_callback"), with_one_stalled("subscribers_1000_callback")),
    Bench("slow_reader", "events/s", Call("slow_reader"), 400_000, 300_000, READ_LOOP,
          fields=("conflated", "pending", "kib_growth"), callgrind_count=20_000, multiple=10_000),
    Bench("soak", "events/s", Call("soak"), 10_000_000, 2_000_000,
          fields=("conflated", "growth", "kib_at_tenth", "kib_at_end"), rounds=1, quick_rounds=1),
    Bench("include_cost", "s", Call("include_cost", "none"), 5, 3,
          {"awaitable": Versus(Call("include_cost", "none"), times_as_long("seconds", "awaitable_seconds"))},
          value="seconds", fields=("seconds",), rounds=1, quick_rounds=1),
    Bench("build_cost", "s", Call("build_cost", "none"), 1, 1, value="seconds",
          fields=("seconds", "mib_largest_unit", "largest_unit"), rounds=1, quick_rounds=1,
          tested=Call("build_cost", "none", ("CMakeFiles/plex_core.dir/src/sync/merge.cpp.o",))),
)
