"""The common procedure of the crash tests: callers, kills, restarts, final checks."""

import os
import time

import pytest

from disk import DIE
from load import EVERYBODY, Crowd, Ledger, Sequential, retry_open
from receiver import Receiver
from world import World

import verdict

KILLS = int(os.environ.get("CRASH_KILLS", "20"))
LONG = KILLS >= 100  # all tests with more repetitions; else a selection of about a minute

long_only = pytest.mark.skipif(not LONG, reason="for the long form: CRASH_KILLS=200")


def long_row(value):
    """A test parameter that only the long form uses."""
    return pytest.param(value, marks=long_only)


class Trial:
    """Callers that send to a server while it is killed and started again."""

    def __init__(
        self, folder, seed, rng, *, kinds=None, held=False, hook=None, target=None, **world
    ):
        """`hook`: settings of the HTTP sink. `held`: add a sink without a receiver.
        `target`: a peer to add a sink named target for."""
        self.rng = rng
        self.seed = seed
        self.ledger = Ledger()
        self.receiver = Receiver()
        self.held = held
        self.delivering = ["archive", "hook"]
        self.hook = {"name": "hook", "kind": "http", "url": self.receiver.url, "batch": 50}
        self.hook["in_flight"] = 1  # so that the records of a caller arrive in order
        self.hook |= hook or {}
        sinks = [self.hook]
        if held:  # without a receiver all records stay in the outbox
            sinks.append({"name": "held", "kind": "http", "url": "http://127.0.0.1:1/"})
        if target:
            self.delivering.append("target")
            sinks.append(target.sink())
        self.world = World(folder, self.ledger, sinks=sinks, **world)
        if target:
            self.world.env |= target.environment()
        self.crowd = Crowd(self.world, self.ledger, seed, kinds or EVERYBODY)
        self.probe = Sequential("probe", self.world, self.ledger, seed)
        self.open_at_end = 0
        self.repeated = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for caller in self.crowd.callers:
            caller.stopping.set()
        self.world.discard()
        self.receiver.close()

    def rest(self, longest=0.1):
        time.sleep(longest * self.rng.random())

    def strike(self, longest=0.6):
        """Wait a random time, then send SIGKILL; sometimes shortly after the start."""
        time.sleep(self.rng.choice((0.02, longest, longest)) * self.rng.random())
        self.world.kill()

    def strike_disk(self, longest=0.6):
        """End the process during a write or sync, or by SIGKILL; then simulate a power loss."""
        disk = self.world.disk
        if self.rng.random() < 0.7:
            kind = self.rng.choice(("log", "log", "database", "sink", "folder"))
            call = "sync" if kind == "folder" else self.rng.choice(("write", "sync"))
            disk.fail(kind, call, DIE, skip=self.rng.choice((0, 3, 30)))
        until = time.monotonic() + longest * self.rng.random()
        process = self.world.server.process
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        self.world.kill()
        disk.heal()
        self.lose_power()

    def lose_power(self):
        """Simulate a power loss, in two of three cases; else only the process ended, and its writes stay."""
        torn = self.rng.choice((False, True, None))
        if torn is not None:
            self.world.disk.lose_power(self.rng, torn)

    def drain_some(self, seconds=5):
        """Wait until the file sink has 20 more records, at most `seconds`."""
        key = ("sluice_sink_delivered_total", ("sink", "archive"))
        before = self.world.metrics()[key]
        until = time.monotonic() + seconds
        while self.world.metrics()[key] < before + 20 and time.monotonic() < until:
            time.sleep(0.02)

    def is_taken(self, seconds=10):
        """Is a new event acknowledged within `seconds`, without a restart?"""
        until = time.monotonic() + seconds
        caller = self.probe
        event = caller.new_event()
        while time.monotonic() < until:
            if caller.offer(event):
                return True
            time.sleep(0.02)
        self.ledger.complain(f"no event is taken within {seconds} s after the fault has ended")
        return False

    def await_ready(self, ready, seconds=5):
        """Wait until /readyz reports `ready`, at most `seconds`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            answer = self.world.server.get("/readyz")
            if (answer.status == 200) == ready:
                return
            time.sleep(0.02)
        self.ledger.complain(f"/readyz still says {answer!r}")

    def finish(self, ordered=True):
        """Accept and deliver everything, then run all checks. Returns the violations."""
        if not self.world.server:
            self.world.start()
        self.crowd.stop()
        self.world.look()
        self.open_at_end = retry_open(self.world, self.ledger, self.seed)
        metrics = self.world.drain(self.delivering, 60)
        verdict.check_counts(self.ledger, metrics, self.delivering)
        self.world.stop()
        for name, records in (
            ("archive", verdict.file_records(self.world)),
            ("hook", self.receiver.taken()),
        ):
            keeps_order = ordered or name == "archive"
            self.repeated[name] = verdict.check_delivered(
                self.ledger, name, records, keeps_order
            )
        verdict.check_store(self.world, self.held)
        return self.ledger.violations

    def summary(self):
        return (
            f"{self.world.lives} lives, {self.ledger.summary()}; {self.open_at_end} open at the "
            f"end; delivered again {self.repeated}; slowest start "
            f"{self.world.slowest_start * 1000:.0f} ms"
        )
