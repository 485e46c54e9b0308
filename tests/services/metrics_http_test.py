#!/usr/bin/env python3
"""What plex-dashboard tells Prometheus, and what is in the tree for Prometheus and Grafana to make of it."""

import json
import os
import re
import signal
import subprocess

from dashboard_case import TOKEN, DashboardCase, activity, command_case, main

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PROMETHEUS = os.path.join(SOURCE, "packaging", "prometheus")
OF_OTHERS = re.compile(r"^plex_(relay|mqtt)_")  # their own tests hold them to the chapter
ADDED_BY_PROMETHEUS = {"job", "instance", "up"}


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def alarm_expressions():
    return re.findall(r"^ +expr: (.*)$", read("packaging", "prometheus", "alerts.yml"), re.M)


def grafana():
    return json.loads(read("packaging", "grafana", "plex-activities.json"))


def grafana_expressions():
    """With what Grafana would put in the place of its variables."""
    return [re.sub(r"\$(job|server)\b", ".*", target["expr"]).replace("$__rate_interval", "5m")
            for panel in grafana()["panels"] for target in panel["targets"]]


class MetricsCase(DashboardCase):
    def promtool(self, *arguments, **options):
        done = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=command_case.LIMIT, **options)
        return done.returncode, done.stdout.decode()

    def metrics(self):
        """Each series with its value, by the series' text."""
        status, headers, body = self.ask("GET", "/metrics")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.text = body
        lines = [line for line in body.splitlines() if not line.startswith("#")]
        series = dict(line.rsplit(" ", 1) for line in lines)
        self.assertEqual(len(series), len(lines), "a series is told twice")
        return {name: float(value) for name, value in series.items()}

    def labels(self):
        """The labels of each series: name -> a list of label -> value."""
        found = {}
        for series in self.metrics():
            name, _, rest = series.partition("{")
            found.setdefault(name, []).append(dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', rest)))
        return found

    def serve_what_has_lived(self):
        """A dashboard that has seen all that it can tell of."""
        self.server = self.foreign_server(runs=10)
        self.process, self.url = self.serve({"here": self.server.url}, hosts=["plex.example", "192.0.2.1"])
        self.until(lambda: self.metrics().get('plex_feed_state{server="here",state="reconciled"}') == 1)
        for step in (self.server.starts, self.server.ends):
            self.server.call(step(activity("short", 100)))
        took = 'plex_activity_duration_seconds_count{server="here",type="media.download"}'
        self.until(lambda: self.metrics().get(took) == 1)


class Exposition(MetricsCase):
    def test_promtool_has_nothing_to_complain_of(self):
        self.serve_what_has_lived()
        self.metrics()
        self.assertEqual(self.promtool("check", "metrics", input=self.text.encode()), (0, ""), self.text)

    def test_a_hostile_server_cannot_break_it(self):
        server = self.foreign_server()
        for number, kind in enumerate(('a"} 1\nplex_evil 1\n', "nul\0nul", "\u202eturned", "back\\", "line\r\nbreak", "")):
            server.activities[str(number)] = activity(str(number), type=kind, title="A private title")
        self.serve({"here": server.url})
        self.until(lambda: sum(value for name, value in self.metrics().items()
                               if name.startswith("plex_activities_running")) >= 5)
        self.assertEqual(self.promtool("check", "metrics", input=self.text.encode()), (0, ""), self.text)
        self.assertNotIn("private", self.text)
        self.assertNotRegex(self.text, r"(?m)^plex_evil")

    def test_what_a_server_does_is_told(self):
        self.serve_what_has_lived()
        told = self.metrics()
        self.assertEqual(told['plex_activities_running{server="here",type="media.download"}'], 1)
        self.assertEqual(told['plex_activities_ended_total{server="here",type="media.download",inferred="false"}'], 1)
        self.assertEqual(told['plex_feed_state{server="here",state="reconciled"}'], 1)
        self.assertEqual(told['plex_feed_transport{server="here",transport="websocket"}'], 1)
        self.assertEqual(told['plex_feed_authorised{server="here"}'], 1)
        self.assertEqual(told['plex_feed_reconnects_total{server="here"}'], 0)
        for age in ("silent_seconds", "last_event_age_seconds", "last_snapshot_age_seconds"):
            self.assertLess(told['plex_feed_%s{server="here"}' % age], command_case.LIMIT)
        self.server.call(self.server.drop_listeners())
        self.until(lambda: self.metrics()['plex_feed_reconnects_total{server="here"}'] == 1)

    def test_a_server_that_a_reload_removes_is_told_of_no_more(self):
        stays, goes = self.foreign_server(one=1), self.foreign_server(two=2)
        process, _ = self.serve({"stays": stays.url, "goes": goes.url})
        running = 'plex_activities_running{server="%s",type="media.download"}'
        self.until(lambda: {running % "stays", running % "goes"} <= self.metrics().keys())
        self.configure({"stays": stays.url})
        process.send_signal(signal.SIGHUP)
        self.until(lambda: "reloaded" in self.log())
        self.assertIn(running % "stays", self.metrics())
        self.assertNotIn("goes", self.text)

    def test_prometheus_may_ask_by_the_names_that_are_configured(self):
        self.serve_what_has_lived()
        for host, wanted in (("plex.example:8484", 200), ("192.0.2.1:8484", 200), ("192.0.2.2:8484", 403), ("evil.example", 403)):
            self.assertEqual(self.ask("GET", "/metrics", host=host)[0], wanted, host)
        self.assertEqual(self.ask("POST", "/metrics")[0], 405)
        self.assertEqual(self.ask("HEAD", "/metrics")[::2], (200, ""))


class Health(MetricsCase):
    def health(self):
        status, headers, body = self.ask("GET", "/healthz")
        self.assertEqual((headers["Content-Type"], body.count("\n")), ("application/json", 1))
        self.assertNotIn(TOKEN, body)
        return status, json.loads(body)

    def test_healthz_is_503_with_the_reason_while_no_server_is_live(self):
        server = self.foreign_server(one=1)
        server.refuse_with = 401
        self.serve({"here": server.url})
        self.until(lambda: self.metrics().get('plex_feed_authorised{server="here"}') == 0)
        status, said = self.health()
        self.assertEqual((status, said["servers"], said["live"]), (503, 1, 0))
        self.assertRegex(said["reason"], r"^no server is live: here: ended: opening the feed at \S+ \(give a valid token\)$")

    def test_healthz_is_200_while_one_server_is_live(self):
        server = self.foreign_server(one=1)
        self.serve({"here": server.url, "nowhere": "http://127.0.0.1:1"})
        self.until(lambda: self.health()[0] == 200)
        self.assertEqual(self.health(), (200, {"servers": 2, "live": 1, "running": 1}))


class Tree(MetricsCase):
    def test_promtool_reads_the_configuration_and_the_alarms(self):
        status, said = self.promtool("check", "config", os.path.join(PROMETHEUS, "prometheus.yml"))
        self.assertEqual(status, 0, said)
        status, said = self.promtool("check", "rules", "--lint-fatal", os.path.join(PROMETHEUS, "alerts.yml"))
        self.assertEqual(status, 0, said)
        self.assertIn("%d rules found" % len(alarm_expressions()), said)

    def test_each_alarm_is_raised_by_what_it_is_for_and_by_nothing_less(self):
        status, said = self.promtool("test", "rules", "alerts_test.yml", cwd=PROMETHEUS)
        self.assertEqual(status, 0, said)
        tests = read("packaging", "prometheus", "alerts_test.yml")
        for name in re.findall(r"alert: (\w+)", read("packaging", "prometheus", "alerts.yml")):
            cases = re.findall(r"alertname: %s\n +exp_alerts:( \[\])?" % name, tests)
            self.assertIn("", cases, f"nothing shows that {name} is raised")
            self.assertIn(" []", cases, f"nothing shows that {name} is not raised")

    def test_promtool_reads_the_expressions_of_the_grafana_dashboard(self):
        rules = [{"record": f"panel:{i}", "expr": each} for i, each in enumerate(grafana_expressions())]
        self.assertGreater(len(rules), 10)
        path = self.folder.file("rules.yml", json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
        status, said = self.promtool("check", "rules", path)
        self.assertEqual(status, 0, said)

    def test_dashboard_and_alarms_ask_for_what_is_told_and_nothing_else(self):
        self.serve_what_has_lived()
        told = self.labels()
        asked_for = set()
        for each in alarm_expressions() + grafana_expressions():
            names = set(re.findall(r"\b(?:plex_\w+|up)\b", each))
            self.assertTrue(names, each)
            if any(OF_OTHERS.match(name) for name in names):
                self.assertLessEqual(names, self.of_others(), each)
                continue
            for name, matchers in re.findall(r"\b(plex_\w+)(\{[^}]*\})?", each):
                self.assertIn(name, told, each)
                exact = dict(re.findall(r'(\w+)="([^"]*)"', matchers))
                self.assertTrue(any(exact.items() <= series.items() for series in told[name]), (name, exact, each))
                asked_for.add(name)
            known = {label for name in names - {"up"} for series in told[name] for label in series} | ADDED_BY_PROMETHEUS
            for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", each) + re.findall(r"(\w+)=~", each):
                self.assertLessEqual(set(group.split(", ")), known, each)
        asked = " ".join(alarm_expressions() + grafana_expressions())
        self.assertEqual([name for name in self.of_others() if name not in asked], [])
        for panel in grafana()["panels"]:
            for target in panel["targets"]:
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    self.assertRegex(target["expr"] + " job server instance", r"\b%s\b" % label)
        # And what is told is shown.
        shown = {re.sub("_(bucket|sum|count)$", "", name) for name in asked_for}
        self.assertEqual(shown, {re.sub("_(bucket|sum|count)$", "", name) for name in told})

    def of_others(self):
        return {name for name in self.of_the_chapter() if OF_OTHERS.match(name)}

    def of_the_chapter(self):
        return set(re.findall(r"^\| `(plex_\w+)`", read("docs", "guide", "metrics.md"), re.M))

    def test_the_chapter_explains_each_metric_and_each_alarm(self):
        self.serve_what_has_lived()
        chapter = read("docs", "guide", "metrics.md")
        self.metrics()
        self.assertEqual(self.of_the_chapter() - self.of_others(), set(re.findall(r"^# TYPE (\w+) ", self.text, re.M)))
        alarms = set(re.findall(r"^\| `(Plex\w+)`", chapter, re.M))
        self.assertEqual(alarms, set(re.findall(r"alert: (\w+)", read("packaging", "prometheus", "alerts.yml"))))


if __name__ == "__main__":
    main()
