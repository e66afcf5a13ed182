"""A full store refuses new events and still recognizes duplicates; it recovers without a restart."""

import time

import pytest

from load import Sequential
from trial import Trial


@pytest.mark.parametrize("with_disk", [False, True], ids=["killed", "power lost"])
def test_a_full_store(tmp_path, seed, rng, tell, with_disk):
    store = {"path": str(tmp_path / "var/sluice.db"), "max_size": "4MiB"}
    hook = {"max_backoff": "500ms"}
    with Trial(tmp_path, seed, rng, with_disk=with_disk, hook=hook, store=store) as trial:
        trial.receiver.behave = lambda number, records: 500
        trial.world.start()
        trial.crowd.start(pause=0.002)
        for _ in range(3):
            wait_until_full(trial)
            check_known(trial)
            trial.world.kill()
            if with_disk:
                trial.lose_power()
            trial.world.start()
        trial.world.look()
        size = sum(path.stat().st_size for path in (tmp_path / "var").iterdir())
        trial.receiver.behave = lambda number, records: 200
        trial.is_taken()
        trial.await_ready(True)
        violations = trial.finish(ordered=False)
        tell(f"{size / 2**20:.1f} MiB when full; {trial.summary()}")
        assert violations == []
        assert size < 2 * 4 * 2**20


def test_a_full_disk(tmp_path, seed, rng, tell):
    with Trial(tmp_path, seed, rng, with_disk=True) as trial:
        trial.world.start()
        trial.crowd.start(pause=0.002)
        for _ in range(3):
            time.sleep(0.3)
            trial.world.disk.full()
            trial.await_ready(False)
            check_known(trial)
            trial.world.disk.heal()
            trial.is_taken()
            trial.await_ready(True)
        violations = trial.finish()
        tell(trial.summary())
        assert violations == []


def wait_until_full(trial, seconds=30):
    """Send events until one is refused with "store full" and /readyz reports it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        event = trial.probe.new_event()
        answer = trial.probe.send(event.body)
        if answer and answer.status == 200:
            trial.ledger.accept(event, answer.body, False, time.monotonic())
        elif answer and answer.status == 503 and answer.json["details"] == "store full":
            checks = trial.world.server.get("/readyz").json["checks"]
            if checks["store"] == {"ok": False, "reason": "full"}:
                return
    trial.ledger.complain(f"the store is not full within {seconds} s")


def check_known(trial):
    """Stored events must still be duplicates."""
    caller = Sequential("known", trial.world, trial.ledger, trial.seed)
    for event in trial.rng.sample(trial.ledger.acknowledged(), 20):
        if not caller.offer(event):
            trial.ledger.complain(f"{event.mark} is not known while the store is full")
    caller.close()
