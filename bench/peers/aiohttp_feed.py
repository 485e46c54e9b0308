"""A client on Python's aiohttp."""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, WSMsgType


@dataclass(slots=True)
class ActivityEvent:
    """One event as a client hands it to its user."""

    event: str
    uuid: str
    type: str
    title: str
    subtitle: str
    progress: int
    cancellable: bool
    user_id: int
    context: dict[str, Any] | None


def message_events(text: str) -> list[ActivityEvent]:
    """The events of a message (docs/protocol.md 2)."""
    container = json.loads(text)["NotificationContainer"]
    events = []
    for each in container.get("ActivityNotification", ()):
        activity = each["Activity"]
        events.append(
            ActivityEvent(
                event=each["event"],
                uuid=each["uuid"],
                type=activity["type"],
                title=activity["title"],
                subtitle=activity["subtitle"],
                progress=activity["progress"],
                cancellable=activity["cancellable"],
                user_id=activity["userID"],
                context=activity.get("Context"),
            )
        )
    return events


async def take(socket, wanted: int) -> None:
    taken = progress = 0
    while taken < wanted:
        message = await socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise RuntimeError(f"the server closed the feed: {message.type}")
        for event in message_events(message.data):
            progress += event.progress
            taken += 1
    if progress == 0:
        raise RuntimeError("these were not the server's events")


async def main(port: int, count: int, warm_up: int) -> None:
    url = f"http://127.0.0.1:{port}/:/websockets/notifications?filters=activity"
    async with ClientSession() as session, session.ws_connect(url) as socket:
        await take(socket, warm_up)
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        await take(socket, count)
        cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    line = {"program": "aiohttp", "count": count, "per_second": count * 1e9 / wall, "ns_each": cpu / count}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} PORT COUNT WARM_UP")
    asyncio.run(main(*map(int, sys.argv[1:])))
