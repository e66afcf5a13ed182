"""The minimum that must work with every version of the libraries: the sample event and many connections, over
plain HTTP and over TLS. `make test-trixie-short` runs only this file of the e2e tests."""

import pytest

from certificates import make_pair, trusting
from client import encode, request
from server import RECORD


@pytest.fixture(params=["plain", "tls"])
def server(request, sluice, folder):
    pair = make_pair(folder) if request.param == "tls" else None
    server = sluice(http={"tls": pair} if pair else {})
    server.context = trusting(pair) if pair else None
    return server


def test_the_sample_event_becomes_its_record(server, event):
    answer = server.post(event)
    assert answer.status == 200
    assert list(answer.json) == RECORD


def test_a_hundred_connections_are_served(server, event):
    connections = [server.connect() for _ in range(100)]
    for _ in range(2):
        for connection in connections:
            connection.send(request("POST", "/events", encode(event)))
        for connection in connections:
            assert connection.answer().status == 200
    for connection in connections:
        connection.close()
