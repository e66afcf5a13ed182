"""A slow or hanging disk: signals take effect in time, even if requests wait for the disk."""

import mmap
import signal
import struct
import threading
import time

import pytest
import yaml

from server import BINARY, MODE, PATIENCE, defaults, merge, put_schema, route, run

SLOW_MS = 300  # duration of one sync
HANGS_MS = 10**8
STORE = {"path": "var/sluice.db"}
LIMIT = 12  # seconds after drain_delay within which SIGTERM ends the process
SPARE = 3  # additional seconds for a busy machine

pytestmark = pytest.mark.skipif(
    MODE in ("asan", "tsan"), reason="a sanitizer does not let another library come before it"
)


class Disk:
    """Sets how long each sync of the server takes."""

    def __init__(self, folder):
        self.file = folder / "slow_sync"
        self.file.write_bytes(bytes(mmap.PAGESIZE))
        with open(self.file, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def takes(self, milliseconds):
        struct.pack_into("=i", self.control, 0, milliseconds)

    def env(self):
        return {
            "LD_PRELOAD": str(BINARY.resolve().parent / "slow_sync.so"),
            "SLOW_SYNC": str(self.file),
        }


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path)


def later(event, count):
    return [event | {"id": f"later-{n}", "source": "later"} for n in range(count)]


def with_refused(sluice, disk, event, count, most=100, **changes):
    """A server that has refused so many events because their schema does not exist yet; at most `most` in a body."""
    server = sluice(
        env=disk.env(),
        store=STORE,
        routes=[route(match={"source": "later"}, schema="Later"), route()],
        **changes,
    )
    events = later(event, count)
    for first in range(0, count, most):
        assert server.post(events[first : first + most]).status == 400
    return server


def until(is_true):
    """Wait until it is true. Returns the seconds."""
    began = time.monotonic()
    while not is_true():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.01)
    return time.monotonic() - began


def reload(server):
    """Send SIGHUP and wait for the reload. Returns the seconds."""
    seen = len(server.log())
    server.signal(signal.SIGHUP)
    return until(lambda: any(line["event"] == "reloaded" for line in server.log()[seen:]))


def end(server):
    """Send SIGTERM and wait for the exit. Returns the seconds."""
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    server.stop()
    return time.monotonic() - began


def test_neither_reload_nor_end_waits_for_resubmission(sluice, disk, event):
    server = with_refused(sluice, disk, event, 600, 20, http={"threads": 2, "max_batch": 20})
    disk.takes(SLOW_MS)
    put_schema(server.folder, "Later", {})
    server.wait_text(lambda line: '"schema_live"' in line and '"Later"' in line)
    until(lambda: b"\nsluice_store_accepted_total 0\n" not in server.get("/metrics").body)
    assert reload(server) < 8  # the rest of the 600 events takes longer: 30 commits of 300 ms
    assert end(server) < LIMIT + SPARE
    assert not any(line["event"] == "resubmitted" and line["events"] == 600 for line in server.log())


def test_a_reload_that_waits_for_the_disk_keeps_nothing_waiting(sluice, disk, event):
    registry = {"guard": "enforce", "cache_dir": "cache"}  # a reload writes to the cache
    server = sluice(env=disk.env(), registry=registry)
    put_schema(server.folder, "Next", {})
    changes = {"registry": registry, "routes": [route(schema="Next")]}
    server.file.write_text(yaml.safe_dump(merge(defaults(), changes)))
    disk.takes(HANGS_MS)
    server.signal(signal.SIGHUP)
    until(lambda: list((server.folder / "cache").glob("*.new")))  # the reload has written a file and waits for its sync
    assert server.post(event).status == 200
    assert end(server) < LIMIT + SPARE
    assert not any(line["event"] == "reloaded" for line in server.log())


def test_readiness_knows_of_a_disk_that_does_not_answer(sluice, disk, event):
    server = sluice(env=disk.env(), store=STORE, http={"threads": 2, "deadline": "1s"})
    stalled = {"ok": False, "reason": "stalled"}
    disk.takes(3000)
    sender = threading.Thread(target=server.post, args=(event | {"id": "first"},))
    sender.start()
    until = time.monotonic() + PATIENCE
    while server.get("/readyz").json["checks"]["store"] != stalled:
        assert time.monotonic() < until
    server.post(event | {"id": "second"})
    disk.takes(0)
    assert server.wait_log(event="store_stalled")["after_ms"] == 500
    assert server.wait_log(event="store_stall_ended")["duration_ms"] > 500
    while server.get("/readyz").status != 200:
        assert time.monotonic() < until
    sender.join()


def test_the_end_does_not_wait_for_a_disk_that_hangs(sluice, disk, event):
    sinks = [{"name": "archive", "kind": "file", "path": "var/records.ndjson"}]
    server = with_refused(
        sluice, disk, event, 100, http={"threads": 2, "drain_delay": "1s"}, sinks=sinks
    )
    good = [event | {"id": f"good-{number}"} for number in range(20)]
    assert all(server.post(one).status == 200 for one in good)
    disk.takes(HANGS_MS)
    put_schema(server.folder, "Later", {})
    server.wait_text(lambda line: '"schema_live"' in line and '"Later"' in line)
    sender = threading.Thread(target=server.post, args=(event,))
    order = threading.Thread(
        target=run,
        args=("rejected", "replay", "1", "-c", server.file),
        kwargs={"cwd": server.folder},
    )
    sender.start()
    order.start()
    assert end(server) < 1 + LIMIT + SPARE
    assert server.wait_log(event="stop_forced")["level"] == "warn"
    sender.join()
    order.join()

    # All acknowledged events are stored.
    again = type(server)(server.folder, yaml.safe_load(server.file.read_text())).wait_ready()
    answers = [again.post(one) for one in good]
    assert all((a.status, a.header("sluice-duplicate")) == (200, "true") for a in answers)
    again.wait_log(event="resubmitted", events=100)
    again.stop()
