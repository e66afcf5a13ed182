"""Fixtures, and the import path of the helpers in tests/e2e."""

import os
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

# Through the environment all xdist workers get the same seed.
SEED = os.environ.setdefault("CRASH_SEED", str(random.SystemRandom().randrange(10**9)))


def pytest_report_header():
    return f"CRASH_SEED={SEED}"


@pytest.fixture
def seed(request):
    """The seed of the random numbers; the same CRASH_SEED repeats a run."""
    return f"{SEED}/{request.node.name}"


@pytest.fixture
def rng(seed):
    return random.Random(seed)


@pytest.fixture
def tell(record_property):
    """`tell(text)` prints a line at the end of the run."""
    return lambda text: record_property("tell", text)


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == "tell" and report.when == "call":
                    terminalreporter.write_line(f"{report.nodeid.split('::')[-1]}: {text}")
