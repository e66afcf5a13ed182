"""Random steps, compared with a model (model.py): no event is lost, invented, reordered or accepted twice."""

import os

import pytest

from model import Life
from trial import LONG

STEPS = int(os.environ.get("CRASH_STEPS", "10000" if LONG else "400"))


def test_a_random_life(tmp_path, seed, rng, tell):
    with Life(tmp_path, seed, rng) as life:
        violations = life.live(STEPS)
        tell(life.summary())
        assert violations == []


# Bugs that seed.c adds on purpose, each of another kind.
BUGS = ["no-sync", "early", "forgets", "loses", "shuffles", "miscounts"]


@pytest.mark.parametrize("bug", BUGS)
def test_a_fault_is_found(tmp_path, seed, rng, tell, bug):
    with Life(tmp_path, seed, rng, bug=bug, patience=10) as life:
        try:
            violations = life.live(5 * STEPS)
        except AssertionError as problem:  # the server cannot open the damaged store
            violations = [str(problem)]
        tell(f"{len(life.history)} steps: {violations[:1]}")
        assert violations
