"""What the tests of plex-relay share: a real Redis, servers that play scans and say what they played, any number of
relays, and a consumer group that reads what comes of it. Each file is run as
`FILE_test.py PATH-OF-plex-relay PATH-OF-fleet PATH-OF-plex-activities`."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

import redis

from service_case import SOURCE, Process, ServiceCase  # noqa: F401

RELAY = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
FLEET = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
COMMAND = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
LONG = "PLEX_TEST_LONG" in os.environ
LEASE = 2  # seconds


def main():
    unittest.main(verbosity=2)


class RedisServer:
    """redis-server from the distribution, on a socket in the test's folder; what it has outlives a restart."""

    def __init__(self, case):
        self.case = case
        self.path = os.path.join(case.folder.path, "redis.sock")
        self.program = shutil.which("redis-server")
        self.start()

    def start(self):
        self.process = Process(self.case, "redis", [
            self.program, "--port", "0", "--unixsocket", self.path, "--dir", self.case.folder.path, "--save", "",
            "--appendonly", "yes", "--appendfsync", "no", "--daemonize", "no"], stdout=subprocess.DEVNULL)
        self.client = redis.Redis(unix_socket_path=self.path, decode_responses=True)
        self.case.until(self.answers)

    def answers(self):
        try:
            return self.client.ping()
        except redis.exceptions.RedisError:
            return False

    def stop(self):
        self.process.end()


