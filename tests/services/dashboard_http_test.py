#!/usr/bin/env python3
"""plex-dashboard as anybody's HTTP client sees it, and as a service manager does."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import dashboard_case
from dashboard_case import CANCEL_TOKEN, TOKEN, Certificate, DashboardCase, EventStream, activity, command_case, main
from stand_ins import piped, readme_configuration

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
JSON = "application/json"


class Page(DashboardCase):
    def setUp(self):
        super().setUp()
        self.server = self.foreign_server(one=10)
        self.process, self.url = self.serve({"here": self.server.url})

    def test_every_reply_forbids_scripts_and_styles_of_others(self):
        for method, target in (("GET", "/"), ("GET", "/dashboard.js"), ("GET", "/dashboard.css"), ("GET", "/icon.svg"),
                               ("GET", "/healthz"), ("GET", "/metrics"), ("HEAD", "/"), ("GET", "/nothing"), ("POST", "/"), ("GET", "/cancel")):
            status, headers, _ = self.ask(method, target)
            policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
            self.assertEqual(policy, {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
                                      "img-src": "'self'", "connect-src": "'self'", "base-uri": "'none'",
                                      "form-action": "'none'", "frame-ancestors": "'none'"}, (method, target))
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")
            self.assertNotIn("Access-Control-Allow-Origin", headers)
        with EventStream(self.port) as stream:
            self.assertIn("Content-Security-Policy: default-src 'none';", stream.head)

    def test_the_page_names_no_other_host_and_has_no_inline_script_or_style(self):
        _, headers, page = self.ask("GET", "/")
        self.assertEqual(headers["Content-Type"], "text/html; charset=utf-8")
        script = self.ask("GET", "/dashboard.js")[2]
        style = self.ask("GET", "/dashboard.css")[2]
        for text in (page, script, style):
            self.assertNotIn("://", text)
        self.assertNotRegex(page, r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:")
        self.assertNotRegex(script, r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function")

    def test_methods_and_targets_that_are_not_there_are_refused(self):
        for method, target, wanted in (("POST", "/", 405), ("DELETE", "/events", 405), ("GET", "/cancel", 405),
                                       ("HEAD", "/icon.svg", 200), ("GET", "/../etc/passwd", 404), ("GET", "//", 404),
                                       ("GET", "/index.html", 404), ("GET", "/?x", 404), ("PUT", "/healthz", 405)):
            self.assertEqual(self.ask(method, target)[0], wanted, (method, target))

    def test_healthz_says_how_many_servers_are_live(self):
        with EventStream(self.port) as stream:
            stream.until(lambda s: s.servers.get("here", {}).get("state") == "reconciled")
        status, headers, body = self.ask("GET", "/healthz")
        self.assertEqual((status, headers["Content-Type"]), (200, JSON))
        self.assertEqual(json.loads(body), {"servers": 1, "live": 1, "running": 1})


class Strangers(DashboardCase):
    def setUp(self):
        super().setUp()
        self.server = self.foreign_server(one=10)
        self.process, self.url = self.serve({"here": self.server.url}, hosts=["plex.example"])
        self.stream = self.enter(EventStream(self.port))
        self.stream.until(lambda s: "one" in s.running)
        self.number = self.stream.servers["here"]["server"]

    def deletes(self):
        return [request for request in self.server.requests if request.startswith("DELETE")]

    def test_a_page_whose_name_was_made_to_resolve_to_us_gets_nothing(self):
        for host in ("evil.example", f"evil.example:{self.port}", f"127.0.0.1.evil.example:{self.port}", ""):
            for method, target in (("GET", "/"), ("GET", "/events"), ("GET", "/healthz"), ("GET", "/metrics"), ("POST", "/cancel")):
                status, _, body = self.ask(method, target, host=host)
                self.assertEqual(status, 403, (method, target, host))
                self.assertNotIn("Converting", body)
        for host in ("localhost", f"localhost:{self.port}", "plex.example", "[::1]:1"):
            self.assertEqual(self.ask("GET", "/", host=host)[0], 200, host)

    def test_another_page_of_the_same_browser_can_ask_for_nothing(self):
        for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "file://", f"http://localhost:{self.port}"):
            self.assertEqual(self.ask("GET", "/events", headers={"Origin": origin})[0], 403, origin)
            self.assertEqual(self.cancel(self.number, "one", Origin=origin)[0], 403, origin)
        # What a form of another page can send without asking first.
        for kind in (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            self.assertEqual(self.cancel(self.number, "one", Content_Type=kind)[0], 400, kind)
        self.assertEqual(self.ask("OPTIONS", "/cancel", headers={"Origin": "http://evil.example"})[0], 403)
        self.assertEqual(self.deletes(), [])
        self.assertEqual(self.ask("GET", "/", headers={"Origin": self.url})[0], 200)

    def test_nobody_cancels_without_the_token(self):
        for token in (None, "wrong", CANCEL_TOKEN + "x", CANCEL_TOKEN[:-1], TOKEN, ""):
            status, headers, body = self.cancel(self.number, "one", token)
            self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"), token)
            self.assertNotIn(CANCEL_TOKEN, body)
        self.assertEqual(self.deletes(), [])

    def test_whoever_has_the_token_cancels_what_is_shown_and_nothing_else(self):
        self.server.activities["stays"] = activity("stays", cancellable=False)
        self.server.call(self.server.tell("started", self.server.activities["stays"]))
        self.stream.until(lambda s: "stays" in s.running)
        for server, uuid in ((self.number + 1, "one"), (self.number, "two"), (self.number, "../identity"),
                             (self.number, "stays"), (0, "one")):
            self.assertEqual(self.cancel(server, uuid)[0], 404, uuid)
        for body in ("", "{}", "[]", '{"server":"1","uuid":"one"}', '{"server":1,"uuid":7}', '{"server":-1,"uuid":"one"}',
                     "[" * 1000):
            status, _, _ = self.ask("POST", "/cancel", body, {"Content-Type": JSON, "Authorization": f"Bearer {CANCEL_TOKEN}"})
            self.assertEqual(status, 400, body)
        self.assertEqual(self.deletes(), [])
        self.assertEqual(self.cancel(self.number, "one", Origin=self.url)[0], 200)
        self.assertEqual(self.deletes(), ["DELETE /activities/one"])
        self.stream.until(lambda s: "one" not in s.running)
        self.assertEqual([end["uuid"] for end in self.stream.ended], ["one"])

    def test_a_server_that_refuses_a_cancel_is_told_of_and_its_token_is_not(self):
        self.server.refusal = f"no {TOKEN}"
        self.server.refuse_path["/activities/one"] = 500
        status, _, body = self.cancel(self.number, "one")
        self.assertEqual(status, 502)
        self.assertIn("500", json.loads(body)["error"])
        self.assertNotIn(TOKEN, body)
        self.terminate(self.process)


class Limits(DashboardCase):
    def setUp(self):
        super().setUp()
        self.server = self.foreign_server()
        self.process, self.url = self.serve({"here": self.server.url})

    def test_a_long_head_and_a_long_body_are_refused(self):
        self.assertEqual(self.ask("GET", "/", headers={"X": "x" * 10000})[0], 431)
        self.assertEqual(self.ask("GET", "/" + "x" * 10000)[0], 431)
        self.assertEqual(self.ask("POST", "/cancel", "x" * 5000)[0], 413)

    def test_so_many_connections_are_open_at_once_and_no_more(self):
        taken = []
        self.addCleanup(lambda: [each.close() for each in taken])
        statuses = []
        for _ in range(300):
            taken.append(socket.create_connection(("127.0.0.1", self.port), timeout=command_case.LIMIT))
            taken[-1].sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            statuses.append(taken[-1].recv(12))
        self.assertEqual(statuses, [b"HTTP/1.1 200"] * 256 + [b"HTTP/1.1 503"] * 44)
        for each in taken:
            each.close()
        # Whoever waits gets in.
        self.until(lambda: self.ask("GET", "/")[0] == 200)

    def test_so_many_read_the_event_stream_and_the_page_is_still_served(self):
        with_stream = []
        self.addCleanup(lambda: [each.socket.close() for each in with_stream])
        for _ in range(200):
            with_stream.append(EventStream(self.port))
        self.assertEqual(self.ask("GET", "/events")[0], 503)
        self.assertEqual(self.ask("GET", "/")[0], 200)

    def test_a_request_that_never_ends_is_dropped(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=command_case.LIMIT) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
            self.assertEqual(slow.recv(1), b"")


class Many(DashboardCase):
    def test_a_reader_is_written_to_ten_times_a_second_at_most(self):
        server = self.foreign_server()
        self.serve({"here": server.url})
        stream = self.enter(EventStream(self.port))
        stream.until(lambda s: s.servers)

        async def play():
            await server.starts(activity("a", 0))
            for progress in range(1, 100):
                await server.changes(activity("a", progress))
                await asyncio.sleep(0.02)
            await server.ends(activity("a", 100))
        begin, before = time.monotonic(), stream.messages
        playing = asyncio.run_coroutine_threadsafe(play(), server.loop)
        stream.until(lambda s: s.ended)
        took = time.monotonic() - begin
        playing.result(command_case.LIMIT)
        # One at the beginning and one at the end lie outside of the tenths between them.
        self.assertLessEqual(stream.messages - before, took * 10 + 2)
        self.assertGreater(stream.messages - before, 1)

    def test_a_hundred_readers_of_200_activities_get_every_end_in_bounded_memory(self):
        server = self.foreign_server()
        process, _ = self.serve({"here": server.url})
        streams = [self.enter(EventStream(self.port)) for _ in range(100)]
        asleep = self.enter(EventStream(self.port))  # reads nothing more
        uuids = [f"a{i}" for i in range(200)]
        failed = []

        def read(stream):
            try:
                stream.until(lambda s: len(s.ended) == len(uuids))
            except Exception as e:  # told by the test's own thread
                failed.append(e)
        readers = [threading.Thread(target=read, args=(stream,)) for stream in streams]
        for reader in readers:
            reader.start()

        async def play():
            for uuid in uuids:
                await server.starts(activity(uuid, 0, title=f"Film {uuid} " + "x" * 200))
            for progress in range(1, 100):
                for uuid in uuids:
                    await server.changes(activity(uuid, progress, title=f"Film {uuid} " + "x" * 200))
            for uuid in uuids:
                await server.ends(activity(uuid, 100))
        began = time.monotonic()
        asyncio.run_coroutine_threadsafe(play(), server.loop).result(command_case.LIMIT * 4)
        for reader in readers:
            reader.join(command_case.LIMIT)
            self.assertFalse(reader.is_alive())
        self.assertEqual(failed, [])
        slept = time.monotonic() - began
        feeds = [asked for asked in server.requests if "notifications" in asked]
        self.assertEqual(len(feeds), 1, feeds)  # whatever the number of browsers
        for stream in streams:
            self.assertEqual(sorted(end["uuid"] for end in stream.ended), sorted(uuids))
            self.assertEqual(stream.running, {})
            self.assertGreater(stream.messages, 5)
            self.assertLess(stream.messages, 2000)  # of 20,200 events: told together
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        print(f"peak {peak / 1024:.0f} MiB; {streams[0].messages} messages of 20,200 events")
        if not self.instrumented():
            self.assertLess(peak, 64 << 10)
        try:
            asleep.until(lambda s: len(s.ended) == len(uuids))
        except EOFError:
            self.assertGreater(slept, 19)  # on a slow machine: who takes nothing for 20 s is dropped
        self.terminate(process)

    def instrumented(self):
        with open(command_case.PROGRAM, "rb") as file:
            program = file.read()
        return b"__asan_init" in program or b"__tsan_init" in program


class Service(DashboardCase):
    def socket(self):
        """A service manager's end of NOTIFY_SOCKET, and its environment."""
        path = os.path.join(self.folder.path, "notify")
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listening.close)
        listening.bind(path)
        listening.settimeout(command_case.LIMIT)
        return listening, self.environment(NOTIFY_SOCKET=path)

    def test_the_service_manager_hears_of_start_reload_and_end(self):
        manager, environment = self.socket()
        server = self.foreign_server()
        environment["WATCHDOG_USEC"] = "20000000"
        process, _ = self.serve_with(self.configure({"here": server.url}), env=environment)
        self.assertEqual(manager.recv(1000), b"READY=1\nSTATUS=1 servers, 0 browsers")
        self.assertEqual(manager.recv(1000), b"WATCHDOG=1")
        process.send_signal(signal.SIGHUP)
        self.assertRegex(manager.recv(1000), rb"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        self.assertTrue(manager.recv(1000).startswith(b"READY=1\n"))
        self.terminate(process)
        self.assertEqual(manager.recv(1000), b"STOPPING=1")

    def test_a_reload_adds_changes_and_removes_servers_and_leaves_the_others_alone(self):
        stays, goes, comes = self.foreign_server(one=1), self.foreign_server(two=2), self.foreign_server(three=3)
        process, _ = self.serve({"stays": stays.url, "goes": goes.url}, cancel_token_file=None)
        with EventStream(self.port) as stream:
            stream.until(lambda s: {"one", "two"} <= s.running.keys())
            self.assertFalse(stream.can_cancel)
            self.configure({"comes": comes.url, "stays": stays.url})
            process.send_signal(signal.SIGHUP)
            stream.until(lambda s: {"one", "three"} == s.running.keys())
            self.assertEqual(stream.servers.keys(), {"comes", "stays"})
            self.assertTrue(stream.can_cancel)
        feeds = [r for r in stays.requests if r.startswith("GET /:/websockets")]
        self.assertEqual(len(feeds), 1)
        self.until(lambda: not goes.listeners)
        self.terminate(process)

    def test_a_bad_file_is_refused_and_the_old_configuration_goes_on(self):
        server = self.foreign_server(one=1)
        process, _ = self.serve({"here": server.url})
        with EventStream(self.port) as stream:
            stream.until(lambda s: "one" in s.running)
            for number, bad in enumerate(("{", "{}", '{"servers": [{"url": "ftp://a"}]}', '{"servers": [{"url": "http://a:x"}]}',
                                          json.dumps({"servers": [{"url": server.url}], "dashboard": {"listen": "127.0.0.1:1"}}))):
                self.folder.file("config.json", bad)
                process.send_signal(signal.SIGHUP)
                self.until(lambda: self.log().count("<3>not reloaded, what was goes on: ") == number + 1)
            server.call(server.changes(activity("one", 55)))
            stream.until(lambda s: s.running["one"].get("progress") == 55)
        self.assertIn("dashboard.listen: has changed, which takes a restart", self.log())
        self.terminate(process)

    def test_what_it_cannot_start_with_is_one_line_and_its_status_tells_why(self):
        def fails(status, path, wanted):
            code, out, err = self.run_command("--config", path)
            self.assertEqual((code, out), (status, ""), err)
            self.assertRegex(err, wanted)
            self.assertEqual(err.count("\n"), 1, err)
        fails(2, os.path.join(self.folder.path, "nowhere.json"), "^<3>.*nowhere.json: cannot be opened: ")
        fails(2, self.folder.file("bad.json", "{"), "^<3>.*bad.json: line 1, column 2: this is no JSON")
        self.secret_file("short", "short")
        fails(2, self.configure({"a": "http://127.0.0.1:1"}, cancel_token_file="short"),
              "dashboard.cancel_token_file: .* openssl rand -hex 32")
        os.chmod(os.path.join(self.folder.path, "cancel-token"), 0o644)
        fails(2, self.configure({"a": "http://127.0.0.1:1"}), "cancel-token is open to others: chmod 600 it")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            fails(1, self.configure({"a": "http://127.0.0.1:1"}, listen=address, cancel_token_file=None),
                  f"cannot listen on {address}: ")
        code, out, err = self.run_command()
        self.assertEqual((code, out), (2, ""))
        self.assertRegex(err, "^plex-dashboard: .*--config.*\n$")

    def test_the_example_of_the_guide_is_read(self):
        with open(os.path.join(SOURCE, "packaging/systemd/config.json"), encoding="utf-8") as file:
            config = json.load(file)
        config["dashboard"]["listen"] = "127.0.0.1:0"
        for server in config["servers"]:
            server["url"] = "http://127.0.0.1:1"  # it may look nobody up
        self.secret_file("cabin-token", TOKEN)
        with Certificate("DNS:cabin.example") as certificate:
            shutil.copy(certificate.pem, os.path.join(self.folder.path, "cabin-ca.pem"))
        process, _ = self.serve_with(self.folder.file("config.json", json.dumps(config)))
        self.assertEqual(self.ask("GET", "/", host="plex.home.example")[0], 200)
        self.terminate(process)

    def test_systemd_reads_the_unit_and_finds_little_that_it_may_do(self):
        for service in ("plex-dashboard", "plex-relay", "plex-mqtt"):
            with open(os.path.join(SOURCE, "packaging/systemd/%s.service.in" % service), encoding="utf-8") as file:
                unit = file.read()
            program = "@CMAKE_INSTALL_FULL_BINDIR@/" + service
            self.assertIn("ExecStart=%s --config " % program, unit)
            unit = unit.replace(program, command_case.PROGRAM)  # a program that is there
            unit = unit.replace("User=plex-activities", "User=daemon")  # who is there
            path = self.folder.file(service + ".service", unit)
            for tool in (["verify", "--man=no", path], ["security", "--offline=yes", "--threshold=20", path]):
                done = subprocess.run(["systemd-analyze", *tool], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                said = done.stdout.decode()
                self.assertEqual(done.returncode, 0, said)
                self.assertNotRegex(said, r"%s\.service:\d" % service)  # a line that it ignores

    def test_help_and_version(self):
        self.assertIn("--config FILE", self.assert_done(self.run_command("--help")))
        version = subprocess.run([dashboard_case.COMMAND, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertEqual(self.assert_done(self.run_command("--version")), version)

    def test_one_command_shows_the_demo(self):
        """As README has it."""
        demo = subprocess.Popen([dashboard_case.COMMAND, "demo", "--serve"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.addCleanup(demo.wait)
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.kill)
        url = demo.stdout.readline().decode().strip()
        config = json.dumps({**readme_configuration("plex-dashboard", url), "dashboard": {"listen": "127.0.0.1:0"}})
        with piped(config) as configuration:
            process, _ = self.serve_with("/dev/stdin", stdin=configuration)
        with EventStream(self.port) as stream:
            stream.until(lambda s: any(a["title"].startswith("Scanning") and a.get("progress", 0) > 5 for a in s.running.values()))
        self.terminate(process)

    def test_it_ends_cleanly_with_browsers_and_servers_connected(self):
        server = self.foreign_server(one=1)
        away = self.foreign_server()
        process, _ = self.serve({"here": server.url, "nowhere": "http://127.0.0.1:1", "there": away.url})
        streams = [self.enter(EventStream(self.port)) for _ in range(3)]
        for stream in streams:
            stream.until(lambda s: "one" in s.running)
        self.terminate(process)
        self.assertEqual(server.closed_with.get(timeout=command_case.LIMIT), 1000)


if __name__ == "__main__":
    main()
