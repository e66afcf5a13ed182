"""Many connections at the same time: each is served, and all threads get some."""

import pathlib
import selectors
import time

import pytest

from client import Closed, encode, request
from server import PATIENCE, RELEASE, SLOW, wait_for

BODY = encode({"detail": {"interaction": {"id": "a", "start_time": "b"}}})


def open_many(server, count):
    return [server.connect() for _ in range(count)]


def all_at_once(connections, data):
    """Send on all connections, then read one answer from each. Returns the seconds."""
    began = time.monotonic()
    for connection in connections:
        connection.send(data)
    waiting = selectors.DefaultSelector()
    for connection in connections:
        waiting.register(connection.socket, selectors.EVENT_READ, connection)
    left = set(connections)
    while left and time.monotonic() - began < PATIENCE:
        for key, _ in waiting.select(0.5):
            if key.data in left:
                assert key.data.answer().status == 200
                left.discard(key.data)
                waiting.unregister(key.data.socket)
    assert not left, f"{len(left)} of {len(connections)} got no answer"
    return time.monotonic() - began


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [128, 129, 512])
def test_all_that_ask_at_once_are_answered_at_once(sluice, count, threads):
    """The HTTP library handles events in batches of 128: multiples of it must not stall."""
    server = sluice(http={"threads": threads})
    connections = open_many(server, count)
    # Wait until the server has accepted all, so that they are idle before the burst.
    all_at_once(connections, request("POST", "/events", BODY))
    took = min(all_at_once(connections, request("POST", "/events", BODY)) for _ in range(3))
    for connection in connections:
        connection.close()
    assert took < 1.0 * SLOW


def test_connections_come_and_go(sluice):
    server = sluice()
    for _ in range(20):
        connections = open_many(server, 50)
        all_at_once(connections[:25], request("POST", "/events", BODY))
        for connection in connections:
            connection.close()
    assert server.post(BODY).status == 200
    if RELEASE:
        assert server.memory()["RssAnon"] < 12 * 1024


def served(server, patience=1.0):
    """Does a new connection get an answer?"""
    try:
        with server.connect(timeout=patience) as connection:
            connection.send(request("POST", "/events", BODY))
            return connection.answer().status == 200
    except (OSError, Closed):
        return False


def test_the_limit_of_connections_holds_and_recovers(sluice):
    server = sluice(http={"max_connections": 10})
    kept = open_many(server, 10)
    all_at_once(kept, request("POST", "/events", BODY))
    assert not served(server, patience=0.5)
    all_at_once(kept, request("POST", "/events", BODY))
    for connection in kept:
        connection.close()
    wait_for(lambda: served(server))


def test_the_limit_per_address_holds_and_recovers(sluice):
    server = sluice(http={"max_connections_per_address": 3})
    kept = open_many(server, 3)
    all_at_once(kept, request("POST", "/events", BODY))
    assert not served(server, patience=0.5)
    for connection in kept:
        connection.close()
    wait_for(lambda: served(server))


def test_connections_are_capped_to_the_files_one_may_open(sluice):
    server = sluice(nofile=64)
    held = []
    try:
        for _ in range(100):
            held.append(server.connect(timeout=0.2))
    except OSError:
        pass
    assert server.process.poll() is None
    for connection in held:
        connection.close()
    wait_for(lambda: served(server))


def busy(server):
    """CPU time of each thread so far, in nanoseconds."""
    times = {}
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        times[task.name] = int((task / "schedstat").read_text().split()[0])
    return times


@pytest.mark.skipif(not RELEASE, reason="measures time")
def test_the_threads_share_the_connections(sluice):
    server = sluice(http={"threads": 4}, log={"level": "error"})
    connections = open_many(server, 32)
    before = busy(server)
    for _ in range(60):
        all_at_once(connections, request("POST", "/events", BODY))
    after = busy(server)
    for connection in connections:
        connection.close()
    spent = sorted((after[task] - before.get(task, 0) for task in after), reverse=True)
    assert spent[3] > spent[0] / 4, spent
