#!/usr/bin/env python3
"""Figures of plex-relay on this machine, for docs/scale.md; nothing is asserted.

    relay_figures.py PATH-OF-plex-relay PATH-OF-fleet PATH-OF-plex-activities [SERVERS [UPDATES-A-SECOND...]]
"""

import os
import re
import signal
import subprocess
import sys
import time

from relay_case import Fleet, RelayCase  # takes the programs off the arguments

SECONDS = 15
TICK = os.sysconf("SC_CLK_TCK")


def cpu(process):
    with open("/proc/%d/stat" % process.process.pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(process):
    with open("/proc/%d/status" % process.process.pid, encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) / 1024


class Figures(RelayCase):
    def runTest(self):
        pass

    def until(self, holds, limit=300):
        return super().until(holds, limit)

    def feeds(self, servers, rate):
        fleet = Fleet(self, servers, rate=rate)
        relay = self.start_relay("a", self.configure(fleet.urls, lease_seconds=10))
        began = time.monotonic()
        self.until_all_are_led(servers)
        led_after = time.monotonic() - began
        time.sleep(3)
        client = self.redis.client
        before = client.xlen("{plex}:events"), cpu(relay), cpu(self.redis.process), cpu(fleet.process), time.monotonic()
        time.sleep(SECONDS)
        after = client.xlen("{plex}:events"), cpu(relay), cpu(self.redis.process), cpu(fleet.process), time.monotonic()
        entries, relay_cpu, redis_cpu, fleet_cpu, seconds = (b - a for a, b in zip(before, after))
        late = sorted(int(number.split("-")[0]) - int(entry["at"])
                      for number, entry in client.xrevrange("{plex}:events", count=10_000) if entry["inferred"] == "0")
        memory = client.memory_usage("{plex}:events", samples=0) / client.xlen("{plex}:events")
        print("%d servers, each %d updates/s while it scans: %.0f entries/s into Redis; of a core: relay %.0f %% (%.1f us an entry),"
              " Redis %.0f %%, the servers %.0f %%; relay %.0f MiB resident; written after %d ms (median), %d ms (99 %%);"
              " %.0f bytes of Redis an entry; all followed and led after %.0f s"
              % (servers, rate, entries / seconds, 100 * relay_cpu / seconds, 1e6 * relay_cpu / entries,
                 100 * redis_cpu / seconds, 100 * fleet_cpu / seconds, resident(relay), late[len(late) // 2],
                 late[len(late) * 99 // 100], memory, led_after), flush=True)
        fleet.let_end()
        time.sleep(7)  # the longest scan, and more
        before = cpu(relay), cpu(self.redis.process)
        time.sleep(SECONDS)
        after = cpu(relay), cpu(self.redis.process)
        print("   and idle: of a core: relay %.1f %%, Redis %.1f %%; relay %.0f MiB resident"
              % (*(100 * (b - a) / SECONDS for a, b in zip(before, after)), resident(relay)))
        print("   " + " ".join(re.findall(r"not written.*|gone.*", relay.log())[:3]))
        relay.send(signal.SIGTERM)
        relay.process.wait()
        fleet.process.end()
        client.flushall()

    def plain_xadd(self):
        """What Redis takes of entries as long, from one connection that does nothing else."""
        activity = '{"uuid":"7251fc2d-86f2-44d1-84d6-3a31f5d0f0a1","type":"library.update.section","title":"Scanning Movies",' \
                   '"subtitle":"Film 17","cancellable":false,"progress":50,"userID":1,"Context":{"librarySectionID":"3"}}'
        words = ["XADD", "s", "MAXLEN", "~", "1000000", "*", "server", "s17", "machine", "7251fc2d-86f2-44d1-84d6-3a31f5d0f0a1",
                 "uuid", "7251fc2d-86f2-44d1-84d6-3a31f5d0f0a1", "life", "1", "seq", "17", "event", "updated", "inferred", "0",
                 "at", "1796122702951", "activity", activity]
        for pipeline in (1, 64):
            done = subprocess.run(["redis-benchmark", "-s", self.redis.path, "-c", "1", "-P", str(pipeline), "-n",
                                   "20000" if pipeline == 1 else "300000", "-q", *words], capture_output=True, text=True, check=True)
            print("redis-benchmark, %d at once: %s" % (pipeline, done.stdout.replace("\r", "\n").strip().splitlines()[-1][-60:]))
        self.redis.client.flushall()


def main():
    figures = Figures()
    figures.setUp()
    try:
        figures.plain_xadd()
        servers = int(sys.argv[1]) if len(sys.argv) > 1 else 500
        for rate in [int(n) for n in sys.argv[2:]] or [10, 50]:
            figures.feeds(servers, rate)
    finally:
        figures.doCleanups()


if __name__ == "__main__":
    main()
