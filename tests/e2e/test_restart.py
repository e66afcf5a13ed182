"""Processes that replace each other on one address and one store, under load: each event is retried until it is
answered, and accepted once."""

import os
import signal
import socket

import pytest
import yaml

from client import Connection
from load import Load
from server import PATIENCE, SLOW, Server, defaults, merge

ROUNDS = int(os.environ.get("SLUICE_ROUNDS", "4"))
STORE = "var/sluice.db"


def free_port():
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize("waits", [False, True], ids=["after the end", "before the end"])
def test_a_successor_takes_over(folder, event, waits):
    """With a store a new process may start while the old one still drains."""
    port = free_port()
    config = merge(
        defaults(), {"http": {"listen": f"127.0.0.1:{port}"}, "store": {"path": STORE}}
    )
    (folder / "sluice.yaml").write_text(yaml.safe_dump(config))
    server = Server(folder, config).wait_ready()
    with Load(lambda: Connection(("127.0.0.1", port), PATIENCE), event, retries=True) as load:
        for _ in range(ROUNDS):
            before = load.accepted
            server.signal(signal.SIGTERM)
            if not waits:
                server.stop()
            successor = Server(folder, config)
            if waits:
                server.stop()
            server = successor.wait_ready()
            server.wait_log(event="request", status=200)
            assert load.accepted >= before
    page = server.get("/metrics").body.decode()
    server.stop()
    assert not load.faults
    assert set(load.statuses) <= {200, 503}, load.statuses
    assert load.accepted > ROUNDS
    assert load.slowest < 10 * SLOW
    # Counters of the store survive restarts. Each event counts once, however often it was sent.
    assert f"\nsluice_store_accepted_total {load.accepted}\n" in page
