"""One store, and the server processes that use it one after another ("lives")."""

import contextlib
import re
import signal
import sqlite3
import threading
import time

import pytest
import yaml

from server import MODE, PATIENCE, SLOW, Server, defaults, furnish, merge, run

from disk import SEED, Disk

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.M)
LABEL = re.compile(r'(\w+)="([^"]*)"')


class World:
    """`with_disk`: use the disk that shim.c simulates. `bug`: add this bug of seed.c to the server."""

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
        self.seen = {}  # counters of the last look(); they must not decrease
        self.change = threading.Condition()
        self.where = None  # the server's address while it runs

    def order(self, *words):
        """Run a command with this configuration."""
        return run(*words, "-c", self.server.file, cwd=self.folder)

    def write(self):
        """Write the configuration, for a reload."""
        self.server.file.write_text(yaml.safe_dump(self.config, sort_keys=False))

    # Start and end.

    def start(self, patience=PATIENCE):
        """Start the server. False: the simulated disk killed it before it was ready."""
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
        """Start the server. False: it refused to start; then it must exit with 3 and print the reason."""
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
        """The server's address. Waits up to 0.5 s for a restart."""
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
        """Wait for the end of the killed server, and check its exit status and standard error."""
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
        """Stop the server with SIGTERM."""
        with self.change:
            self.where = None
        server, self.server = self.server, None
        server.stop()

    def discard(self):
        """End the server without checks, after a failed test."""
        if self.server:
            self.server.discard()
            self.server = None

    # Checks while it runs.

    def metrics(self):
        """All samples as {(name, sorted labels): value}."""
        text = self.server.get("/metrics").body.decode()
        return {
            (name, *sorted(LABEL.findall(labels))): float(value)
            for name, labels, value in SAMPLE.findall(text)
        }

    def look(self):
        """Read the metrics, and check what must be true at any time. Returns the metrics."""
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
        """Wait until these sinks have nothing pending; less must be pending each `seconds`. Returns the metrics."""
        least = float("inf")
        while True:
            metrics = self.look()
            pending = {name: metrics[("sluice_sink_pending", ("sink", name))] for name in sinks}
            if not any(pending.values()):
                return metrics
            if sum(pending.values()) < least:
                least, until = sum(pending.values()), time.monotonic() + seconds * SLOW
            if time.monotonic() > until:
                self.ledger.complain(f"not less than this for {seconds} s: {pending}")
                return metrics
            time.sleep(0.05)

    @contextlib.contextmanager
    def database(self):
        """A read-only connection to the store. No server may run."""
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


# Counters that are kept in the store: restarts must not reset them.
LASTING = {
    "sluice_store_accepted_total",
    "sluice_store_duplicates_total",
    "sluice_store_quarantined_total",
    "sluice_sink_enqueued_total",
    "sluice_sink_delivered_total",
    "sluice_sink_dropped_total",
}


def unbalanced(metrics):
    """Texts about sinks for which enqueued = delivered + pending + dead + dropped is false."""
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


