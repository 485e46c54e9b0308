#!/usr/bin/env python3
"""plex-mqtt with a real mosquitto, as Home Assistant sees it. Run as `mqtt_test.py PATH-OF-plex-mqtt PATH-OF-plex-activities`."""

import datetime
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

import jsonschema
import paho.mqtt.client

from service_case import SOURCE, Process, ServiceCase

from foreign_server import ForeignServer
from stand_ins import Certificate, piped, readme_configuration

PROGRAM, COMMAND = sys.argv[1:3] if len(sys.argv) > 2 else (None, None)
HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = "xyzzy-S3CRET-token"
PASSWORD = "br0ker-S3CRET"
CABIN = "plex-activities/cabin/"
SCANS = CABIN + "library.update.section/3/"


def scan(uuid, progress=0, title="Scanning Movies", **more):
    return {"uuid": uuid, "type": "library.update.section", "cancellable": False, "userID": 1, "title": title,
            "subtitle": "", "progress": progress, "Context": {"librarySectionID": "3"}, **more}


class Mosquitto:
    """From the distribution, on a port that was free; it keeps nothing over a restart."""

    def __init__(self, case, extra="", address="127.0.0.1"):
        self.case, self.extra, self.address = case, extra, address
        with socket.create_server((address, 0)) as free:
            self.port = free.getsockname()[1]
        self.start()

    def start(self):
        config = self.case.folder.file("mosquitto.conf", "listener %d %s\nuser root\n%s\n" % (
            self.port, self.address, self.extra or "allow_anonymous true"))
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.process = Process(self.case, "mosquitto", [program, "-c", config])
        self.case.until(self.listens)

    def listens(self):
        try:
            socket.create_connection((self.address, self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.end()


class Home:
    """Home Assistant's part: it knows the last message of each topic."""

    def __init__(self, case, broker, configure=lambda client: None):
        self.topics, self.history = {}, []
        self.client = paho.mqtt.client.Client()
        configure(self.client)
        self.client.on_message = self._took
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        case.addCleanup(self.end)

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()

    def _took(self, _client, _data, message):
        payload = message.payload.decode()
        self.history.append((message.topic, payload))
        if payload:
            self.topics[message.topic] = payload
        else:
            self.topics.pop(message.topic, None)

    def say(self, topic, payload):
        self.client.publish(topic, payload, qos=1).wait_for_publish()

    def discovered(self):
        return {topic: json.loads(payload) for topic, payload in list(self.topics.items())
                if topic.startswith("homeassistant/") and topic.endswith("/config")}


class MqttCase(ServiceCase):
    def setUp(self):
        super().setUp()
        self.secret("token", TOKEN)
        self.secret("password", PASSWORD)
        self.server = ForeignServer(TOKEN).__enter__()
        self.addCleanup(lambda: self.server.__exit__())

    def state(self):
        log = self.service.log()[-3000:] if hasattr(self, "service") else ""
        return log + (json.dumps(self.home.topics, indent=1)[:6000] if hasattr(self, "home") else "")

    def configure(self, servers=None, **section):
        section.setdefault("listen", "127.0.0.1:0")
        servers = servers or [{"name": "cabin", "url": self.server.url, "token_file": "token"}]
        return self.folder.file("config.json", json.dumps({"servers": servers, "mqtt": section}))

    def start(self, config, **options):
        self.service = Process(self, "plex-mqtt", [PROGRAM, "--config", config], **options)
        return self.service

    def begin(self, **section):
        self.broker = Mosquitto(self)
        self.home = Home(self, self.broker)
        self.start(self.configure(broker="mqtt://127.0.0.1:%d" % self.broker.port, **section))
        self.until_available()

    def until_available(self):
        self.until(lambda: self.is_at("plex-activities/availability", "online") and self.is_at(CABIN + "availability", "online"))

    def is_at(self, topic, payload):
        return self.home.topics.get(topic) == payload

    def tell(self, event, activity):
        if event == "ended":
            self.server.activities.pop(activity["uuid"], None)
        else:
            self.server.activities[activity["uuid"]] = activity
        self.server.call(self.server.tell(event, activity))

    def assert_valid(self, discovered):
        with open(os.path.join(HERE, "home_assistant_schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        ids = set()
        for topic, config in discovered.items():
            found = re.fullmatch(r"homeassistant/(binary_sensor|sensor)/[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+/config", topic)
            self.assertTrue(found, topic)
            jsonschema.validate(config, {**schema[found[1]], "definitions": schema["definitions"]})
            self.assertNotIn(config["unique_id"], ids)
            ids.add(config["unique_id"])


class WithABroker(MqttCase):
    def test_a_scan_is_one_device_whose_discovery_is_as_documented(self):
        self.begin()
        for uuid in ("one", "two", "three"):
            self.tell("started", scan(uuid))
            self.tell("ended", scan(uuid, 100))
        self.until(lambda: SCANS + "finished" in self.home.topics and len(self.home.discovered()) == 3)
        discovered = self.home.discovered()
        self.assert_valid(discovered)
        self.assertEqual(len({json.dumps(config["device"]) for config in discovered.values()}), 1)
        self.assertEqual(sorted(config["state_topic"] for config in discovered.values()),
                         [SCANS + "finished", SCANS + "progress", SCANS + "running"])
        for config in discovered.values():
            self.assertEqual([place["topic"] for place in config["availability"]],
                             ["plex-activities/availability", CABIN + "availability"])
            self.assertEqual(config["device"]["name"], "cabin: Scanning Movies")

    def test_a_scan_is_on_moves_and_is_off_with_the_time_of_its_end(self):
        self.begin()
        self.tell("started", scan("one"))
        self.until(lambda: self.is_at(SCANS + "running", "ON"))
        self.tell("updated", scan("one", 40))
        self.until(lambda: self.is_at(SCANS + "progress", "40"))
        self.tell("ended", scan("one", 100))
        self.until(lambda: self.is_at(SCANS + "running", "OFF") and self.is_at(SCANS + "progress", "None"))
        at = datetime.datetime.fromisoformat(self.home.topics[SCANS + "finished"].replace("Z", "+00:00"))
        self.assertLess(abs((datetime.datetime.now(datetime.timezone.utc) - at).total_seconds()), 60)

    def test_progress_is_told_once_a_second_at_most_and_the_last_of_it_is_told(self):
        self.begin()
        began = time.monotonic()
        for progress in range(100):
            self.tell("started" if progress == 0 else "updated", scan("one", progress))
        self.until(lambda: self.is_at(SCANS + "progress", "99"))
        told = [payload for topic, payload in self.home.history if topic == SCANS + "progress"]
        self.assertLessEqual(len(told), 2 + time.monotonic() - began)

    def test_a_broker_that_was_restarted_and_has_forgotten_all_is_told_all(self):
        self.begin()
        self.tell("started", scan("one", 10))
        self.until(lambda: self.is_at(SCANS + "progress", "10"))
        before = dict(self.home.topics)
        self.broker.stop()
        self.home.end()
        self.tell("updated", scan("one", 20))
        self.broker.start()
        self.home = Home(self, self.broker)
        self.until(lambda: self.home.topics == {**before, SCANS + "progress": "20"})

    def test_a_broker_that_is_not_there_is_found_later(self):
        broker = Mosquitto(self)
        broker.stop()
        self.start(self.configure(broker="mqtt://127.0.0.1:%d" % broker.port))
        self.until(lambda: "<3>the broker mqtt://127.0.0.1:%d: " % broker.port in self.service.log())
        broker.start()
        self.home = Home(self, broker)
        self.until_available()

    def test_a_service_that_is_killed_is_said_to_be_offline_by_the_broker(self):
        self.begin()
        self.service.send(signal.SIGKILL)
        self.until(lambda: self.is_at("plex-activities/availability", "offline"))

    def test_a_service_that_is_told_to_end_says_so_and_exits_with_0(self):
        self.begin()
        self.tell("started", scan("one", 10))
        self.until(lambda: self.is_at(SCANS + "running", "ON"))
        self.service.send(signal.SIGTERM)
        self.assertEqual(self.service.process.wait(20), 0)
        self.until(lambda: self.is_at("plex-activities/availability", "offline"))
        # Else it would be available again with the service, though it may be configured no more.
        self.until(lambda: self.is_at(CABIN + "availability", "offline"))
        self.assertNotIn(TOKEN, self.service.log())

    def test_when_home_assistant_starts_all_is_published_again(self):
        self.begin()
        self.tell("started", scan("one", 10))
        self.until(lambda: self.is_at(SCANS + "progress", "10"))
        told = len(self.home.history)
        self.home.say("homeassistant/status", "online")
        wanted = set(self.home.topics) - {"homeassistant/status"}
        self.until(lambda: {topic for topic, _ in self.home.history[told:]} >= wanted)

    def test_a_server_that_goes_is_not_available_until_it_is_back(self):
        self.begin()
        self.server.call(self.server.drop_listeners())
        self.server.refuse_with = 503
        self.until(lambda: self.is_at(CABIN + "availability", "offline"))
        self.server.refuse_with = None
        self.until(lambda: self.is_at(CABIN + "availability", "online"), 60)

    def test_what_ended_while_the_service_was_away_is_off_when_it_is_back(self):
        self.begin()
        self.tell("started", scan("one", 10))
        self.until(lambda: self.is_at(SCANS + "running", "ON"))
        self.service.send(signal.SIGKILL)
        self.service.process.wait()
        self.server.activities.clear()
        self.start(os.path.join(self.folder.path, "config.json"))
        self.until(lambda: self.is_at(SCANS + "running", "OFF") and self.is_at(SCANS + "progress", "None"))

    def test_nothing_can_be_cancelled_unless_the_configuration_says_so(self):
        self.begin()
        self.tell("started", scan("one", cancellable=True))
        self.until(lambda: self.is_at(SCANS + "running", "ON"))
        self.home.say(CABIN + "cancel", "one")
        self.home.say("homeassistant/status", "online")  # told after that
        self.until(lambda: "Home Assistant has started" in self.service.log())
        self.assertEqual([asked for asked in self.server.requests if asked.startswith("DELETE")], [])

    def test_where_the_configuration_says_so_a_message_cancels(self):
        self.begin(cancel=True)
        self.tell("started", scan("one", cancellable=True))
        self.until(lambda: self.is_at(SCANS + "running", "ON"))
        self.home.say(CABIN + "cancel", "one")
        self.until(lambda: self.is_at(SCANS + "running", "OFF"))
        self.home.say(CABIN + "cancel", "../x\n\x1b[2J")
        self.until(lambda: "cancelling ../x" in self.service.log())
        self.assertNotIn("\x1b", self.service.log())

    def test_a_cancel_that_the_broker_kept_from_before_is_not_carried_out(self):
        broker = self.broker = Mosquitto(self)
        self.home = Home(self, broker)
        self.home.client.publish(CABIN + "cancel", "one", qos=1, retain=True).wait_for_publish()
        self.server.activities["one"] = scan("one", cancellable=True)
        self.start(self.configure(broker="mqtt://127.0.0.1:%d" % broker.port, cancel=True))
        self.until(lambda: self.is_at(SCANS + "running", "ON"))
        self.home.say("homeassistant/status", "online")
        self.until(lambda: "Home Assistant has started" in self.service.log())
        self.assertEqual([asked for asked in self.server.requests if asked.startswith("DELETE")], [])

    def test_a_hostile_title_is_text(self):
        self.begin()
        self.tell("started", scan("one", title="{{ states }}\x1b[2J\n<script>" + "x" * 5000))
        self.until(lambda: len(self.home.discovered()) == 3)
        self.assert_valid(self.home.discovered())
        for config in self.home.discovered().values():
            self.assertLess(len(config["device"]["name"]), 200)
            self.assertNotRegex(config["device"]["name"], "[\x00-\x1f\x7f]")

    def test_a_reload_takes_servers_in_and_out(self):
        self.begin()
        self.tell("started", scan("one"))
        self.until(lambda: self.is_at(SCANS + "running", "ON"))
        self.configure([{"name": "attic", "url": self.server.url, "token_file": "token"}],
                       broker="mqtt://127.0.0.1:%d" % self.broker.port)
        self.service.send(signal.SIGHUP)
        self.until(lambda: self.is_at("plex-activities/attic/library.update.section/3/running", "ON"))
        self.until(lambda: not [topic for topic in self.home.topics if "cabin" in topic])

    def test_metrics_and_healthz_tell_of_the_broker(self):
        self.broker = Mosquitto(self)
        port = self.free_port()
        self.home = Home(self, self.broker)
        self.start(self.configure(broker="mqtt://127.0.0.1:%d" % self.broker.port, listen="127.0.0.1:%d" % port))
        self.until_available()
        self.until(lambda: self.ask(port, "/healthz")[0] == 200)
        metrics = self.ask(port, "/metrics")[1]
        self.assertIn("\nplex_mqtt_connected 1\n", metrics)
        self.assert_explained(metrics, "plex_mqtt_")
        self.broker.stop()
        self.until(lambda: self.ask(port, "/healthz")[0] == 503)
        self.assertIn("the broker", self.ask(port, "/healthz")[1])
        self.assertIn("\nplex_mqtt_connected 0\n", self.ask(port, "/metrics")[1])


class WithTlsAndPassword(MqttCase):
    def setUp(self):
        super().setUp()
        self.certificate = Certificate("DNS:localhost,IP:127.0.0.1").__enter__()
        self.addCleanup(lambda: self.certificate.__exit__())
        passwords = os.path.join(self.folder.path, "passwords")
        program = shutil.which("mosquitto_passwd")
        subprocess.run([program, "-b", "-c", passwords, "plex", PASSWORD], check=True)
        self.extra = "allow_anonymous false\npassword_file %s\ncertfile %s\nkeyfile %s" % (
            passwords, self.certificate.pem, self.certificate.key)
        self.broker = Mosquitto(self, self.extra)
        shutil.copy(self.certificate.pem, os.path.join(self.folder.path, "ca.pem"))

    def told(self):
        return [line for line in self.service.log().splitlines() if line.startswith("<3>the broker ")][0]

    def section(self, **more):
        return {"broker": "mqtts://127.0.0.1:%d" % self.broker.port, "username": "plex", "password_file": "password",
                "ca_file": "ca.pem", **more}

    def test_a_broker_with_tls_and_a_password_is_signed_in_to(self):
        def configure(client):
            client.tls_set(self.certificate.pem)
            client.username_pw_set("plex", PASSWORD)
        self.home = Home(self, self.broker, configure)
        self.start(self.configure(**self.section()))
        self.until_available()
        self.assertNotIn(PASSWORD, self.service.log())

    def test_a_wrong_password_is_told_without_it_and_tried_again_slowly(self):
        self.secret("password", "wr0ng-S3CRET")
        self.start(self.configure(**self.section()))
        self.until(lambda: self.service.log().count("give username and password_file") +
                   self.service.log().count("does not know this username") >= 2)
        self.assertNotIn("wr0ng-S3CRET", self.service.log())

    def test_a_certificate_that_nobody_has_vouched_for_is_refused(self):
        other = Certificate("DNS:localhost,IP:127.0.0.1").__enter__()
        self.addCleanup(lambda: other.__exit__())
        shutil.copy(other.pem, os.path.join(self.folder.path, "ca.pem"))
        self.start(self.configure(**self.section()))
        self.until(lambda: "<3>the broker mqtts://" in self.service.log())
        self.assertIn("certificate", self.told())
        self.assertNotIn("takes what is published", self.service.log())

    def test_a_certificate_of_another_name_is_refused(self):
        elsewhere = Mosquitto(self, self.extra, "127.0.0.2")
        self.start(self.configure(**self.section(broker="mqtts://127.0.0.2:%d" % elsewhere.port)))
        self.until(lambda: "<3>the broker mqtts://" in self.service.log())
        self.assertIn("certificate", self.told())
        self.assertNotIn("takes what is published", self.service.log())


class AsAProgram(MqttCase):
    def test_a_section_that_makes_no_sense_is_refused_with_its_place(self):
        for section, told in (({"broker": "http://a"}, "mqtt.broker: has to be"),
                              ({"broker": "mqtt://u:p@a"}, "mqtt.broker: has a user in it"),
                              ({"prefix": "a/#"}, "mqtt.prefix: has to be"),
                              ({"cancel": 1}, "mqtt.cancel: has to be true or false"),
                              ({"topic": "x"}, "mqtt.topic: is not known here")):
            self.start(self.configure(**section))
            self.assertEqual(self.service.process.wait(20), 2)
            self.assertIn(told, self.service.log())

    def test_the_example_of_the_guide_is_read(self):
        with open(os.path.join(SOURCE, "packaging", "systemd", "mqtt.json"), encoding="utf-8") as file:
            config = json.load(file)
        config["servers"][0]["url"] = "http://127.0.0.1:1"  # it may look nobody up
        config["mqtt"]["broker"] = "mqtts://127.0.0.1:1"
        config["mqtt"]["listen"] = "127.0.0.1:0"
        self.secret("broker-password", PASSWORD)
        with Certificate("DNS:broker.example") as certificate:
            shutil.copy(certificate.pem, os.path.join(self.folder.path, "broker-ca.pem"))
        self.start(self.folder.file("config.json", json.dumps(config)))
        self.until(lambda: "<3>the broker mqtts://127.0.0.1:1: " in self.service.log())

    def test_one_command_shows_the_demo(self):
        """As README has it."""
        demo = Process(self, "demo", [COMMAND, "demo", "--serve"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        url = demo.process.stdout.readline().decode().strip()
        self.broker = Mosquitto(self)
        self.home = Home(self, self.broker)
        config = {**readme_configuration("plex-mqtt", url),
                  "mqtt": {"broker": "mqtt://127.0.0.1:%d" % self.broker.port, "listen": "127.0.0.1:0"}}
        with piped(json.dumps(config)) as configuration:
            self.start("/dev/stdin", stdin=configuration)
        self.until(lambda: [t for t, p in self.home.topics.items() if t.endswith("update.section/3/running") and p == "ON"])
        self.until(lambda: len(self.home.discovered()) >= 15)
        self.assert_valid(self.home.discovered())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
