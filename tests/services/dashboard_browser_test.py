#!/usr/bin/env python3
"""The page of plex-dashboard in a real browser: headless Chromium, driven by Selenium, both Debian's.

PLEX_DASHBOARD_SCREENSHOT=docs/guide/dashboard.png has the picture of the guide made."""

import asyncio
import os
import shutil
import socket
import tempfile
import threading

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from dashboard_case import CANCEL_TOKEN, TOKEN, DashboardCase, EventStream, ForeignServer, Nginx, activity, command_case, main

SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=en-GB"]

# What a reader of the page sees, in one call.
PAGE = """
const text = (node, what) => { const n = node.querySelector(what); return n && n.checkVisibility() ? n.textContent : ''; };
return {
  summary: document.getElementById('summary').textContent,
  servers: [...document.querySelectorAll('.server')].map((s) => ({
    name: text(s, '.name'), state: text(s, '.state'), why: text(s, '.why'), nothing: text(s, '.nothing'),
    rows: [...s.querySelectorAll('.running li')].map((row) => ({
      title: text(row, '.title'), subtitle: text(row, '.subtitle'), percent: text(row, '.percent'), time: text(row, '.time'),
      bar: row.querySelector('progress').position < 0 ? null : row.querySelector('progress').value,
      cancel: text(row, '.cancel'), failed: text(row, '.failed')}))})),
  ended: [...document.querySelectorAll('#ended li')].map((end) => ({
    title: text(end, '.title'), subtitle: text(end, '.subtitle'), how: text(end, '.how')})),
  asking: document.getElementById('asking').open ? text(document, '#asking-what') : null,
  asking_failed: text(document, '#asking-failed'),
};"""

# The contrast of a node's text to what is behind it, as WCAG has it.
CONTRAST = """
const colour = (css) => css.match(/[\\d.]+/g).map(Number);
const light = (c) => {
  const [r, g, b] = c.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
return arguments[0].map((what) => {
  const node = document.querySelector(what);
  let behind = node;
  let ground;
  do {
    ground = colour(getComputedStyle(behind).backgroundColor);
    behind = behind.parentElement;
  } while (ground.length === 4 && ground[3] === 0 && behind);
  const [a, b] = [light(colour(getComputedStyle(node).color).slice(0, 3)), light(ground.slice(0, 3))];
  return [what, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)];
});"""


