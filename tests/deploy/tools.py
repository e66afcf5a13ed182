"""The tools that check the files for clouds, as tests/setup.sh has installed them."""

import pathlib
import shutil

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "build/deploy-tools"


def find_tool(name):
    """The path of a program that tests/setup.sh has installed, or that the machine has; else the test is skipped."""
    found = shutil.which(name, path=f"{TOOLS}/bin:{TOOLS}/venv/bin:/usr/sbin:/usr/bin:/usr/local/bin")
    if not found:
        pytest.skip(f"{name} could not be installed")
    return found
