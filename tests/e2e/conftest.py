"""Fixtures: `sluice(...)` starts a server; `folder` is its working directory; sample events.

With GLUE_PEER=moto only the tests of Glue run, against moto instead of the emulated Glue.
"""

import json
import os

import pytest

pytest.register_assert_rewrite("server", "client")

from receiver import Receiver
from server import ROOT, Server, defaults, furnish, merge

MOTO = os.environ.get("GLUE_PEER") == "moto"
if MOTO:
    from glue_moto import Moto as Glue
else:
    from glue_server import GlueServer as Glue

# @pytest.mark.emulator_only("faults"): the reason why a test needs the emulated Glue
LACKS = {
    "faults": "moto cannot be told to fail, to wait, or to have a wrong clock",
    "tls": "moto has no certificates that are wrong",
    "keys": "moto lets in only keys that it has made, and they do not expire",
    "verdicts": "moto makes every version AVAILABLE at once, whatever the compatibility mode",
    "list": "moto has no ListSchemaVersions",
    "ids": "moto's client does not keep the ids of versions",
    "empty": "moto creates no schema without a first version",
}


def pytest_configure(config):
    config.addinivalue_line("markers", "emulator_only(what): what moto lacks, see LACKS")


def pytest_collection_modifyitems(config, items):
    if MOTO:
        glues = [i for i in items if "glue" in i.fixturenames or i.get_closest_marker("emulator_only")]
        config.hook.pytest_deselected(items=[item for item in items if item not in glues])
        items[:] = glues


def pytest_runtest_setup(item):
    for mark in item.iter_markers("emulator_only"):
        reason = LACKS[mark.args[0]]
        if MOTO:
            pytest.skip(reason)


@pytest.fixture
def glue():
    """An emulated Glue without registries."""
    with Glue() as peer:
        yield peer


@pytest.fixture
def folder(tmp_path):
    furnish(tmp_path)
    return tmp_path


@pytest.fixture
def sluice(folder):
    """Start servers: `sluice(http={...}, validation={...})`; each must exit cleanly at the end of the test."""
    servers = []

    def start(env=None, text=None, nofile=None, prefix=(), **changes):
        place = folder / f"server{len(servers)}" if servers else folder
        if servers:
            furnish(place)
        config = merge(defaults(), changes)
        server = Server(place, config, env=env, text=text, nofile=nofile, prefix=prefix)
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
    """One server with the default configuration, except for a deadline that a busy machine keeps, for all tests of a
    module. Tests must not change it."""
    place = tmp_path_factory.mktemp("shared")
    furnish(place)
    server = Server(place, merge(defaults(), {"http": {"deadline": "60s"}})).wait_ready()
    yield server
    server.stop()


@pytest.fixture
def event():
    """A copy of the sample event, which the test may change."""
    return json.loads((ROOT / "conf/samples/interaction.started.json").read_text())


@pytest.fixture
def secret(folder):
    """`secret("alpha")` returns the path of a file with this secret."""
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
    """`receiver(...)` starts an HTTP server to which an HTTP sink delivers."""
    made = []

    def start(**options):
        made.append(Receiver(**options))
        return made[-1]

    yield start
    for one in made:
        one.close()
