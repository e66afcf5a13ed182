"""Power loss and failing disks, simulated by shim.c."""

import errno
import time

import pytest

from disk import DIE
from trial import KILLS, LONG, Trial, long_only

ROUNDS = 4 if LONG else 1  # of each fault


def test_nothing_acknowledged_is_lost_with_the_power(tmp_path, seed, rng, tell):
    # A small store has a short log, so power losses hit checkpoints too.
    store = {"path": str(tmp_path / "var/sluice.db"), "max_size": "24MiB"}
    with Trial(tmp_path, seed, rng, with_disk=True, store=store) as trial:
        trial.crowd.start(pause=0.004)
        for _ in range(KILLS):
            if trial.world.start():
                trial.world.look()
                trial.strike_disk()
            else:
                trial.world.disk.heal()
                trial.lose_power()
        violations = trial.finish()
        tell(trial.summary())
        assert violations == []


def test_a_file_put_aside_is_whole(tmp_path, seed, rng, tell):
    # The process is killed before it syncs the last lines of the file.
    with Trial(tmp_path, seed, rng, with_disk=True) as trial:
        world = trial.world
        world.start()
        world.disk.fail("sink", "sync", DIE, skip=3)
        trial.crowd.start(pause=0.004)
        world.server.process.wait(10)
        world.bury()
        world.disk.heal()
        world.config["sinks"][0]["rotate_size"] = 1  # a new file for each line
        world.start()
        trial.drain_some()
        world.kill()
        world.disk.lose_power(rng, torn=True)
        world.start()
        violations = trial.finish()
        tell(f"{len(world.sink_files())} files; {trial.summary()}")
        assert violations == []


# What fails, and how often. Without a count it fails until it is mended.
FAULTS = {
    "full": lambda disk: disk.full(),
    "broken": lambda disk: disk.broken(),
    "log write": lambda disk: disk.fail("log", "write", errno.EIO),
    "log write once": lambda disk: disk.fail("log", "write", errno.EIO, skip=7, count=1),
    "log sync": lambda disk: disk.fail("log", "sync", errno.EIO),
    "log sync once": lambda disk: disk.fail("log", "sync", errno.EIO, skip=3, count=1),
    "log sync a few times": lambda disk: disk.fail("log", "sync", errno.EIO, count=5),
    "index write": lambda disk: disk.fail("index", "write", errno.ENOSPC),
    "database write": lambda disk: disk.fail("database", "write", errno.EIO),
    "database sync once": lambda disk: disk.fail("database", "sync", errno.EIO, count=1),
    "sink write": lambda disk: disk.fail("sink", "write", errno.ENOSPC),
    "sink sync once": lambda disk: disk.fail("sink", "sync", errno.EIO, count=1),
    "folder sync": lambda disk: disk.fail("folder", "sync", errno.EIO),
}
SELDOM = {"index write", "folder sync", "database write", "database sync once"}  # these calls may not happen
LASTING = {"full", "broken", "log write", "log sync"}  # no event can be accepted during these

SHORT = {
    ("full", "mended"),
    ("broken", "killed"),
    ("log write once", "mended"),
    ("log sync", "mended"),
    ("log sync once", "killed"),
    ("index write", "mended"),
    ("database sync once", "killed"),
    ("sink write", "mended"),
    ("sink sync once", "killed"),
    ("folder sync", "killed"),
}


def rows():
    for fault in FAULTS:
        for ending in ("mended", "killed"):
            marks = () if (fault, ending) in SHORT else long_only
            yield pytest.param(fault, ending, marks=marks, id=f"{fault}, {ending}")


@pytest.mark.parametrize("fault, ending", rows())
def test_a_failing_disk_loses_nothing(tmp_path, seed, rng, tell, fault, ending):
    with Trial(tmp_path, seed, rng, with_disk=True) as trial:
        disk = trial.world.disk
        trial.crowd.start(pause=0.004)
        trial.world.start()
        hits = 0
        for _ in range(ROUNDS):
            time.sleep(0.1 + 0.2 * rng.random())
            FAULTS[fault](disk)
            time.sleep(0.2 + 0.3 * rng.random())
            if fault in LASTING:
                trial.await_ready(False)
            if ending == "killed":
                trial.world.kill()
                hits += disk.heal()
                trial.lose_power()
                trial.world.start()
            else:
                hits += disk.heal()
            trial.is_taken()
            trial.await_ready(True)
            trial.world.look()
        violations = trial.finish()
        tell(f"{hits} calls failed; {trial.summary()}")
        assert violations == []
        assert hits or fault in SELDOM


@pytest.mark.parametrize("fault", ["broken", "log sync", "full"])
def test_a_start_on_a_failing_disk_is_refused_or_answers_503(tmp_path, seed, rng, tell, fault):
    with Trial(tmp_path, seed, rng, with_disk=True) as trial:
        trial.crowd.start(pause=0.004)
        started = 0
        for _ in range(2 * ROUNDS):
            trial.world.start()
            time.sleep(0.2)
            trial.world.kill()
            trial.lose_power()
            FAULTS[fault](trial.world.disk)
            if trial.world.try_start():
                started += 1
                time.sleep(0.2)
                trial.world.kill()
                trial.lose_power()
            trial.world.disk.heal()
        violations = trial.finish()
        tell(f"{started} of {2 * ROUNDS} starts; {trial.summary()}")
        assert violations == []