class Browser(DashboardCase):
    @classmethod
    def setUpClass(cls):
        cls.profile = tempfile.mkdtemp(prefix="plex-dashboard-browser-")
        cls.addClassCleanup(shutil.rmtree, cls.profile, ignore_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for switch in [*SWITCHES, f"--user-data-dir={cls.profile}"]:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        cls.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        cls.addClassCleanup(cls.driver.quit)

    def tearDown(self):
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        # What the page was not let do, by its own policy, and what its script threw.
        log = [entry["message"] for entry in self.driver.get_log("browser")]
        self.driver.get("about:blank")
        faults = [m for m in log if "Content Security Policy" in m or "Uncaught" in m or "TypeError" in m]
        self.assertEqual(faults, [])

    def show(self, servers, **section):
        self.process, self.url = self.serve(servers, **section)
        self.driver.get(self.url + "/")

    def page(self):
        return self.driver.execute_script(PAGE)

    def see(self, condition):
        """The page, once it is so."""
        seen = {}

        def look(_):
            seen["page"] = self.page()
            try:
                return condition(seen["page"])
            except IndexError:  # the server or row is not there yet
                return False
        try:
            WebDriverWait(self.driver, command_case.LIMIT, poll_frequency=0.03).until(look)
        except TimeoutException:
            self.fail(f"the page has not come to show what the test waits for, but {seen}")
        return seen["page"]

    def connections(self):
        """Those that are open to the dashboard, as the kernel tells."""
        with open("/proc/net/tcp", encoding="ascii") as file:
            sockets = [line.split() for line in list(file)[1:]]
        return [s[2] for s in sockets if s[1].endswith(":%04X" % self.port) and s[3] == "01"]

    def button(self, title):
        return self.driver.find_element(By.CSS_SELECTOR, f'.cancel[aria-label="Cancel {title}"]')

    def focus(self):
        return self.driver.execute_script("return document.activeElement.id || document.activeElement.getAttribute('aria-label')")

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()


def rows(page, title=None):
    return [row for s in page["servers"] for row in s["rows"] if title in (None, row["title"])]


class Live(Browser):
    def test_progress_moves_in_place_and_the_end_is_told_in_the_history(self):
        server = self.foreign_server()
        server.activities["one"] = activity("one", 10, "First")
        server.activities["two"] = activity("two", -1, "Second", cancellable=False)
        self.show({"here": server.url}, cancel_token_file=None)
        page = self.see(lambda p: len(rows(p)) == 2 and p["servers"][0]["state"] == "live")
        self.assertEqual([(r["title"], r["bar"], r["percent"], r["cancel"]) for r in rows(page)],
                         [("First", 10, "10 %", ""), ("Second", None, "", "")])
        self.assertEqual(page["summary"], "2 activities")
        self.assertEqual(page["ended"], [])
        node = self.driver.find_element(By.CSS_SELECTOR, ".running li")
        for progress in (11, 42, 99):
            server.call(server.changes(dict(activity("one", progress, "First"), subtitle=f"Film {progress}")))
            self.see(lambda p: rows(p, "First")[0]["bar"] == progress and rows(p, "First")[0]["subtitle"] == f"Film {progress}")
        self.assertTrue(node.is_displayed())  # it is the same one, and was not made anew
        server.call(server.ends(activity("one", 100, "First")))
        page = self.see(lambda p: p["ended"])
        self.assertEqual([r["title"] for r in rows(page)], ["Second"])
        self.assertEqual(page["ended"][0]["title"], "First")
        self.assertTrue(page["ended"][0]["how"].startswith("ended after"), page)
        server.call(server.ends(activity("two", -1, "Second")))
        page = self.see(lambda p: len(p["ended"]) == 2)
        self.assertEqual(page["servers"][0]["nothing"], "Nothing runs.")
        self.assertEqual(page["summary"], "0 activities")

    def test_a_restarted_server_is_shown_as_interrupted_and_comes_back(self):
        with socket.socket() as port:  # nobody else is given it meanwhile
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port.bind(("127.0.0.1", 0))
            number = port.getsockname()[1]
            before = ForeignServer(TOKEN, number)
            before.activities = {uuid: activity(uuid, 10, uuid) for uuid in ("stays", "vanishes")}
            with before:
                other = self.foreign_server(elsewhere=1)
                self.show({"restarts": before.url, "other": other.url})
                self.see(lambda p: {"stays", "vanishes"} <= {r["title"] for r in p["servers"][0]["rows"]})
            page = self.see(lambda p: p["servers"][0]["state"].startswith("interrupted, next try in "))
            self.assertIn(f"127.0.0.1:{number}", page["servers"][0]["why"])
            self.assertEqual(len(page["servers"][0]["rows"]), 2)  # they may run yet
            self.assertEqual(page["servers"][1]["state"], "live")
            self.assertTrue(page["summary"].endswith("1 of 2 servers live"), page)
            after = ForeignServer(TOKEN, number)
            after.activities = {"stays": activity("stays", 60, "stays"), "comes": activity("comes", 1, "comes")}
            with after:
                page = self.see(lambda p: p["servers"][0]["state"] == "live" and
                                {r["title"] for r in p["servers"][0]["rows"]} == {"stays", "comes"})
                self.assertEqual(page["servers"][0]["why"], "")
                self.assertEqual([(e["title"], e["how"].split()[0]) for e in page["ended"]], [("vanishes", "gone")])
                self.terminate(self.process)

    def test_a_page_that_is_not_seen_lets_go_of_its_connection_and_one_that_is_seen_again_has_all(self):
        server = self.foreign_server()
        server.activities["one"] = activity("one", 10, "First")
        self.show({"here": server.url})
        self.see(lambda p: rows(p, "First"))
        seen = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        self.until(lambda: not self.connections(), "the end of the hidden page's connections")
        server.call(server.changes(activity("one", 50, "First")))
        server.activities["two"] = activity("two", 1, "Second")
        server.call(server.starts(activity("two", 1, "Second")))
        self.driver.close()
        self.driver.switch_to.window(seen)
        self.see(lambda p: [(r["title"], r["bar"]) for r in rows(p)] == [("First", 50), ("Second", 1)])

    def test_behind_a_proxy_below_a_path_it_shows_what_runs_and_cancels(self):
        server = self.foreign_server()
        server.activities["one"] = activity("one", 10, "First")
        _, url = self.serve({"here": server.url})
        nginx = self.enter(Nginx(url + "/", locations={"/house/plex/": "proxy_set_header Host $http_host;"}))
        self.driver.get(nginx.url + "/house/plex/")
        self.see(lambda p: rows(p, "First") and p["servers"][0]["state"] == "live")
        server.call(server.changes(activity("one", 42, "First")))
        self.see(lambda p: rows(p, "First")[0]["bar"] == 42)
        self.button("First").click()
        self.see(lambda p: p["asking"])
        self.press(CANCEL_TOKEN, Keys.ENTER)
        self.see(lambda p: not rows(p) and p["ended"])
        self.assertNotIn("one", server.activities)

    def test_a_server_that_refuses_the_token_is_shown_with_the_reason(self):
        server = self.foreign_server()
        server.refuse_with = 401
        self.show({"here": server.url})
        page = self.see(lambda p: p["servers"] and p["servers"][0]["state"].startswith("refused, next try in "))
        self.assertIn("token", page["servers"][0]["why"])

    def test_the_page_comes_back_when_the_dashboard_was_restarted(self):
        server = self.foreign_server(one=10)
        with socket.socket() as port:
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port.bind(("127.0.0.1", 0))
            listen = "127.0.0.1:%d" % port.getsockname()[1]
            self.show({"here": server.url}, listen=listen)
            self.see(rows)
            self.process.kill()
            self.process.wait()
            self.see(lambda p: p["summary"].startswith("The dashboard cannot be reached"))
            server.call(server.ends(activity("one")))
            server.call(server.starts(activity("two", 20, "Second")))
            self.serve({"here": server.url}, listen=listen)
            self.see(lambda p: [r["title"] for r in rows(p)] == ["Second"])


class Cancel(Browser):
    def setUp(self):
        super().setUp()
        self.server = self.foreign_server()
        for number, uuid in enumerate(("one", "two", "three")):
            self.server.activities[uuid] = activity(uuid, number, uuid.title())
        self.server.activities["scan"] = activity("scan", 5, "Scanning", cancellable=False)

    def deletes(self):
        return [request for request in self.server.requests if request.startswith("DELETE")]

    def test_cancel_asks_for_the_token_once_and_cancels(self):
        self.show({"here": self.server.url})
        page = self.see(lambda p: len(rows(p)) == 4)
        self.assertEqual({r["title"]: r["cancel"] for r in rows(page)},
                         {"One": "Cancel", "Two": "Cancel", "Three": "Cancel", "Scanning": ""})
        self.button("Two").click()
        self.assertEqual(self.page()["asking"], "Two")
        self.press("not the token", Keys.ENTER)
        page = self.see(lambda p: p["asking_failed"])
        self.assertEqual(page["asking_failed"], "That is not the cancel token.")
        self.assertEqual(self.deletes(), [])
        self.press(CANCEL_TOKEN, Keys.ENTER)
        self.see(lambda p: not rows(p, "Two"))
        self.assertEqual(self.page()["ended"][0]["title"], "Two")
        self.button("Three").click()
        page = self.see(lambda p: not rows(p, "Three"))
        self.assertIsNone(page["asking"])
        self.assertEqual(self.deletes(), ["DELETE /activities/two", "DELETE /activities/three"])

    def test_a_cancel_that_fails_says_why_and_can_be_tried_again(self):
        self.show({"here": self.server.url})
        self.see(lambda p: len(rows(p)) == 4)
        self.server.refuse_path["/activities/one"] = 503
        self.button("One").click()
        self.press(CANCEL_TOKEN, Keys.ENTER)
        page = self.see(lambda p: rows(p, "One")[0]["failed"])
        self.assertIn("503", rows(page, "One")[0]["failed"])
        self.server.refuse_path.clear()
        self.button("One").click()
        self.see(lambda p: not rows(p, "One"))

    def test_without_a_token_in_the_configuration_there_are_no_buttons(self):
        self.show({"here": self.server.url}, cancel_token_file=None)
        page = self.see(lambda p: len(rows(p)) == 4)
        self.assertEqual({r["cancel"] for r in rows(page)}, {""})

    def test_all_of_it_goes_by_keyboard(self):
        self.show({"here": self.server.url})
        self.see(lambda p: len(rows(p)) == 4)
        self.press(Keys.TAB)
        first = self.focus()
        self.assertRegex(first, "^Cancel (One|Two|Three)$")
        self.press(Keys.ENTER)
        self.assertEqual(self.focus(), "token")
        self.press(Keys.ESCAPE)
        self.see(lambda p: p["asking"] is None)
        self.assertEqual(self.focus(), first)
        self.assertEqual(self.deletes(), [])
        outline = self.driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
        self.assertEqual(outline, "solid")  # who goes by keyboard sees where they are
        self.press(Keys.SPACE)
        self.press(CANCEL_TOKEN, Keys.ENTER)
        self.see(lambda p: len(rows(p)) == 3)
        self.assertRegex(self.focus() or "", "^Cancel (One|Two|Three)$")  # of another row: the next
        self.press(Keys.ENTER)
        self.see(lambda p: len(rows(p)) == 2)

    def test_what_ends_while_its_cancel_is_asked_for_closes_the_question(self):
        self.show({"here": self.server.url})
        self.see(lambda p: len(rows(p)) == 4)
        self.button("One").click()
        self.server.call(self.server.ends(activity("one", 100, "One")))
        page = self.see(lambda p: not rows(p, "One"))
        self.assertIsNone(page["asking"])


class Looks(Browser):
    HOSTILE = ["<script>window.hacked = 1</script>", "<img src=x onerror='window.hacked = 1'>", "</strong></li><h1>forged",
               "\" onmouseover=\"window.hacked = 1", "javascript:window.hacked=1", "${window.hacked = 1}", "&lt;b&gt;",
               "<svg onload=window.hacked=1>", "<style>*{display:none}</style>", "\u202egnp.exe", "'-alert(1)-'",
               "<a href='//evil.example'>free</a>", "x" * 3000]

    def test_hostile_titles_are_text(self):
        server = self.foreign_server()
        for number, title in enumerate(self.HOSTILE):
            server.activities[f"{title[:60]}{number}"] = dict(activity(f"{title[:60]}{number}", number, title), subtitle=title,
                                                              type=title[:60])
        self.show({self.HOSTILE[1]: server.url})
        nodes = "return [...document.querySelectorAll('*')].map((n) => n.tagName).sort().join()"
        page = self.see(lambda p: len(rows(p)) == len(self.HOSTILE))
        kinds = set(self.driver.execute_script(nodes).split(","))
        shown = {title.replace("\u202e", "")[:512] for title in self.HOSTILE}
        self.assertEqual({r["title"] for r in rows(page)}, shown)
        self.assertEqual({r["subtitle"] for r in rows(page)}, shown)
        self.assertEqual(page["servers"][0]["name"], self.HOSTILE[1])
        self.assertFalse(kinds & {"IMG", "A", "SVG", "svg", "STYLE", "IFRAME", "H3"}, kinds)
        self.assertEqual(len(self.driver.find_elements(By.TAG_NAME, "h1")), 1)
        self.assertEqual(len(self.driver.find_elements(By.TAG_NAME, "script")), 1)
        for uuid in list(server.activities):
            server.call(server.ends(server.activities[uuid]))
        page = self.see(lambda p: len(p["ended"]) == len(self.HOSTILE))
        self.assertEqual({e["title"] for e in page["ended"]}, shown)
        self.assertIsNone(self.driver.execute_script("return window.hacked"))
        self.assertEqual(len(self.driver.find_elements(By.TAG_NAME, "h1")), 1)

    def lively_server(self):
        server = self.foreign_server()
        server.activities = {
            "scan": activity("scan", 42, "Scanning Films", False, type="library.update.section"),
            "convert": dict(activity("convert", 73, "Converting"), subtitle="Café au Soleil (1997)"),
            "credits": activity("credits", -1, "Detecting Credits", False),
            "long": dict(activity("long", 8, "Downloading"), subtitle="Averyveryverylongnamewithoutanyblank" * 8)}
        return server

    def test_a_narrow_screen_shows_all_of_it_without_scrolling_sideways(self):
        server = self.lively_server()
        self.show({"living room": server.url, "away": "http://127.0.0.1:1"})
        self.see(lambda p: len(rows(p)) == 4 and p["servers"][1]["why"])
        for width in (320, 375, 768, 1600):
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                        {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": width < 500})
            seen, whole = self.driver.execute_script(
                "const root = document.documentElement; return [root.clientWidth, root.scrollWidth]")
            self.assertEqual(seen, whole, width)
            outside = self.driver.execute_script(
                "return [...document.querySelectorAll('main *')].filter((n) => n.checkVisibility() && "
                "(n.getBoundingClientRect().right > innerWidth || n.getBoundingClientRect().left < 0)).map((n) => n.outerHTML)")
            self.assertEqual(outside, [], width)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": 320, "height": 480, "deviceScaleFactor": 1, "mobile": True})
        self.button("Converting").click()
        box = self.driver.execute_script("const b = document.getElementById('asking').getBoundingClientRect(); return [b.left, b.right]")
        self.assertTrue(0 <= box[0] < box[1] <= 320, box)

    def test_text_can_be_read_by_day_and_in_the_dark(self):
        server = self.lively_server()
        self.show({"living room": server.url, "away": "http://127.0.0.1:1"})
        self.see(lambda p: len(rows(p)) == 4 and p["servers"][1]["why"])
        server.call(server.ends(server.activities["scan"]))
        self.see(lambda p: p["ended"])
        grounds = {}
        for scheme in ("light", "dark"):
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                        {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            grounds[scheme] = self.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
            for what, contrast in self.driver.execute_script(CONTRAST, [
                    "h1", "#summary", ".server .state", ".server .why:not(:empty)", ".running .title", ".running .subtitle",
                    ".percent", ".time", ".cancel:not([hidden])", "#ended .title", "#ended .at", "#ended .how"]):
                self.assertGreaterEqual(contrast, 4.5, (scheme, what))
        self.assertNotEqual(grounds["light"], grounds["dark"])

    def test_the_picture_of_the_guide(self):
        server = self.lively_server()
        del server.activities["long"]
        other = self.foreign_server()
        other.activities = {"guide": dict(activity("guide", 88, "Refreshing EPG", False), subtitle="Downloaded 289 airings")}
        self.show({"living room": server.url, "cabin": other.url})
        self.see(lambda p: len(rows(p)) == 4)
        server.call(server.starts(dict(activity("refresh", 66, "Refreshing"), subtitle="Media analysis")))
        server.call(server.ends(dict(activity("refresh", 100, "Refreshing"), subtitle="Media analysis")))
        self.see(lambda p: p["ended"])
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": 800, "height": 620, "deviceScaleFactor": 1, "mobile": False})
        into = os.environ.get("PLEX_DASHBOARD_SCREENSHOT") or os.path.join(self.folder.path, "dashboard.png")
        self.assertTrue(self.driver.save_screenshot(into))
        self.assertGreater(os.path.getsize(into), 10_000)


class Many(Browser):
    def test_200_activities_move_smoothly_beside_100_other_readers(self):
        server = self.foreign_server()
        self.show({"here": server.url})
        self.see(lambda p: p["servers"] and p["servers"][0]["state"] == "live")
        # What the browser paints while they move: each value that the first row's bar is seen to have.
        self.driver.execute_script("""
            window.painted = new Set();
            const look = () => {
              const bar = document.querySelector('.running progress');
              if (bar) window.painted.add(bar.value);
              requestAnimationFrame(look);
            };
            look();""")
        streams = [self.enter(EventStream(self.port)) for _ in range(100)]
        uuids = [f"a{i}" for i in range(200)]
        readers = [threading.Thread(target=s.until, args=(lambda r: len(r.ended) == len(uuids),), daemon=True) for s in streams]
        for reader in readers:
            reader.start()

        async def play():
            for uuid in uuids:
                await server.starts(activity(uuid, 0, f"Film {uuid}"))
            for progress in range(1, 51):
                for uuid in uuids:
                    await server.changes(activity(uuid, 2 * progress, f"Film {uuid}"))
                await asyncio.sleep(0.1)
            for uuid in uuids:
                await server.ends(activity(uuid, 100, f"Film {uuid}"))
        asyncio.run_coroutine_threadsafe(play(), server.loop).result(4 * command_case.LIMIT)
        page = self.see(lambda p: len(p["ended"]) == len(uuids))
        self.assertEqual(rows(page), [])
        self.assertEqual({e["title"] for e in page["ended"]}, {f"Film {uuid}" for uuid in uuids})
        painted = self.driver.execute_script("return window.painted.size")
        print(f"{painted} of 51 values painted")
        self.assertGreater(painted, 10)  # it moved, also where the machine has much else to do
        for reader in readers:
            reader.join(command_case.LIMIT)
            self.assertFalse(reader.is_alive())
        self.terminate(self.process)


if __name__ == "__main__":
    main()
