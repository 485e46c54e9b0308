#!/usr/bin/env python3
"""A Plex server that shares no code with this project: what both sides of the project's own tests believe of the wire
might be wrong in the same way. It knows the activity list, its cancelling, and the feed over a WebSocket; its event
stream brings pings alone (docs/protocol.md).

    foreign_server.py [--token T] [--port P]                       prints its URL, plays a scan to whoever listens
    foreign_server.py [--token T] [--port P] --running UUID=PROGRESS...     ... and has these activities, no scan
    foreign_server.py [--token T] [--port P] --calls               ... and does what it is asked for, no scan

Tests run it in a thread of theirs (ForeignServer) and script it, or as a process that they can kill."""

import argparse
import asyncio
import queue
import struct
import threading

from aiohttp import WSMsgType, web

UNAUTHORIZED = "<html><head><title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>"


def scan_events(uuid="7251fc2d", updates=40):
    """The life of a section scan; its Context comes late."""
    scan = {"uuid": uuid, "type": "library.update.section", "cancellable": False, "userID": 1,
            "title": "Scanning", "subtitle": "", "progress": 0}
    yield "started", dict(scan)
    scan.update(title="Scanning Movies", Context={"librarySectionID": "3"})
    for i in range(updates):
        scan.update(subtitle=f"Film {i:03} (1984)", progress=i * 100 // updates)
        yield "updated", dict(scan)
    scan.update(progress=100)
    yield "ended", dict(scan)


def notification(event, activity):
    entry = {"event": event, "uuid": activity["uuid"], "Activity": activity}
    return {"NotificationContainer": {"type": "activity", "size": 1, "ActivityNotification": [entry]}}


class ForeignServer:
    def __init__(self, token="", port=0, tls=None):
        self.token = token
        self.port = port
        self.activities = {}
        self.requests = []  # "METHOD /path?query", as they came
        self.got_token = []  # the paths of those that had one
        self.tls = tls  # an ssl.SSLContext
        self.refuse_with = None  # a status for everything
        self.actions = {}  # "METHOD /path": a coroutine function that acts, and may give headers for its 200
        self.refuse_path = {}  # path -> status
        self.never_answers = None  # a path
        self.unanswered = queue.Queue()  # such requests
        self.refusal = "<h1>no</h1>"
        self.list_is_xml = False
        self.answers_pings = True  # of WebSockets
        self.ping_every = 0.05  # seconds between an event stream's pings; None sends none
        self.ends_feeds = False  # as soon as they are open
        self.scan_on_list = False  # play a scan when a listener has asked for the list
        self.machine = "foreign-machine"
        self.pace = 0.005  # seconds between a scan's events
        self.closed_with = queue.Queue()  # the close codes that listeners sent
        self.listeners = []
        self.registering = asyncio.Lock()
        self.playing = []
        self.loop = asyncio.new_event_loop()
        self.url = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    # for tests, from their own thread

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self.call(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    async def tell(self, event, activity):
        for listener in list(self.listeners):
            await listener[0].send_json(notification(event, activity))

    async def tell_bytes(self, payload):
        """A text message with any bytes at all, which aiohttp would refuse to send."""
        size = len(payload)
        header = bytes([0x81, size]) if size < 126 else struct.pack("!BBH", 0x81, 126, size)
        for _, request in self.listeners:
            request.transport.write(header + payload)

    async def drop_listeners(self):
        for _, request in list(self.listeners):
            if request.transport:  # not gone already
                request.transport.abort()

    # the server

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._start())
        self._ready.set()
        self.loop.run_forever()

    async def _start(self):
        app = web.Application(middlewares=[self._gate])
        app.router.add_get("/activities", self._list)
        app.router.add_delete("/activities/{uuid}", self._cancel)
        app.router.add_get("/identity", self._identity)
        app.router.add_get("/:/websockets/notifications", self._feed)
        app.router.add_get("/:/eventsource/notifications", self._event_stream)
        app.router.add_route("*", "/{any:.*}", self._act)
        self.stopping = asyncio.Event()
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.tls)
        await site.start()
        scheme = "https" if self.tls else "http"
        self.url = "%s://127.0.0.1:%d" % (scheme, site._server.sockets[0].getsockname()[1])

    async def _stop(self):
        for task in self.playing:
            task.cancel()
        self.stopping.set()
        await self.drop_listeners()
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @web.middleware
    async def _gate(self, request, handler):
        self.requests.append(f"{request.method} {request.raw_path}")
        if "X-Plex-Token" in request.headers:
            self.got_token.append(request.path)
        if request.path == self.never_answers:
            self.unanswered.put(request.path)
            await self.stopping.wait()
        refusal = self.refuse_with or self.refuse_path.get(request.path)
        if refusal:
            return web.Response(status=refusal, text=self.refusal, content_type="text/html")
        if "X-Plex-Client-Identifier" not in request.headers:
            return web.json_response({"errors": [{"code": 1000, "message": "X-Plex-Client-Identifier is missing",
                                                  "status": 400}]}, status=400)
        if self.token and request.headers.get("X-Plex-Token") != self.token:
            return web.Response(status=401, text=UNAUTHORIZED, content_type="text/html")
        return await handler(request)

    async def _list(self, request):
        if self.list_is_xml or "application/json" not in request.headers.get("Accept", ""):
            return web.Response(text='<?xml version="1.0"?><MediaContainer size="0"/>', content_type="application/xml")
        async with self.registering:  # who asks for the list after the upgrade is a listener by then
            pass
        container = {"size": len(self.activities)}
        if self.activities:
            container["Activity"] = list(self.activities.values())
        if self.scan_on_list and self.listeners:
            self.scan_on_list = False
            self.playing.append(self.loop.create_task(self._play()))
        return web.json_response({"MediaContainer": container})

    async def _identity(self, request):
        return web.json_response({"MediaContainer": {"size": 0, "claimed": True, "machineIdentifier": self.machine,
                                                     "version": "1.41.0"}})

    async def _play(self):
        for event, activity in scan_events():
            if event == "ended":
                self.activities.pop(activity["uuid"], None)
            else:
                self.activities[activity["uuid"]] = activity
            await self.tell(event, activity)
            await asyncio.sleep(self.pace)

    async def _cancel(self, request):
        activity = self.activities.get(request.match_info["uuid"])
        if activity is None:
            return web.Response(status=404, text="<h1>404 Not Found</h1>", content_type="text/html")
        if not activity.get("cancellable"):
            return web.Response(status=400, text="<h1>400 Bad Request</h1>", content_type="text/html")
        del self.activities[activity["uuid"]]
        self.loop.create_task(self.tell("ended", activity))
        return web.Response(text="", content_type="text/html")

    async def _act(self, request):
        action = self.actions.get(f"{request.method} {request.path}")
        if action is None:
            return web.Response(status=404, text="<h1>404 Not Found</h1>", content_type="text/html")
        return web.Response(text="", content_type="text/html", headers=await action())

    def take_calls(self):
        """Some requests that start activities, and some that stop them (docs/protocol.md 1.2, 1.4)."""
        scan = {"uuid": "scan-3", "type": "library.update.section", "cancellable": False, "title": "Scanning"}
        named = dict(scan, Context={"librarySectionID": "3"})
        other = dict(scan, uuid="scan-4", Context={"librarySectionID": "4"})
        subscriptions = {"uuid": "subscriptions", "type": "provider.subscriptions.process", "cancellable": True}
        guide = {"uuid": "guide", "type": "provider.epg.load", "progress": -1}

        async def name_it():
            await asyncio.sleep(0.05)
            if "scan-3" in self.activities:
                await self.changes(named)

        async def refresh():
            if "scan-3" not in self.activities:  # a scan asked for during a scan has none of its own
                await self.starts(other)
                await self.starts(scan)
                self.playing.append(self.loop.create_task(name_it()))

        async def stop_refresh():
            if "scan-3" in self.activities:
                await self.ends(named)

        async def process():
            await self.starts(subscriptions)
            return {"X-Plex-Activity": "subscriptions"}

        async def reload():
            await self.starts(guide)
            await self.ends(guide)
            return {"x-plex-activity": "guide"}

        async def nothing():
            return {"X-Plex-Activity": "nowhere"}

        self.actions = {"GET /library/sections/3/refresh": refresh, "DELETE /library/sections/3/refresh": stop_refresh,
                        "POST /media/subscriptions/process": process, "POST /livetv/dvrs/5/reloadGuide": reload,
                        "POST /media/grabbers/devices/7/scan": nothing}

    async def starts(self, activity):
        self.activities[activity["uuid"]] = activity
        await self.tell("started", activity)

    async def changes(self, activity):
        self.activities[activity["uuid"]] = activity
        await self.tell("updated", activity)

    async def ends(self, activity):
        self.activities.pop(activity["uuid"], None)
        await self.tell("ended", activity)

    async def _feed(self, request):
        if request.query.get("filters") != "activity":
            return web.Response(status=400)
        socket = web.WebSocketResponse(autoping=self.answers_pings)
        listener = (socket, request)
        async with self.registering:
            await socket.prepare(request)
            if self.ends_feeds:
                await socket.close(code=1008)
                return socket
            self.listeners.append(listener)
        try:
            async for message in socket:
                if message.type == WSMsgType.ERROR:
                    break
            self.closed_with.put(socket.close_code)
        except ConnectionResetError:  # dropped while it was to answer a ping
            pass
        finally:
            self.listeners.remove(listener)
        return socket

    async def _event_stream(self, request):
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        try:
            while not self.ends_feeds and not self.stopping.is_set():
                if self.ping_every:
                    await stream.write(b"event: ping\ndata: {}\n\n")
                try:
                    await asyncio.wait_for(self.stopping.wait(), self.ping_every)
                except asyncio.TimeoutError:
                    pass
        except ConnectionResetError:  # nobody listens any more
            pass
        return stream


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--token", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--running", nargs="+", metavar="UUID=PROGRESS")
    parser.add_argument("--calls", action="store_true")
    arguments = parser.parse_args()
    server = ForeignServer(arguments.token, arguments.port)
    server.scan_on_list = not arguments.running and not arguments.calls
    if arguments.calls:
        server.take_calls()
    server.pace = 0.1
    for uuid, progress in (each.split("=") for each in arguments.running or []):
        server.activities[uuid] = {"uuid": uuid, "type": "media.download", "cancellable": True, "userID": 1,
                                   "title": "Converting", "subtitle": "", "progress": int(progress)}
    with server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
