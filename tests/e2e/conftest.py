"""Fixtures: `sluice(...)` starts a server; `folder` is its working directory; events to send."""

import json

import pytest

pytest.register_assert_rewrite("server", "client")

from receiver import Receiver
from server import ROOT, Server, defaults, furnish, merge


@pytest.fixture
def folder(tmp_path):
    furnish(tmp_path)
    return tmp_path


@pytest.fixture
def sluice(folder):
    """Start servers: `sluice(http={...}, validation={...})`; each must end cleanly."""
    servers = []

    def start(env=None, text=None, nofile=None, **changes):
        place = folder / f"server{len(servers)}" if servers else folder
        if servers:
            furnish(place)
        server = Server(place, merge(defaults(), changes), env=env, text=text, nofile=nofile)
        servers.append(server)
        return server.wait_ready()

    yield start
    try:
        for server in servers:
            if not server.checked:
                server.stop()
    finally:
        for server in servers:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server with the defaults, for the tests of a module that change nothing."""
    place = tmp_path_factory.mktemp("shared")
    furnish(place)
    server = Server(place, defaults()).wait_ready()
    yield server
    server.stop()


@pytest.fixture
def event():
    """The mission's sample, free to change."""
    return json.loads((ROOT / "conf/samples/interaction.started.json").read_text())


@pytest.fixture
def secret(folder):
    """`secret("alpha")` is the path of a file that holds it."""
    count = 0

    def write(value):
        nonlocal count
        count += 1
        path = folder / f"secret{count}"
        path.write_text(value)
        path.chmod(0o600)
        return str(path)

    return write


@pytest.fixture
def receiver():
    """`receiver(...)` starts what an HTTP sink delivers to."""
    made = []

    def start(**options):
        made.append(Receiver(**options))
        return made[-1]

    yield start
    for one in made:
        one.close()
