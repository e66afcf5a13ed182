"""One store, and the many lives of the server on it."""

import contextlib
import re
import signal
import sqlite3
import threading
import time

import pytest

from server import MODE, PATIENCE, SLOW, Server, defaults, furnish, merge, run

from disk import SEED, Disk

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.M)
LABEL = re.compile(r'(\w+)="([^"]*)"')


class World:
    """`with_disk`: on the disk of shim.c; `bug`: a fault of seed.c is in the server."""

    def __init__(self, folder, ledger, *, with_disk=False, bug=None, sinks=(), **changes):
        if (with_disk or bug) and MODE in ("asan", "tsan"):
            pytest.skip("a sanitizer's library must come before any other")
        furnish(folder)
        self.folder = folder
        self.ledger = ledger
        self.store = folder / "var/sluice.db"
        self.records = folder / "records/records.ndjson"
        for path in (self.store, self.records):
            path.parent.mkdir()
        self.disk = Disk(folder, self.store, self.records.with_suffix("")) if with_disk else None
        self.env = self.disk.env() if self.disk else {}
        if bug:
            both = filter(None, (self.env.get("LD_PRELOAD"), str(SEED)))
            self.env |= {"LD_PRELOAD": ":".join(both), "SEED_BUG": bug}
        file_sink = {"name": "archive", "kind": "file", "path": str(self.records)}
        self.config = merge(
            defaults(),
            {
                "store": {"path": str(self.store)},
                "sinks": [file_sink | {"rotate_size": "512KiB"}, *sinks],
                "log": {"level": "warn"},
            },
        )
        self.config = merge(self.config, changes)
        self.server = None
        self.lives = 0
        self.slowest_start = 0.0
        self.seen = {}  # counters as of the last look, which must not go down
        self.change = threading.Condition()
        self.where = None  # address, while the server runs

    def order(self, *words):
        """A command line call about this store."""
        return run(*words, "-c", self.server.file, cwd=self.folder)

    # Lives.

    def start(self, patience=PATIENCE):
        """A new life. False: it was killed before it was ready (by the disk's wish)."""
        self.lives += 1
        server = Server(self.folder, self.config, env=self.env)
        self.server = server
        try:
            server.wait_text(lambda text: '"event":"ready"' in text, patience)
        except AssertionError:
            if server.process.poll() == -signal.SIGKILL:
                self.bury()
                return False
            raise
        server.wait_ready()
        self.slowest_start = max(self.slowest_start, time.monotonic() - server.started)
        with self.change:
            self.where = server.address
            self.change.notify_all()
        return True

    def try_start(self):
        """A new life, unless the server refuses: then it has to leave with 3 and say why."""
        try:
            return self.start()
        except AssertionError as problem:
            if self.server.process.poll() != 3:
                raise
            if not self.server.stderr():
                self.ledger.complain(f"a start was refused without a word: {problem}")
            self.server.checked = True
            self.server = None
            return False

    def address(self):
        """Where the server is, waiting a little for it to come back."""
        with self.change:
            self.change.wait_for(lambda: self.where, 0.5)
            if not self.where:
                raise ConnectionError("there is no server")
            return self.where

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.server.process.send_signal(signal.SIGKILL)
        self.bury()

    def bury(self):
        """The server is gone, or about to be: as it should be?"""
        with self.change:
            self.where = None
        server, self.server = self.server, None
        server.checked = True
        code = server.wait()
        if code != -signal.SIGKILL:
            self.ledger.complain(f"the server left with {code}: {server.stderr()}")
        elif server.stderr():
            self.ledger.complain(f"the server complained: {server.stderr()}")

    def stop(self):
        """A clean end."""
        with self.change:
            self.where = None
        server, self.server = self.server, None
        server.stop()

    def discard(self):
        """For the end of a test that failed."""
        if self.server:
            self.server.discard()
            self.server = None

    # Looking at it.

    def metrics(self):
        """Every sample: name and labels (sorted by name) to value."""
        text = self.server.get("/metrics").body.decode()
        return {
            (name, *sorted(LABEL.findall(labels))): float(value)
            for name, labels, value in SAMPLE.findall(text)
        }

    def look(self):
        """Scrape, and check what must hold at any moment."""
        acknowledged = len(self.ledger.acknowledged())
        metrics = self.metrics()
        for text in unbalanced(metrics):
            self.ledger.complain(text)
        accepted = metrics.get(("sluice_store_accepted_total",), 0)
        if accepted < acknowledged:
            self.ledger.complain(f"{acknowledged} acknowledged, {accepted:.0f} in the store")
        for key, value in metrics.items():
            if key[0] in LASTING and value < self.seen.get(key, 0):
                self.ledger.complain(f"{key} went from {self.seen[key]} to {value}")
            if key[0] in LASTING:
                self.seen[key] = value
        return metrics

    def drain(self, sinks, seconds):
        """Wait until these sinks have nothing pending; the last scrape."""
        until = time.monotonic() + seconds * SLOW
        while True:
            metrics = self.look()
            pending = {name: metrics[("sluice_sink_pending", ("sink", name))] for name in sinks}
            if not any(pending.values()):
                return metrics
            if time.monotonic() > until:
                self.ledger.complain(f"still pending after {seconds} s: {pending}")
                return metrics
            time.sleep(0.05)

    @contextlib.contextmanager
    def database(self):
        """The store, read only, while no server has it."""
        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)
        try:
            yield connection
        finally:
            connection.close()

    def sink_files(self):
        """The file sink's files, oldest first."""

        def age(path):
            stamp = re.match(r"records\.(\d+T[\d.]+Z)(?:\.(\d+))?\.ndjson", path.name)
            return (stamp[1], int(stamp[2] or 0)) if stamp else ("9", 0)

        return sorted(self.records.parent.glob("records*"), key=age)


# Counters that live in the store.
LASTING = {
    "sluice_store_accepted_total",
    "sluice_store_duplicates_total",
    "sluice_store_quarantined_total",
    "sluice_sink_enqueued_total",
    "sluice_sink_delivered_total",
    "sluice_sink_dropped_total",
}


def unbalanced(metrics):
    """Sinks whose numbers do not add up: enqueued = delivered + pending + dead + dropped."""
    out = []
    for key, enqueued in metrics.items():
        if key[0] != "sluice_sink_enqueued_total":
            continue
        parts = {
            name: metrics[(name, *key[1:])]
            for name in (
                "sluice_sink_delivered_total",
                "sluice_sink_pending",
                "sluice_sink_dead",
                "sluice_sink_dropped_total",
            )
        }
        if enqueued != sum(parts.values()):
            out.append(f"{key[1:]}: enqueued {enqueued}, but {parts}")
    return out


