"""What the tests of plex-dashboard share. Each file is run as `FILE_test.py PATH-OF-plex-dashboard PATH-OF-plex-activities`."""

import http.client
import json
import os
import re
import socket
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "command"))

import command_case  # noqa: E402
from command_case import TOKEN, CommandCase  # noqa: E402
from foreign_server import ForeignServer  # noqa: E402
from stand_ins import Certificate, Folder, Nginx  # noqa: E402, F401

COMMAND = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
CANCEL_TOKEN = "let-me-cancel-0123456789"
main = command_case.main


def activity(uuid, progress=10, title="Converting", cancellable=True, **more):
    return {"uuid": uuid, "type": "media.download", "cancellable": cancellable, "userID": 1, "title": title,
            "subtitle": "", "progress": progress, **more}


class DashboardCase(CommandCase):
    """With a folder for the configuration. Everything it starts is gone when the test ends."""

    def setUp(self):
        self.folder = Folder()
        self.enter(self.folder)
        self.secret_file("cancel-token", CANCEL_TOKEN)
        self.secret_file("token", TOKEN)

    def enter(self, manager):
        manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return manager

    def secret_file(self, name, content):
        path = self.folder.file(name, content)
        os.chmod(path, stat.S_IRUSR | stat.S_IWUSR)
        return path

    def foreign_server(self, **running):
        """A server that shares no code with the project, with these activities and their progress."""
        server = ForeignServer(TOKEN)
        for uuid, progress in running.items():
            server.activities[uuid] = activity(uuid, progress)
        return self.enter(server)

    def configure(self, servers, **section):
        """servers: name -> URL."""
        section.setdefault("listen", "127.0.0.1:0")
        section.setdefault("cancel_token_file", "cancel-token")
        config = {"servers": [{"name": name, "url": url, "token_file": "token"} for name, url in servers.items()],
                  "dashboard": {name: value for name, value in section.items() if value is not None}}
        return self.folder.file("config.json", json.dumps(config))

    def serve(self, servers, **section):
        """The dashboard, running, and where its page is."""
        return self.serve_with(self.configure(servers, **section))

    def serve_with(self, path, **options):
        with open(os.path.join(self.folder.path, "log"), "wb") as log:
            process = self.start("--config", path, stderr=log, **options)
        return process, self.page_of(process)

    def log(self):
        with open(os.path.join(self.folder.path, "log"), encoding="utf-8") as file:
            return file.read()

    def page_of(self, process):
        self.until(lambda: "the page is " in self.log() or process.poll() is not None)
        found = re.search(r"^<6>the page is (http://127\.0\.0\.1:(\d+))/$", self.log(), re.M)
        self.assertTrue(found, self.log())
        self.port = int(found[2])
        return found[1]

    def until(self, condition, what="what the test waits for"):
        """Looks again until it is so. The command's watchdog ends what would never come."""
        end = time.monotonic() + command_case.LIMIT
        while not condition():
            self.assertLess(time.monotonic(), end, f"{what} did not come")
            time.sleep(0.02)

    def terminate(self, process):
        process.terminate()
        out = process.stdout.read()
        self.assertEqual((process.wait(command_case.LIMIT), out), (0, b""), self.log())
        self.assertNotIn(TOKEN, self.log())
        self.assertNotIn(CANCEL_TOKEN, self.log())

    # a client of the page

    def ask(self, method, target, body=None, headers=None, host=None):
        """Its status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=command_case.LIMIT)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            if host != "":
                connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body.encode() if body is not None else None)
            reply = connection.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read().decode()
        finally:
            connection.close()

    def cancel(self, server, uuid, token=CANCEL_TOKEN, **headers):
        sent = {"Content-Type": "application/json"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        sent = {name: value for name, value in sent.items() if value is not None}
        return self.ask("POST", "/cancel", json.dumps({"server": server, "uuid": uuid}), sent)


class EventStream:
    """A reader of /events, and what it knows by now, as dashboard.js does it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=command_case.LIMIT)
        self.socket.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        self.unread = b""
        self.head = self._until(b"\r\n\r\n").decode()
        self.servers, self.running, self.ended = {}, {}, []
        self.messages = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _until(self, end):
        while end not in self.unread:
            got = self.socket.recv(1 << 16)
            if not got:
                raise EOFError(self.unread)
            self.unread += got
        piece, self.unread = self.unread.split(end, 1)
        return piece

    def take(self):
        """The next message."""
        while True:
            piece = self._until(b"\n\n")
            if TOKEN.encode() in piece or CANCEL_TOKEN.encode() in piece:
                raise AssertionError(piece)
            if piece.startswith(b"data: "):
                break
        message = json.loads(piece[6:])
        self.messages += 1
        if message.get("anew"):
            self.servers, self.running, self.ended = {}, {}, []
            self.can_cancel = message["can_cancel"]
        for change in message["changes"]:
            if change["is"] == "server":
                self.servers[change["name"]] = change
            elif change["is"] == "running":
                self.running[change["uuid"]] = change
            else:
                self.running.pop(change["uuid"], None)
                self.ended.append(change)

    def until(self, condition):
        while not condition(self):
            self.take()
