"""Tests of the simulated disk: shim.c loses exactly what was not synced.

Python writes to SQLite in the same way as the server does."""

import contextlib
import errno
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from disk import DIE, Disk
from server import MODE

pytestmark = pytest.mark.skipif(MODE in ("asan", "tsan"), reason="a sanitizer's library must come before any other")

WRITER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for pragma in ("journal_mode=WAL", "synchronous=" + sys.argv[2], "wal_autocheckpoint=0"):
    db.execute("PRAGMA " + pragma)
db.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, filler)")
n = db.execute("SELECT coalesce(max(n), 0) FROM t").fetchone()[0]
print("at", n, flush=True)
while True:
    n += 1
    try:
        db.execute("INSERT INTO t VALUES (?, zeroblob(?))", (n, n * 37 % 9000))
        if n % 40 == 0:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as problem:
        print("failed", problem, flush=True)
        sys.exit(1)
    print("done", n, flush=True)
"""


def write_until_killed(disk, place, synchronous, commits):
    """Commit until `commits` are reported or the process has ended. Returns the last one reported, and all output."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, place / "t.db", synchronous],
        stdout=subprocess.PIPE,
        env=os.environ | disk.env(),
        text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line.split())
        if len(lines) > commits:
            break
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.wait()
    lines += [line.split() for line in rest.splitlines() if rest.endswith("\n")]
    process.stdout.close()
    return max([int(line[1]) for line in lines if line[0] in ("at", "done")], default=0), lines


def stored(place):
    with contextlib.closing(sqlite3.connect(place / "t.db")) as db:
        if not db.execute("SELECT * FROM sqlite_schema").fetchall():
            return []  # the table does not exist either
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in db.execute("SELECT n FROM t ORDER BY n")]


@pytest.mark.parametrize("torn", [False, True], ids=["lost", "torn"])
@pytest.mark.parametrize("strike", ["outside", "write", "sync"])
def test_synced_commits_survive_a_power_loss(tmp_path, rng, torn, strike):
    disk = Disk(tmp_path, tmp_path / "t.db", tmp_path / "none")
    last = 0
    for _ in range(8):
        if strike != "outside":
            disk.fail("log", strike, DIE, skip=rng.randrange(60))
        told, _ = write_until_killed(disk, tmp_path, "FULL", rng.randrange(5, 90))
        disk.heal()
        disk.lose_power(rng, torn)
        last = max(told, last)
        if last:
            assert stored(tmp_path)[:last] == list(range(1, last + 1))
            disk.forget()


def test_commits_without_sync_do_not(tmp_path, rng):
    disk = Disk(tmp_path, tmp_path / "t.db", tmp_path / "none")
    told, _ = write_until_killed(disk, tmp_path, "OFF", 30)
    disk.lose_power(rng, False)
    assert told >= 29
    assert len(stored(tmp_path)) < told


@pytest.mark.parametrize("call", ["write", "sync"])
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_failures_reach_the_program(tmp_path, call, error):
    disk = Disk(tmp_path, tmp_path / "t.db", tmp_path / "none")
    disk.fail("log", call, getattr(errno, error), skip=10)
    told, lines = write_until_killed(disk, tmp_path, "FULL", 1000)
    assert lines[-1][0] == "failed"
    assert disk.heal() >= 1
    assert stored(tmp_path)[:told] == list(range(1, told + 1))
