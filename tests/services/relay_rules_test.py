#!/usr/bin/env python3
"""plex-relay by itself: what it writes, what it keeps in Redis, and what it says."""

import json
import os
import shutil
import signal
import subprocess
import time

import redis
from relay_case import COMMAND, RELAY, SOURCE, Process, RelayCase, main

from foreign_server import ForeignServer
from stand_ins import Certificate, piped, readme_configuration


def scan(uuid, progress=0):
    return {"uuid": uuid, "type": "library.update.section", "cancellable": False, "userID": 1, "title": "Scanning Movies",
            "subtitle": "", "progress": progress, "Context": {"librarySectionID": "3"}}


class OneRelay(RelayCase):
    def setUp(self):
        super().setUp()
        self.server = ForeignServer("let-me-in").__enter__()
        self.addCleanup(lambda: self.server.__exit__())
        self.secret("token", "let-me-in")

    def configure_servers(self, servers, **section):
        section.setdefault("redis", "unix:" + self.redis.path)
        section.setdefault("lease_seconds", 1)
        section.setdefault("listen", "127.0.0.1:0")
        return self.folder.file("config.json", json.dumps({"servers": servers, "relay": section}))

    def here(self, **more):
        return {"name": "s0", "url": self.server.url, "token_file": "token", **more}

    def start(self, **section):
        config = self.configure_servers([self.here()], **section)
        relay = self.start_relay("a", config)
        self.until_all_are_led(1)
        return relay

    def starts(self, activity):
        self.server.activities[activity["uuid"]] = activity
        self.server.call(self.server.tell("started", activity))

    def ends(self, activity):
        del self.server.activities[activity["uuid"]]
        self.server.call(self.server.tell("ended", activity))

    def entries(self, count):
        return self.until(lambda: len(self.reader.read()) >= count and self.reader.entries)

    def key(self, name):
        return "{plex}:server:s0:" + name

    def test_an_entry_says_which_server_machine_uuid_life_and_event_it_is_of_and_has_the_activity(self):
        self.start()
        self.starts(scan("one", 5))
        self.ends(scan("one", 100))
        first, last = self.entries(2)
        self.assertEqual(set(first), {"server", "machine", "uuid", "life", "seq", "event", "inferred", "at", "activity"})
        self.assertEqual({k: first[k] for k in ("server", "machine", "uuid", "life", "seq", "event", "inferred")},
                         {"server": "s0", "machine": "foreign-machine", "uuid": "one", "life": "1", "seq": "1",
                          "event": "started", "inferred": "0"})
        self.assertEqual(json.loads(first["activity"]), scan("one", 5))
        self.assertEqual((last["event"], last["seq"], json.loads(last["activity"])["progress"]), ("ended", "2", 100))

    def test_the_live_set_has_what_runs_and_nothing_else(self):
        self.start()
        self.starts(scan("one", 5))
        self.starts(scan("two", 6))
        self.ends(scan("one"))
        self.entries(3)
        live = self.redis.client.hgetall(self.key("live"))
        self.assertEqual(list(live), ["two"])
        life, seq, text = live["two"].split(" ", 2)
        self.assertEqual((life, seq, json.loads(text)), ("1", "1", scan("two", 6)))

    def test_scripts_that_redis_has_forgotten_are_taught_again(self):
        self.start()
        self.redis.client.script_flush()
        self.starts(scan("one"))
        self.entries(1)

    def test_an_outage_of_redis_is_no_refusal_and_it_is_well_afterwards(self):
        port = self.free_port()
        relay = self.start(listen="127.0.0.1:%d" % port)
        self.redis.process.send(signal.SIGSTOP)
        self.starts(scan("one"))
        self.until(lambda: "Redis has gone: no answer in time" in relay.log())
        self.redis.process.send(signal.SIGCONT)
        self.entries(1)
        self.until(lambda: self.ask(port, "/healthz")[0] == 200)
        self.assertNotIn("Redis refuses", relay.log())

    def test_sigterm_ends_it_while_redis_hangs(self):
        relay = self.start(lease_seconds=3600)
        self.redis.process.send(signal.SIGSTOP)
        relay.send(signal.SIGTERM)
        self.assertEqual(relay.process.wait(20), 0)
        self.redis.process.send(signal.SIGCONT)

    def test_another_database_of_redis_takes_a_restart(self):
        relay = self.start_relay("a", self.configure_servers([self.here()], redis="redis://127.0.0.1:1/0"))
        self.until(lambda: "connecting to Redis" in relay.log())
        self.configure_servers([self.here()], redis="redis://127.0.0.1:1/3")
        relay.send(signal.SIGHUP)
        self.until(lambda: 'only "password_file" may change without a restart' in relay.log())

    def test_who_loses_the_server_alone_gives_it_to_the_other_who_follows_it(self):
        port = self.free_port()
        path = self.folder.file("haproxy.cfg", "defaults\n mode tcp\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n"
                                "listen s\n bind 127.0.0.1:%d\n server s 127.0.0.1:%s\n" % (port, self.server.url.rsplit(":", 1)[1]))
        program = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
        between = Process(self, "haproxy", [program, "-db", "-f", path], stdout=subprocess.DEVNULL)
        self.start_relay("a", self.configure_servers([self.here(url="http://127.0.0.1:%d" % port)]), followers=2)
        self.until_all_are_led(1)
        os.rename(os.path.join(self.folder.path, "config.json"), os.path.join(self.folder.path, "of-a.json"))
        self.start_relay("b", self.configure_servers([self.here()]), followers=2)
        self.until(lambda: len(self.server.listeners) == 2)
        self.starts(scan("one"))
        self.entries(1)
        self.assertEqual(self.leaders(1), [self.id_of("a")])
        between.end()
        self.until(lambda: len(self.server.listeners) == 1)
        self.starts(scan("two"))
        self.ends(scan("one"))
        self.until(lambda: self.leaders(1) == [self.id_of("b")])
        self.until(lambda: len(self.reader.read()) >= 3)
        self.assertEqual(sorted((e["uuid"], e["seq"], e["event"]) for e in self.reader.entries),
                         [("one", "1", "started"), ("one", "2", "ended"), ("two", "1", "started")])

    def test_what_vanished_between_two_relays_is_told_as_ended_inferred(self):
        first = self.start()
        self.starts(scan("stays"))
        self.starts(scan("goes", 40))
        self.entries(2)
        first.send(signal.SIGKILL)
        first.process.wait()
        del self.server.activities["goes"]
        self.relays.clear()
        self.start()
        entries = self.entries(3)
        self.assertEqual([(e["uuid"], e["life"], e["seq"], e["event"], e["inferred"]) for e in entries[2:]],
                         [("goes", "1", "2", "ended", "1")])

    def test_another_machine_under_the_same_name_begins_anew(self):
        self.start()
        self.starts(scan("old"))
        self.entries(1)
        self.server.machine = "another-machine"
        self.server.activities = {"new": scan("new")}
        self.server.call(self.server.drop_listeners())
        self.entries(2)
        new = self.reader.entries[-1]
        self.assertEqual((new["machine"], new["uuid"], new["event"]), ("another-machine", "new", "started"))
        self.until(lambda: list(self.redis.client.hgetall(self.key("live"))) == ["new"])
        self.assertEqual([e["machine"] for e in self.reader.read() if e["uuid"] == "old"], ["foreign-machine"])

    def test_another_machine_found_by_a_later_relay_begins_anew(self):
        first = self.start()
        self.starts(scan("old"))
        self.entries(1)
        first.send(signal.SIGKILL)
        first.process.wait()
        self.server.machine = "another-machine"
        self.server.activities = {"new": scan("new")}
        self.relays.clear()
        self.start()
        self.entries(2)
        self.until(lambda: list(self.redis.client.hgetall(self.key("live"))) == ["new"])
        self.assertEqual([(e["machine"], e["uuid"], e["event"]) for e in self.reader.read()],
                         [("foreign-machine", "old", "started"), ("another-machine", "new", "started")])

    def test_a_write_under_a_lease_that_is_not_held_any_more_is_refused(self):
        self.start(lease_seconds=3600)
        self.redis.client.set(self.key("lease"), "somebody:9")
        self.starts(scan("one"))
        self.until(lambda: int(self.redis.client.info("commandstats")["cmdstat_evalsha"]["calls"]) > 1 and
                   self.redis.client.xlen("{plex}:events") == 0 and
                   self.redis.client.get(self.key("lease")) == "somebody:9")
        self.assertEqual(self.reader.read(), [])

    def test_a_server_that_refuses_is_told_of_and_holds_up_no_other(self):
        config = self.configure_servers([self.here(), {"name": "s1", "url": self.server.url}])
        self.start_relay("a", config)
        self.until_all_are_led(1)
        self.starts(scan("one"))
        self.entries(1)
        self.assertIn("s1: ", self.until(lambda: [line for line in self.relays["a"].log().splitlines()
                                                   if line.startswith("<3>s1: ") and "401" in line])[0])
        self.assertIsNone(self.redis.client.get("{plex}:server:s1:lease"))

    def test_the_stream_keeps_to_its_length_and_it_is_said_that_old_entries_go(self):
        self.start(max_length=1000)
        for i in range(1200):
            self.starts(scan("u%d" % i))
            self.ends(scan("u%d" % i))
        self.until(lambda: self.redis.client.xinfo_stream("{plex}:events")["entries-added"] >= 2400)
        self.assertLess(self.redis.client.xlen("{plex}:events"), 1200)
        self.until(lambda: "old entries have gone" in self.relays["a"].log())

    def test_sigterm_gives_the_leases_back_and_ends_it(self):
        relay = self.start(lease_seconds=3600)
        relay.send(signal.SIGTERM)
        self.assertEqual(relay.process.wait(10), 0)
        self.assertEqual(self.redis.client.zcard("{plex}:relays"), 0)
        self.until(lambda: self.redis.client.get(self.key("lease")) is None)

    def test_what_happened_until_sigterm_is_written(self):
        relay = self.start()
        for i in range(50):
            self.starts(scan("u%d" % i))
        self.until(lambda: self.redis.client.xlen("{plex}:events") > 0)
        relay.send(signal.SIGTERM)
        relay.process.wait(10)
        self.assertEqual(len(self.reader.read()), len(self.redis.client.hgetall(self.key("live"))))

    def test_sighup_takes_servers_in_and_out(self):
        relay = self.start()
        other = ForeignServer("let-me-in").__enter__()
        self.addCleanup(lambda: other.__exit__())
        self.configure_servers([self.here(), self.here(name="s1", url=other.url)])
        relay.send(signal.SIGHUP)
        self.until_all_are_led(2)
        self.configure_servers([self.here(name="s1", url=other.url)])
        relay.send(signal.SIGHUP)
        self.until(lambda: self.leaders(2)[0] is None)
        self.assertIsNotNone(self.leaders(2)[1])

    def test_redis_with_a_password_is_signed_in_to_and_a_wrong_one_is_told_without_it(self):
        self.redis.client.config_set("requirepass", "s3cret-of-redis")
        self.redis.client = redis.Redis(unix_socket_path=self.redis.path, decode_responses=True, password="s3cret-of-redis")
        self.secret("password", "wr0ng")
        config = self.configure_servers([self.here()], password_file="password")
        relay = self.start_relay("a", config)
        self.until(lambda: "WRONGPASS" in relay.log() or "invalid" in relay.log())
        self.assertNotIn("wr0ng", relay.log())
        self.secret("password", "s3cret-of-redis")
        relay.send(signal.SIGHUP)
        self.until_all_are_led(1)
        self.assertNotIn("s3cret-of-redis", relay.log())

    def test_redis_that_is_not_there_is_told_and_found_later(self):
        self.redis.stop()
        relay = self.start_relay("a", self.configure_servers([self.here()]))
        self.until(lambda: "connecting to Redis at " + self.redis.path in relay.log())
        self.redis.start()
        self.until_all_are_led(1)

    def test_healthz_is_503_while_redis_is_away_and_metrics_are_as_the_chapter_has_them(self):
        port = self.free_port()
        self.start(listen="127.0.0.1:%d" % port)
        self.starts(scan("one"))
        self.until(lambda: "\nplex_relay_entries_written_total 1\n" in self.ask(port, "/metrics")[1])
        metrics = self.ask(port, "/metrics")[1]
        for line in ("plex_relay_redis_connected 1", "plex_relay_relays 1", "plex_relay_servers_followed 1",
                     "plex_relay_servers_written 1", "plex_relay_waiting_lives 0",
                     'plex_activities_running{server="s0",type="library.update.section"} 1'):
            self.assertIn("\n%s\n" % line, metrics)
        self.assert_explained(metrics, "plex_relay_")
        self.assertEqual(self.ask(port, "/healthz")[0], 200)
        self.redis.stop()
        self.until(lambda: self.ask(port, "/healthz")[0] == 503)
        self.assertIn("Redis at " + self.redis.path + " is away", self.ask(port, "/healthz")[1])
        self.until(lambda: "\nplex_relay_redis_connected 0\n" in self.ask(port, "/metrics")[1])

    def test_an_entry_that_was_written_is_not_written_again(self):
        with open(os.path.join(SOURCE, "tools", "relay", "lua", "write.lua"), encoding="utf-8") as file:
            script = file.read()
        client = self.redis.client
        client.set("lease", "me:1")

        def write(*entries):
            words = [word for life, seq, kind in entries
                     for word in ("u", life, seq, kind, "%d %d {}" % (life, seq), 2, "uuid", "u")]
            return client.eval(script, 5, "lease", "stream", "live", "ended", "ended_at", "me:1", 1000, 1000, *words)
        first, second, last = (1, 1, "started"), (1, 2, "updated"), (1, 3, "ended")
        self.assertEqual(write(first, second), [2, 0])
        self.assertEqual(write(first, second), [0, 0])
        self.assertEqual(write(second, last), [1, 0])
        self.assertEqual(write(last), [0, 0])
        self.assertEqual(write(second), [0, 0])
        self.assertEqual(write((2, 1, "started")), [1, 0])
        self.assertEqual(write(last), [0, 0])
        self.assertEqual((client.xlen("stream"), client.hgetall("live")), (4, {"u": "2 1 {}"}))
        client.set("lease", "somebody:2")
        with self.assertRaisesRegex(redis.exceptions.ResponseError, "FENCED"):
            write((2, 2, "updated"))

    def test_first_dials_are_spread(self):
        def dialled():
            return sum("websockets" in asked for asked in self.server.requests)
        self.start_relay("a", self.configure_servers([self.here(name="s%d" % i) for i in range(40)]))
        self.until(dialled)
        began = time.monotonic()
        self.until(lambda: dialled() == 40)
        self.assertGreater(time.monotonic() - began, 0.4)  # fifty a second

    def test_what_redis_refuses_is_told_and_written_later(self):
        self.start()
        self.redis.client.config_set("maxmemory", "1")
        self.starts(scan("one"))
        self.until(lambda: "Redis refuses what is to be written: OOM" in self.relays["a"].log())
        self.redis.client.config_set("maxmemory", "0")
        self.entries(1)

    def test_a_section_that_makes_no_sense_is_refused_with_its_place(self):
        for section, told in (({"redis": "http://a"}, "relay.redis: has to be"),
                              ({"redis": "redis://:pw@a"}, "relay.redis: has a password in it"),
                              ({"prefix": "{a}"}, "relay.prefix: has braces"),
                              ({"max_length": 1}, "relay.max_length: has to be a whole number from 1000"),
                              ({"lease": 3}, "relay.lease: is not known here")):
            relay = self.start_relay("refused", self.configure_servers([self.here()], **section))
            self.assertEqual(relay.process.wait(10), 2)
            self.assertIn(told, relay.log())

    def test_one_command_writes_what_the_demo_does(self):
        """As README has it."""
        demo = Process(self, "demo", [COMMAND, "demo", "--serve"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        url = demo.process.stdout.readline().decode().strip()
        config = {**readme_configuration("plex-relay", url), "relay": {"redis": "unix:" + self.redis.path, "listen": "127.0.0.1:0"}}
        with piped(json.dumps(config)) as configuration:
            self.start_relay("a", "/dev/stdin", stdin=configuration)
        self.until(lambda: [e for e in self.reader.read() if e["event"] == "ended" and "Scanning Movies" in e["activity"]])

    def test_the_example_of_the_guide_is_read(self):
        with open(os.path.join(SOURCE, "packaging", "systemd", "relay.json"), encoding="utf-8") as file:
            config = json.load(file)
        for server in config["servers"]:
            server["url"] = "http://127.0.0.1:1"  # it may look nobody up
        config["relay"]["redis"] = "redis://relay@127.0.0.1:1/0"
        config["relay"]["listen"] = "127.0.0.1:0"
        for name in ("cabin-token", "redis-password"):
            self.secret(name, "secret-of-the-test")
        with Certificate("DNS:cabin.example") as certificate:
            shutil.copy(certificate.pem, os.path.join(self.folder.path, "cabin-ca.pem"))
        relay = self.start_relay("a", self.folder.file("config.json", json.dumps(config)))
        self.until(lambda: "connecting to Redis at 127.0.0.1:1: " in relay.log())

    def test_followers_are_one_to_five(self):
        for words, status in ((["--help"], 0), (["--version"], 0), (["--followers", "0", "--config", "x"], 2), ([], 2)):
            done = subprocess.run([RELAY, *words], capture_output=True, timeout=20, check=False)
            self.assertEqual(done.returncode, status, done)


if __name__ == "__main__":
    main()
