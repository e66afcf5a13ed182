"""The fixtures of tests/e2e, for these tests too; and programs that run beside the server."""

import importlib.util
import pathlib
import socket
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "e2e"))
spec = importlib.util.spec_from_file_location("e2e_fixtures", TESTS / "e2e/conftest.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)
event, folder, receiver, secret = fixtures.event, fixtures.folder, fixtures.receiver, fixtures.secret
sluice = fixtures.sluice

from server import PATIENCE, wait_for  # noqa: E402  (its folder is on the path only now)
from tools import find_tool  # noqa: E402


@pytest.fixture
def tool():
    """`tool(name, argument...)` runs a program; it must succeed. Returns its standard output."""

    def run(name, *words, stdin=None, **options):
        done = subprocess.run([find_tool(name), *map(str, words)], input=stdin, capture_output=True, text=True,
                              timeout=300, check=False, **options)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def free_port():
    """`free_port()` returns a free port of 127.0.0.1."""

    def find():
        with socket.create_server(("127.0.0.1", 0)) as probe:
            return probe.getsockname()[1]

    return find


@pytest.fixture
def background(tmp_path):
    """`background(command, port, ...)` starts a program and waits until it listens on the port of 127.0.0.1."""
    processes = []

    def listens(process, port):
        assert process.poll() is None, (tmp_path / "background.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    def start(command, port, **options):
        with open(tmp_path / "background.log", "ab") as log:
            process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, **options)
        processes.append(process)
        wait_for(lambda: listens(process, port), f"port {port} of {command[0]}", 6 * PATIENCE)
        return process

    yield start
    for process in processes:
        process.terminate()  # nginx ends its workers, which SIGKILL would leave behind
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
