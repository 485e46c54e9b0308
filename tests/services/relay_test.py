#!/usr/bin/env python3
"""plex-relay with a real Redis: what a consumer group reads is whole, whatever happens to relays and Redis."""

import signal
import time

from relay_case import LEASE, LONG, Elsewhere, Fleet, RelayCase, main

SERVERS = 30


class ThreeRelays(RelayCase):
    followers = 2

    def setUp(self):
        super().setUp()
        self.fleet = Fleet(self, SERVERS)
        config = self.configure(self.fleet.urls)
        self.start_first(config)
        for name in ("b", "c"):
            self.start_relay(name, config, self.followers)
        self.until(lambda: self.redis.client.zcard("{plex}:relays") == 3)
        self.until_all_are_led(SERVERS)
        self.until(lambda: sum(log.count(": reconciled\n") for log in self.logs_of_all()) >= SERVERS * self.followers)
        self.since = time.time()

    def start_first(self, config):
        self.start_relay("a", config, self.followers)

    def play(self, seconds):
        """What the fleet plays in about that time."""
        more = len(self.fleet.lives) + int(seconds * SERVERS / 4)
        self.until(lambda: len(self.fleet.lives) >= more)


class TwoFollowers(ThreeRelays):
    """Nothing may be lost at all."""

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
        back = time.monotonic() + (20 if LONG else 3 * LEASE)
        self.until(lambda: time.monotonic() > back)
        self.redis.process.send(signal.SIGCONT)
        self.until_all_are_led(SERVERS)
        self.play(2)
        self.assert_whole(self.fleet, self.since)


class OneFollower(ThreeRelays):
    followers = 1

    def test_with_one_follower_only_lives_shorter_than_the_takeover_are_missed(self):
        self.play(3)
        at = time.time()
        self.relays["a"].send(signal.SIGKILL)
        self.until_all_are_led(SERVERS, by=("b", "c"))
        over = time.time() + 1
        self.play(3)
        missed = self.assert_whole(self.fleet, self.since, may_miss=[(at - 1, over)])
        print("takeover %.1f s, %d lives shorter than that were missed" % (over - at, missed))

    def test_a_relay_that_was_stopped_misses_no_more_than_the_takeover(self):
        self.play(2)
        at = time.time()
        self.relays["a"].send(signal.SIGSTOP)
        self.until_all_are_led(SERVERS, by=("b", "c"))
        over = time.time() + 1
        self.relays["a"].send(signal.SIGCONT)
        self.play(2 * LEASE)
        self.assert_whole(self.fleet, self.since, may_miss=[(at - 1, over)])

    def test_redis_that_is_restarted_loses_nothing(self):
        self.play(2)
        self.redis.stop()
        self.play(2)
        self.redis.start()
        self.until_all_are_led(SERVERS)
        self.play(2)
        self.assert_whole(self.fleet, self.since)


class ARelayElsewhere(ThreeRelays):
    def start_first(self, _):
        ports = [int(url.rsplit(":", 1)[1]) for url in self.fleet.urls]
        self.elsewhere = Elsewhere(self, [*ports, self.redis.path])
        *urls, redis = ["%s:%d" % (self.elsewhere.ours, port) for port in self.elsewhere.ports]
        urls = ["http://" + url for url in urls]
        redis = "redis://" + redis
        self.start_relay("a", self.configure(urls, "elsewhere.json", redis=redis), self.followers, self.elsewhere.run())

    def test_a_relay_that_is_cut_off_leaves_no_gap_and_writes_nothing_when_it_is_back(self):
        self.play(2)
        self.elsewhere.cut()
        self.until_all_are_led(SERVERS, by=("b", "c"))
        self.play(2)
        self.elsewhere.mend()
        self.play(2 * LEASE)
        self.assert_whole(self.fleet, self.since)


if __name__ == "__main__":
    main()
