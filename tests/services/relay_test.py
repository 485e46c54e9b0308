#!/usr/bin/env python3
"""plex-relay with a real Redis: what a consumer group reads is whole, whatever happens to relays and Redis."""

import os
import signal
import time

from relay_case import LEASE, LONG, Fleet, RelayCase, main

SERVERS = 30


class ThreeRelays(RelayCase):
    """... of which each server has two followers: nothing may be lost at all."""

    followers = 2

    def setUp(self):
        super().setUp()
        self.fleet = Fleet(self, SERVERS)
        config = self.configure(self.fleet.urls)
        for name in ("a", "b", "c"):
            self.start_relay(name, config, self.followers)
        self.until(lambda: self.redis.client.zcard("{plex}:relays") == 3)
        self.until_all_are_led(SERVERS)
        self.until(lambda: sum(log.count(": reconciled\n") for log in self.logs_of_all()) >= SERVERS * self.followers)
        self.since = time.time()

    def play(self, seconds):
        """What the fleet plays in about that time."""
        more = len(self.fleet.lives) + int(seconds * SERVERS / 4)
        self.until(lambda: len(self.fleet.lives) >= more)

    def test_a_relay_that_is_killed_leaves_no_gap(self):
        self.play(3)
        self.relays["a"].send(signal.SIGKILL)
        self.until_all_are_led(SERVERS, by=("b", "c"))
        self.play(3)
        self.assert_whole(self.fleet, self.since)

    def test_a_relay_that_was_stopped_for_longer_than_its_lease_writes_nothing_when_it_wakes(self):
        self.play(2)
        self.relays["a"].send(signal.SIGSTOP)
        self.until_all_are_led(SERVERS, by=("b", "c"))
        self.play(2)
        self.relays["a"].send(signal.SIGCONT)
        self.play(2 * LEASE)
        self.assert_whole(self.fleet, self.since)

    def test_redis_that_is_restarted_loses_nothing(self):
        self.play(2)
        self.redis.stop()
        self.play(2)
        self.redis.start()
        self.until_all_are_led(SERVERS)
        self.play(2)
        self.assert_whole(self.fleet, self.since)

    def test_redis_that_cannot_be_reached_for_a_while_loses_nothing(self):
        self.play(2)
        self.redis.process.send(signal.SIGSTOP)
        self.play(20 if LONG else 3 * LEASE)
        self.redis.process.send(signal.SIGCONT)
        self.until_all_are_led(SERVERS)
        self.play(2)
        self.assert_whole(self.fleet, self.since)


class OneFollower(ThreeRelays):
    followers = 1

    def test_a_relay_that_is_killed_leaves_no_gap(self):
        self.play(3)
        at = time.time()
        self.relays["a"].send(signal.SIGKILL)
        self.until_all_are_led(SERVERS, by=("b", "c"))
        over = time.time() + 1
        self.play(3)
        self.last_missed = (at, over)
        missed = self.assert_whole(self.fleet, self.since, may_miss=[(at - 1, over)])
        print("takeover %.1f s, %d lives shorter than that were missed" % (over - at, missed))


if __name__ == "__main__":
    main()
