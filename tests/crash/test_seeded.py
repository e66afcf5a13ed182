"""The crash tests detect bugs: each bug that seed.c adds must make them fail."""

import pytest

from disk import LIE
from trial import Trial

STRIKES = 150  # limit; the first loss ends the test, and one in fourteen finds an early answer

LOSSES = ("acknowledged events are lost", " in the store", "and is taken as new")


def is_loss(violations):
    return any(loss in text for text in violations for loss in LOSSES)


def strike_until_red(trial, strike, is_enough=is_loss):
    """Kill until `is_enough` is true for the violations. A bug can cause several kinds of them, for example a
    counter that decreases."""
    trial.crowd.start(pause=0.002)
    for _ in range(STRIKES):
        try:
            trial.world.start()
        except AssertionError as problem:  # the server cannot open the damaged store
            trial.ledger.complain(f"{problem}")
        else:
            trial.world.look()
        if is_enough(trial.ledger.violations):
            break
        strike()
    return trial.ledger.violations


@pytest.mark.parametrize("torn", [False, True], ids=["lost", "torn"])
def test_a_commit_without_sync_is_found(tmp_path, seed, rng, tell, torn):
    with Trial(tmp_path, seed, rng, with_disk=True, bug="no-sync") as trial:

        def strike():
            trial.strike()
            trial.world.disk.lose_power(rng, torn)

        violations = strike_until_red(trial, strike, bool if torn else is_loss)
        tell(f"{trial.world.lives} lives: {violations[:1]}")
        assert violations if torn else is_loss(violations)


def test_an_answer_before_the_commit_is_found(tmp_path, seed, rng, tell):
    with Trial(tmp_path, seed, rng, bug="early") as trial:
        violations = strike_until_red(trial, trial.strike)
        tell(f"{trial.world.lives} lives: {violations[:1]}")
        assert is_loss(violations)


def test_a_sink_that_does_not_sync_is_found(tmp_path, seed, rng, tell):
    with Trial(tmp_path, seed, rng, with_disk=True) as trial:
        trial.crowd.start(pause=0.002)
        for _ in range(3):
            trial.world.start()
            trial.world.disk.fail("sink", "sync", LIE)
            trial.drain_some()
            trial.world.kill()
            trial.world.disk.lose_power(rng, False)
        trial.world.disk.heal()
        violations = trial.finish()
        tell(f"{trial.world.lives} lives: {violations[:1]}")
        assert is_loss(text for text in violations if text.startswith("archive:"))