class Fleet:
    def __init__(self, case, count, seed=1, rate=10):
        self.process = Process(case, "fleet", [FLEET, str(count), str(seed), str(rate)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
        self.urls = self.process.process.stdout.readline().decode().split()
        self.lives = []  # (server, uuid, started, ended)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.process.stdout:
            server, uuid, started, ended = line.decode().split()
            self.lives.append((int(server), uuid, int(started) / 1000, int(ended) / 1000))

    def let_end(self):
        """What runs ends, nothing begins any more."""
        self.process.process.stdin.write(b"\n")
        self.process.process.stdin.flush()


class Elsewhere:
    """A network namespace: a host of its own, over a cable that can be cut. What listens here is reached there through
    haproxy."""

    def __init__(self, case, listening):
        """listening: ports and sockets' paths here. `ports` are those by which they are reached there, in order."""
        self.name = "plex-%d" % os.getpid()
        self.cable = "plex%d" % (os.getpid() % 100000)
        net = "10.%d.%d." % (100 + os.getpid() // 256 % 100, os.getpid() % 256)  # another's test has others
        self.ours, theirs = net + "1", net + "2"
        case.addCleanup(self.ip, "netns del " + self.name)  # and the cable with it
        self.ip("netns add " + self.name)
        self.ip("link add %s type veth peer name eth0 netns %s" % (self.cable, self.name))
        self.ip("addr add %s/30 dev %s" % (self.ours, self.cable))
        self.ip("link set %s up" % self.cable)
        self.ip("-n %s addr add %s/30 dev eth0" % (self.name, theirs))
        self.ip("-n %s link set eth0 up" % self.name)
        self.ip("-n %s link set lo up" % self.name)
        self.ports = [20000 + i for i in range(len(listening))]  # nobody else has that address
        proxies = "".join("listen p%d\n bind %s:%d\n server s %s\n" % (
            port, self.ours, port, where if isinstance(where, str) else "127.0.0.1:%d" % where)
            for port, where in zip(self.ports, listening))
        path = case.folder.file("haproxy.cfg", "defaults\n mode tcp\n timeout connect 5s\n timeout client 1h\n"
                                               " timeout server 1h\n" + proxies)
        program = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.proxy = Process(case, "haproxy", [program, "-db", "-f", path], stdout=subprocess.DEVNULL)
        case.until(self.is_reached)

    def is_reached(self):
        try:
            socket.create_connection((self.ours, self.ports[-1]), 1).close()
            return True
        except OSError:
            return False

    def ip(self, words):
        subprocess.run(["ip", *words.split()], check=True)

    def cut(self):
        self.ip("link set %s down" % self.cable)

    def mend(self):
        self.ip("link set %s up" % self.cable)

    def run(self):
        """What a program is begun with that is to run there."""
        return ["ip", "netns", "exec", self.name]


class Reader:
    """Two consumers of one group, who share what is in the stream."""

    def __init__(self, server, key="{plex}:events"):
        self.server, self.key = server, key
        self.entries = []
        self.per_consumer = {"one": 0, "two": 0}
        self.begun = False

    def read(self):
        client = self.server.client
        if not self.begun:
            client.xgroup_create(self.key, "readers", "0", mkstream=True)
            self.begun = True
        while True:
            got = 0
            for consumer in self.per_consumer:
                for _, batch in client.xreadgroup("readers", consumer, {self.key: ">"}, count=100):
                    for _, entry in batch:
                        self.entries.append(entry)
                    client.xack(self.key, "readers", *[number for number, _ in batch])
                    self.per_consumer[consumer] += len(batch)
                    got += len(batch)
            if not got:
                return self.entries


class RelayCase(ServiceCase):
    def setUp(self):
        super().setUp()
        self.redis = RedisServer(self)
        self.reader = Reader(self.redis)
        self.relays = {}

    def state(self):
        logs = "\n".join("== %s\n%s" % (name, r.log()[-3000:]) for name, r in self.relays.items())
        return "%s\nmissed: %s" % (logs, getattr(self, "last_missed", None))

    def logs_of_all(self):
        return [relay.log() for relay in self.relays.values()]

    def configure(self, urls, name="config.json", **section):
        section.setdefault("redis", "unix:" + self.redis.path)
        section.setdefault("lease_seconds", LEASE)
        section.setdefault("listen", "127.0.0.1:0")
        servers = [{"name": "s%d" % i, "url": url} for i, url in enumerate(urls)]
        return self.folder.file(name, json.dumps({"servers": servers, "relay": section}))

    def start_relay(self, name, config, followers=1, inside=(), **options):
        words = [*inside, RELAY, "--config", config, "--followers", str(followers)]
        self.relays[name] = Process(self, name, words, **options)
        return self.relays[name]

    def id_of(self, name):
        return self.until(lambda: [line.split(" is ")[1] for line in self.relays[name].log().splitlines()
                                   if "this relay is " in line])[0]

    def leaders(self, count):
        """By server, the ID of the relay that writes it; none where nobody does."""
        keys = ["{plex}:server:s%d:lease" % i for i in range(count)]
        return [lease.rsplit(":", 1)[0] if lease else None for lease in self.redis.client.mget(keys)]

    def until_all_are_led(self, count, by=None):
        """... by these relays alone."""
        allowed = [self.id_of(name) for name in by] if by else None
        return self.until(lambda: all(one and (not allowed or one in allowed) for one in self.leaders(count)) and
                          self.leaders(count))

    def lives(self):
        """What the group has read: (server, uuid, life) -> its entries. Holds the order of each life."""
        by_life = {}
        for entry in self.reader.read():
            by_life.setdefault((int(entry["server"][1:]), entry["uuid"], int(entry["life"])), []).append(entry)
        for life, entries in by_life.items():
            numbers = [int(entry["seq"]) for entry in entries]
            self.assertEqual(numbers, sorted(set(numbers)), (life, entries))
            self.assertEqual([entry["event"] for entry in entries[1:-1]].count("started"), 0, (life, entries))
            self.assertEqual([entry["event"] for entry in entries[:-1]].count("ended"), 0, (life, entries))
        return by_life

    def assert_whole(self, fleet, since, may_miss=()):
        """Each life of the fleet's that began after that is there, once, from `started` to `ended`; but those that lie
        within one of the times given may be missing altogether. Gives how many were missed."""
        fleet.let_end()
        self.until(lambda: not fleet_runs(self, fleet))
        played = {(server, uuid): (started, ended) for server, uuid, started, ended in fleet.lives if started > since}
        self.assertGreater(len(played), 20)

        def missed():
            seen = self.lives()
            return [life for life in played if (*life, 1) not in seen or
                    [seen[(*life, 1)][0]["event"], seen[(*life, 1)][-1]["event"]] != ["started", "ended"]]

        def excused(life):
            started, ended = played[life]
            return any(begin <= started and ended <= end for begin, end in may_miss)
        def inexcusable():
            self.last_missed = [(*life, *played[life], seen.get((*life, 1))) for seen in [self.lives()]
                                for life in missed() if not excused(life)]
            return self.last_missed
        self.until(lambda: not inexcusable())
        seen = self.lives()
        again = [life for life in seen if life[2] != 1]
        self.assertEqual(again, [], "a life was told twice")
        return len(missed())


def fleet_runs(case, fleet):
    """Whether anything of it runs still: nothing new has ended for longer than a scan takes."""
    count = len(fleet.lives)
    if getattr(fleet, "last_count", None) != count:
        fleet.last_count, fleet.last_change = count, time.monotonic()
    return time.monotonic() - fleet.last_change < 6
