"""A full volume, and readers that keep the write-ahead log: nothing is lost, and the server recovers."""

import os
import shutil
import sqlite3
import subprocess

import pytest

from server import Server, defaults, merge, run, wait_for
from test_sinks import counters, hook
from test_store import make

MIB = 2**20
VOLUME = 16 * MIB
LARGE = 100000  # approximate bytes of a record
DETAIL = {"interaction": {"id": "i", "start_time": "2024-01-15T10:30:00Z", "channel_type": "v"}}


def call(*command):
    return shutil.which(command[0]) and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(params=["tmpfs", "ext4"])
def volume(request, tmp_path):
    """A folder on a separate small file system."""
    place = tmp_path / "volume"
    place.mkdir()
    if request.param == "tmpfs":
        mounted = call("mount", "-t", "tmpfs", "-o", f"size={VOLUME}", "none", str(place))
    else:
        image = tmp_path / "image"
        with open(image, "wb") as file:
            file.truncate(VOLUME)
        mounted = (
            shutil.which("mke2fs")
            and call("mke2fs", "-q", "-t", "ext4", "-m", "0", str(image))
            and call("mount", "-o", "loop", str(image), str(place))
        )
    if not mounted:
        pytest.skip(f"a volume of {request.param} cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def large(identity):
    """An event whose record has LARGE bytes."""
    text = (identity + " ") * (LARGE // (len(identity) + 1))
    changes = {"id": identity, "attributes": {"text": text}}
    return make(identity, detail={"interaction": DETAIL["interaction"] | changes})


def options(volume, sink):
    return {"store": {"path": str(volume / "sluice.db")}, "sinks": [sink]}


@pytest.fixture
def again():
    """Start a server in the folder of a stopped one."""
    servers = []

    def start(server, **changes):
        servers.append(Server(server.folder, merge(defaults(), changes)))
        return servers[-1].wait_ready()

    yield start
    for server in servers:
        server.discard()


def full(answer):
    return answer.status == 503 and answer.json["details"] == "store full"


def post_until_full(server, prefix, most=2000):
    """Post events until one is refused. Returns the accepted ones."""
    taken = []
    for number in range(most):
        event = large(f"{prefix}-{number:06}")
        answer = server.post(event)
        if answer.status != 200:
            assert full(answer), answer
            return taken
        taken.append(event)
    raise AssertionError("the volume is never full")


def keep_posting(server, prefix, enough):
    """Post events until the store is full, again and again until `enough(taken)`: room may be found a little later.
    Returns the accepted ones."""
    taken = []

    def is_enough():
        taken.extend(post_until_full(server, f"{prefix}{len(taken)}"))
        return enough(taken)

    wait_for(is_enough)
    return taken


def is_full(server):
    return server.get("/readyz").json["checks"]["store"] == {"ok": False, "reason": "full"}


def fill(volume):
    """Fill the volume to the last byte."""
    path = volume / "filler"
    with open(path, "wb", buffering=0) as file:
        size = MIB
        while size >= 1:
            try:
                written = file.write(bytes(size))
            except OSError:
                written = 0
            if written < size:
                size //= 2
    return path


def arrived(receiver):
    return sorted(record["interaction_id"] for record in receiver.records)


def ids(*lists):
    return sorted(event["id"] for events in lists for event in events)


def delivered(server):
    return counters(server, "hook")["delivered"]


def test_a_volume_that_the_store_fills(sluice, again, volume, receiver):
    hook_at = receiver()
    hook_at.plan = lambda records: (500, {})
    config = options(volume, hook(hook_at, max_backoff="100ms"))
    server = sluice(**config)
    taken = keep_posting(server, "a", lambda taken: is_full(server))
    assert len(taken) * LARGE > VOLUME // 2
    line = server.wait_log(event="store_full")
    assert (line["level"], line["cause"]) == ("warn", "disk")
    assert server.metric("sluice_store_bytes") >= 0.9 * server.metric("sluice_store_max_bytes")
    assert server.post(taken[0]).header("Sluice-Duplicate") == "true"
    server.stop()
    server = again(server, **config)  # starts although the volume is full
    taken += post_until_full(server, "more")
    hook_at.plan = lambda records: (200, {})
    wait_for(lambda: delivered(server) == len(taken))
    assert arrived(hook_at) == ids(taken)
    server.wait_log(event="store_has_room")
    hook_at.plan = lambda records: (500, {})
    # The file does not shrink, but has free pages.
    second = keep_posting(server, "b", lambda second: len(second) * LARGE > VOLUME // 3)
    hook_at.plan = lambda records: (200, {})
    wait_for(lambda: delivered(server) == len(taken) + len(second))
    assert arrived(hook_at) == ids(taken, second)
    server.stop()


def test_a_volume_that_something_else_fills(sluice, again, volume, receiver):
    hook_at = receiver()
    hook_at.plan = lambda records: (500, {})
    config = options(volume, hook(hook_at, max_backoff="100ms"))
    server = sluice(**config)
    taken = [large(f"a-{n}") for n in range(40)]
    assert {server.post(event).status for event in taken} == {200}
    filler = fill(volume)
    taken += post_until_full(server, "b")
    assert server.get("/readyz").json["checks"]["store"] == {"ok": False, "reason": "full"}
    assert server.wait_log(event="store_full")["cause"] == "disk"
    assert server.post(taken[0]).header("Sluice-Duplicate") == "true"
    hook_at.plan = lambda records: (200, {})  # pending records are delivered, and the deliveries recorded
    wait_for(lambda: delivered(server) == len(taken))
    server.stop()
    server = again(server, **config)
    assert server.post(make("bad", detail={})).status == 400  # there are free pages
    assert arrived(hook_at) == ids(taken)  # no record was delivered twice
    filler.unlink()
    last = large("c")
    wait_for(lambda: server.post(last).status == 200)
    wait_for(lambda: server.get("/readyz").status == 200)
    wait_for((volume / "sluice.db.ballast").exists)
    wait_for(lambda: delivered(server) == len(taken) + 1)
    assert arrived(hook_at) == ids(taken, [last])
    server.stop()


def test_a_small_store_under_load(sluice, receiver):
    """Neither the log nor a reader that keeps it makes a store full; the server's log names the reader."""
    sink = hook(receiver())
    server = sluice(store={"path": "var/sluice.db", "max_size": "1MiB"}, sinks=[sink])
    reader = sqlite3.connect(server.folder / "var/sluice.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM record").fetchone()
    held = None
    count = 0
    while not held:
        assert server.post(make(f"e{count}")).status == 200
        count += 1
        held = next((line for line in server.log() if line["event"] == "store_log_held"), None)
        assert count < 20000
    assert held["pid"] == os.getpid()
    assert held["seconds"] >= 1
    log = server.folder / "var/sluice.db-wal"
    while log.stat().st_size < MIB:
        assert server.post(make(f"e{count}")).status == 200
        count += 1
    assert server.get("/readyz").status == 200
    reader.execute("COMMIT")
    reader.close()
    server.wait_log(event="store_log_released")
    wait_for(lambda: delivered(server) == count)


def test_a_listing_without_a_reader(sluice):
    """A pager that does not read blocks neither the write-ahead log nor events."""
    server = sluice(store={"path": "var/sluice.db", "max_size": "1MiB"})
    for n in range(20):
        body = [{"id": f"bad-{n}-{i}", "detail": {}, "source": "s", "detail-type": "t"} for i in range(100)]
        assert server.post(body).status == 400
    binary = server.process.args[0]
    listing = subprocess.Popen(
        [binary, "rejected", "list", "-c", str(server.file)],
        cwd=server.folder,
        stdout=subprocess.PIPE,
    )
    assert listing.stdout.read(1)
    for n in range(400):
        assert server.post(make(f"e{n}")).status == 200
    log = server.folder / "var/sluice.db-wal"
    assert log.stat().st_size < 4 * MIB  # it may grow for a moment, but is not blocked
    listing.stdout.close()
    listing.wait()
    assert run("rejected", "list", "-c", server.file, cwd=server.folder).stdout.count("\n") == 2001
