#!/usr/bin/env python3
"""The console in a real Chromium: `make console-test`.

    walk.py PROGRAM

Starts a server, walks through the console as an operator does, looks at every page light and dark, narrow and wide,
with axe-core, and shows it a hostile event. Prints a line for each check; exits with 1 at the first that fails.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import expect, sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
AXE = ROOT / "build/console-test/node_modules/axe-core/axe.min.js"
sys.path.insert(0, str(ROOT / "tests/e2e"))

PATIENCE_MS = 20000
SIZES = {"narrow": (360, 740), "wide": (1440, 900)}
SCHEMA = "#/schema?registry=GenesysInteractionRegistry&schema=InteractionStartedSchema"
PAGES = ["#/", "#/refused", "#/event/1", "#/sinks", "#/schemas", SCHEMA, "#/try"]
EVENT = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
HOSTILE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>\u202egnp.\u2066\u200b\x1b[2J\u0007"


def check(what, holds):
    print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
    if not holds:
        sys.exit(1)


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        if time.monotonic() >= deadline:
            check(what, False)
        time.sleep(0.05)
    check(what, True)


def changed(event_id, **interaction):
    return EVENT | {"id": event_id, "detail": {"interaction": EVENT["detail"]["interaction"] | interaction}}


class Walk:
    def __init__(self, server, browser, link):
        self.server = server
        self.link = link
        self.browser = browser
        self.errors = []

    def open(self, theme="light", size="wide"):
        width, height = SIZES[size]
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, bypass_csp=False)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self.note)
        page.goto(self.link)
        page.wait_for_selector("#health.good, #health.bad")
        return page

    def note(self, message):
        """The browser notes the 404 when the page asks for an event that was discarded."""
        url = message.location["url"]
        if message.type == "error" and not url.endswith("/api/v1/refused/event?id=3"):
            self.errors.append(f"{message.text} {url}")

    def go(self, page, fragment):
        page.evaluate("fragment => { location.hash = fragment }", fragment)
        page.wait_for_function("fragment => location.hash === fragment && document.querySelector('main h1')", arg=fragment)

    def refuse(self, body):
        assert self.server.post(body).status == 400

    # An event is refused, found, explained, mended and replayed.
    def walk(self):
        page = self.open()
        check("the link's token is not left in the address", "token" not in page.url)
        self.refuse(changed("walk-1", start_time=5))
        self.refuse(changed("walk-2", start_time=6))
        group = page.get_by_role("link", name="schema_invalid")
        group.wait_for()
        row = page.locator("tr", has=group)
        expect(row).to_contain_text("/start_time/type")
        check("a refused event is in the overview, under its rule", True)
        group.focus()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Event 1", exact=True).click()
        mark = page.locator(".fault")
        expect(mark).to_contain_text('"start_time": 5')
        expect(mark).to_contain_text("is not of type 'string'")
        check("the place at fault is marked in the body", mark.count() == 1)

        page.go_back()
        page.get_by_role("button", name="Dry run").click()
        expect(page.locator(".result")).to_contain_text("2 × schema_invalid")
        check("a dry run says why they would be refused again", True)
        self.widen()

        def is_accepted():
            page.get_by_role("button", name="Dry run").click()
            expect(page.locator("#news")).to_contain_text("would be accepted.")
            return "2 of 2" in page.locator("#news").inner_text()

        wait_for(is_accepted, "with a wider schema a dry run says ok")
        page.get_by_role("button", name="Replay …").click()
        expect(page.get_by_role("dialog")).to_contain_text("Replay 2 events?")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        check("Escape leaves the dialog, and nothing is replayed", not self.records())
        page.get_by_role("button", name="Replay …").click()
        page.get_by_role("button", name="Replay 2 events").click()
        expect(page.locator("#news")).to_have_text("Replayed: 2 of 2 events accepted.")
        expect(page.locator("main")).to_contain_text("No such event is open.")
        check("replayed from the page, they are no longer open", True)
        wait_for(lambda: len(self.records()) == 2, "their records are at the sink")
        self.discard(page)
        self.sinks(page)
        self.schemas(page)
        self.explain(page)
        page.context.close()

    def records(self):
        file = self.server.folder / "var/out.ndjson"
        return file.read_text().splitlines() if file.exists() else []

    def widen(self):
        file = self.server.folder / "conf/schemas/GenesysInteractionRegistry/InteractionStartedSchema.json"
        schema = json.loads(file.read_text())
        schema["properties"]["interaction"]["properties"]["start_time"] = {"type": ["string", "integer"]}
        file.write_text(json.dumps(schema))

    def discard(self, page):
        self.refuse(b'{"detail": {"interaction": ]}')
        self.go(page, "#/refused")
        page.get_by_role("link", name="malformed").click()
        page.get_by_role("link", name="Event 3", exact=True).click()
        expect(page.locator(".fault")).to_have_count(1)
        check("the byte that is no JSON is marked", True)
        page.get_by_role("button", name="Discard …").click()
        page.get_by_role("button", name="Discard 1 event").click()
        expect(page.locator("#news")).to_have_text("1 event discarded.")
        expect(page.locator("main")).to_contain_text("no refused event 3")
        check("an event is discarded from the page", True)

    def sinks(self, page):
        self.go(page, "#/sinks")
        page.get_by_role("button", name="Pause out").click()
        page.get_by_role("button", name="Resume out").click()
        page.get_by_role("button", name="Pause out").wait_for()
        check("a sink is paused and resumed", True)
        error = page.locator("section", has_text="Last error of hook")
        expect(error).to_contain_text("answered 503")
        expect(error).to_contain_text("in a row")
        expect(error).to_contain_text("\\u202egnp.\\u2066\\u200b\\u001b[2J")
        check("the last error of a sink is shown, and what its target answered", page.locator("main img").count() == 0)

    def schemas(self, page):
        for number in range(2):
            assert self.server.post(EVENT | {"id": f"shadowed-{number}"}).status == 200
        self.go(page, "#/schemas")
        shadow = page.locator("section", has_text="Shadow of route main")
        expect(shadow).to_contain_text("Events would be refused")
        row = page.locator("tr", has=page.get_by_role("rowheader", name="would be refused"))
        expect(row).to_contain_text("/properties/interaction/required")
        expect(row.locator("td").nth(2)).to_have_text("2")
        check("the page of schemas shows what the shadow would decide differently", True)
        page.get_by_role("link", name="GenesysInteractionRegistry/InteractionStartedSchema").click()
        added = page.locator("ins")
        expect(added.filter(has_text='"integer"')).to_have_count(1)
        expect(page.locator("del").first).to_be_visible()
        expect(page.locator("main")).to_contain_text("equal lines")
        check("the difference to the version before is shown", added.count() < 10)

    def explain(self, page):
        self.go(page, "#/try")
        page.get_by_label("An event as JSON").fill(json.dumps(EVENT))
        page.get_by_role("button", name="Explain").click()
        expect(page.locator("main")).to_contain_text("The answer would be 200")
        check("an event is explained step by step", page.locator(".steps > li.good").count() >= 4)

    # Nothing of an event acts, hides or breaks the page.
    def hostile(self):
        deep = "0"
        for _ in range(56):
            deep = f"[{deep}]"
        body = json.dumps(changed(HOSTILE[:40], start_time=True, id=HOSTILE), ensure_ascii=False)
        long = "x" * (2 * 1024 * 1024 - len(body.encode()) - 700)
        body = body[:-2] + f', {json.dumps(HOSTILE, ensure_ascii=False)}: {json.dumps([HOSTILE, long], ensure_ascii=False)}, "deep": {deep}' + "}}"
        self.refuse(body.encode())
        event = self.newest()
        page = self.open()
        self.go(page, f"#/event/{event}")
        page.locator(".fault").first.wait_for()
        text = page.locator("main").inner_text()
        check("markup is text", "<script>" in text and page.title() == "Refused event – Sluice")
        check("no element comes from the event", page.locator("main img, main script").count() == 0)
        check("control and bidi characters are written out", "\\u202e" in text and not set("\u202e\u2066\u200b\x1b\u0007") & set(text))
        check("a long text is cut", "more characters" in text and len(text) < 50000)
        check("the page does not grow wider than the window", self.width(page) <= SIZES["wide"][0])
        for fragment in ("#/refused", "#/"):
            self.go(page, fragment)
            page.get_by_role("link", name="schema_invalid").first.wait_for()
            check(f"{fragment}: nothing of it", not set("\u202e\x1b") & set(page.locator("body").inner_text()))
        page.context.close()

    def newest(self):
        answer = subprocess.run(
            [self.server.process.args[0], "rejected", "list", "--json", "--limit", "1", "-c", self.server.file],
            cwd=self.server.folder, capture_output=True, check=True,
        )  # fmt: skip
        return json.loads(answer.stdout)["id"]

    def width(self, page):
        return page.evaluate("document.documentElement.scrollWidth")

    # Every page in both themes and sizes.
    def look(self):
        for number in range(4):
            self.refuse(changed(f"look-{number}", channel_type=number, id=f"look-{number}"))
        event = self.newest()
        for theme in ("light", "dark"):
            for size in SIZES:
                page = self.open(theme, size)
                for fragment in [each.replace("/1", f"/{event}") for each in PAGES] + ["group"]:
                    self.look_at(page, theme, size, fragment)
                page.context.close()

    def look_at(self, page, theme, size, fragment):
        if fragment == "group":
            self.go(page, "#/refused")
            page.get_by_role("link", name="schema_invalid").first.click()
            page.get_by_role("link", name="Event ").first.wait_for()
        else:
            self.go(page, fragment)
        expect(page.locator("main")).not_to_contain_text("loading")
        if fragment in ("#/", "#/refused"):
            page.get_by_role("link", name="schema_invalid").first.wait_for()
        elif fragment.startswith("#/event"):
            page.locator(".fault").first.wait_for()
        elif fragment == SCHEMA:
            page.locator("pre").first.wait_for()
        elif fragment != "#/try":
            page.locator("table").first.wait_for()
        name = fragment.strip("#/").split("/")[0].split("?")[0] or "overview"
        check(f"{name}, {theme}, {size}: fits the window", self.width(page) <= SIZES[size][0])
        page.evaluate(AXE.read_text())
        result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        faults = [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in result["violations"]]
        check(f"{name}, {theme}, {size}: axe-core finds nothing {faults or ''}", not faults)


def serve(folder, hook):
    """A server whose sink `hook` is in trouble."""
    from server import Server, defaults, furnish, merge, route

    furnish(folder)
    (folder / "next.json").write_text('{"properties": {"interaction": {"required": ["language"]}}}')
    changes = {
        "routes": [route(name="main", schema="InteractionStartedSchema", shadow={"file": "next.json"})],
        "admin": {"listen": "127.0.0.1:0"},
        "store": {"path": "var/s.db"},
        "sinks": [{"name": "out", "kind": "file", "path": "var/out.ndjson"},
                  {"name": "hook", "kind": "http", "url": hook}],
    }
    return Server(folder, merge(defaults(), changes)).wait_ready()


def link_of(server):
    """What `sluice console` prints."""
    done = subprocess.run([server.process.args[0], "console", "-c", server.file], cwd=server.folder,
                          capture_output=True, check=True, text=True)  # fmt: skip
    return done.stdout.strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    options = parser.parse_args()
    expect.set_options(timeout=PATIENCE_MS)
    os.environ["SLUICE_BIN"] = options.program
    from receiver import Receiver

    hook = Receiver()
    hook.plan = lambda records: (503, {})
    hook.words = HOSTILE.encode()
    with tempfile.TemporaryDirectory(prefix="sluice-console-") as place, sync_playwright() as playwright:
        server = serve(pathlib.Path(place), hook.url)
        link = link_of(server)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        walk = Walk(server, browser, link)
        walk.walk()
        walk.look()
        walk.hostile()
        browser.close()
        check(f"no error in the page {walk.errors or ''}", not walk.errors)
        server.stop()
        hook.close()
        check("the log has nothing of an event's values", HOSTILE[:20] not in "".join(filter(None, server.lines)))


if __name__ == "__main__":
    main()
