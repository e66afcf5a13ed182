#!/usr/bin/env python3
"""The pictures of docs/console.md: `make screenshots`.

    pictures.py PROGRAM FOLDER

A server gets the same events each time, and one of its sinks is in trouble. Chromium draws the pages; pngquant gives
each picture a palette. A picture may have at most 60 KB.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from playwright.sync_api import expect, sync_playwright

from walk import EVENT, PATIENCE_MS, changed, link_of

BYTES_MAX = 60_000
STEPS = 3  # of 10 seconds, that the plots of the overview have

# Each: the picture, the fragment, the theme, the size, and a text to wait for.
PICTURES = [
    ("overview", "#/", "light", (1200, 960), "Last hour"),
    ("refused", "#/event/1", "dark", (900, 1120), "is not of type"),
    ("sinks", "#/sinks", "light", (1200, 520), "Last error of billing"),
    ("schema", "#/schema?registry=GenesysInteractionRegistry&schema=InteractionStartedSchema", "dark", (900, 560), "equal lines"),
    ("phone", "#/", "dark", (390, 800), "Last hour"),
]


def serve(folder, billing):
    from server import Server, defaults, furnish, merge, route

    furnish(folder)
    (folder / "next.json").write_text('{"properties": {"interaction": {"required": ["language"]}}}')
    changes = {
        "admin": {"listen": "127.0.0.1:0"},
        "registry": {"refresh": "1s"},
        "store": {"path": "var/sluice.db"},
        "routes": [route(name="interaction-started", schema="InteractionStartedSchema", shadow={"file": "next.json"})],
        "sinks": [
            {"name": "archive", "kind": "file", "path": "var/archive.ndjson"},
            {"name": "billing", "kind": "http", "url": billing},
        ],
    }
    return Server(folder, merge(defaults(), changes)).wait_ready()


def post_events(server, step):
    """Some are accepted; others are refused by three rules, the first by its start_time."""
    assert server.post(changed(f"time-{step}", start_time=1764400000 + step)).status == 400
    for number in range(40 + 20 * step):
        assert server.post(EVENT | {"id": f"event-{step}-{number}"}).status == 200
    for number in range(1 + step):
        assert server.post(changed(f"channel-{step}-{number}", channel_type=7)).status == 400
    assert server.post(b'{"detail": {"interaction": ]}').status == 400


def fill(server, state):
    """Post events over some steps of the history, and let the schema have a second version."""
    from server import wait_for

    for step in range(STEPS):
        post_events(server, step)
        if step == 0:
            widen(server.folder)
        wait_for(lambda step=step: state("history")["history"]["count"] > step, f"step {step} of the history has ended")


def widen(folder):
    file = folder / "conf/schemas/GenesysInteractionRegistry/InteractionStartedSchema.json"
    text = file.read_text()
    assert '"interaction"' in text
    file.write_text(text.replace('"start_time"', '"started_by": { "type": "string" },\n          "start_time"', 1))


def draw(browser, link, picture, folder):
    name, fragment, theme, (width, height), text = picture
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    page = context.new_page()
    page.goto(link)
    page.evaluate("fragment => { location.hash = fragment }", fragment)
    expect(page.locator("main")).to_contain_text(text)
    page.wait_for_selector("#health.good")
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    file = folder / f"console-{name}.png"
    page.screenshot(path=str(file))
    context.close()
    subprocess.run(["pngquant", "--force", "--strip", "--speed", "1", "--output", file, "64", file], check=True)
    size = file.stat().st_size
    print(f"{file}: {size} bytes")
    return size <= BYTES_MAX


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    os.environ["SLUICE_BIN"] = program
    expect.set_options(timeout=PATIENCE_MS)
    from receiver import Receiver

    billing = Receiver()
    billing.plan = lambda records: (503, {})
    billing.words = b'{"error":"maintenance until 06:00"}'
    with tempfile.TemporaryDirectory(prefix="sluice-console-") as place, sync_playwright() as playwright:
        server = serve(pathlib.Path(place), billing.url)
        link = link_of(server)
        api = playwright.request.new_context(extra_http_headers={"Authorization": f"Bearer {link.split('token=')[1]}"})
        base = link.split("/console")[0]
        fill(server, lambda path: api.get(f"{base}/api/v1/{path}").json())
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        good = [draw(browser, link, picture, folder) for picture in PICTURES]
        browser.close()
        server.stop()
        billing.close()
    sys.exit(0 if all(good) else f"a picture has more than {BYTES_MAX} bytes")


if __name__ == "__main__":
    main()
