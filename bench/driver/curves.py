"""What `--plot` measures beside the benches: how the figures go with the number of subscribers, and of feeds."""

from __future__ import annotations

from collections.abc import Iterator

from benches import Call
from measure import Amount, in_turns, say
from programs import Programs

SUBSCRIBERS = (1, 3, 10, 30, 100, 300, 1_000)
FEEDS = (500, 2_000, 5_000, 9_500)
DELIVERED = 800_000
"""To all subscribers together, about."""

DELIVERY = {"coroutines": "subscribers_1000", "callback": "subscribers_1000_callback"}
IDLE = {"plex-activities": "idle_feeds", "bare Beast": "beast_idle_feeds", "node ws": "node_ws_idle"}

Point = dict[str, str | float]


def measured(programs: Programs, amount: Amount) -> Iterator[Point]:
    """Lines of {"curve": …, "series": …, "x": …, "y": …}."""
    yield from _events_of_subscribers(programs, amount)
    yield from _memory_of_feeds(programs, amount)


def _events_of_subscribers(programs: Programs, amount: Amount) -> Iterator[Point]:
    for number in SUBSCRIBERS:
        say(f"curve: {number} subscribers")
        calls = {name: Call(program, more=(str(number),)) for name, program in DELIVERY.items()}
        # One subscriber's step is 8 events, and as much a step as 1,000 have.
        count = min(DELIVERED, 160_000 * number, amount.at_most or DELIVERED)
        figures = in_turns(programs, list(calls.values()), count, 1 if amount.at_most else 3)
        for name, call in calls.items():
            yield {"curve": "subscribers", "series": name, "x": number, "y": 1e9 / figures[call]["ns_each"]}


def _memory_of_feeds(programs: Programs, amount: Amount) -> Iterator[Point]:
    there = {name: Call(program) for name, program in IDLE.items() if programs.has(Call(program))}
    for number in dict.fromkeys(min(feeds, amount.at_most or feeds) for feeds in FEEDS):
        say(f"curve: {number} idle feeds")
        figures = in_turns(programs, list(there.values()), number, 1)
        for name, call in there.items():
            opened = figures[call]["count"]
            yield {"curve": "feeds", "series": name, "x": opened, "y": figures[call]["kib_per_feed"] * opened / 1024}
