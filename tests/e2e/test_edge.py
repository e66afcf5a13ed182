"""The deadline for a slow first line, and the limits for clients behind a proxy."""

import time

import pytest

from client import Closed, encode, request
from server import SLOW

BODY = encode({"detail": {"interaction": {"id": "a", "start_time": "b"}}})
HEAD = b"POST /events HTTP/1.1\r\nHost: a\r\n"


def drip(connection):
    """Send an endless first line byte by byte. Returns the seconds until the server cuts the connection."""
    began = time.monotonic()
    with pytest.raises((Closed, OSError)):
        for byte in b"GET /" + b"a" * 10000:
            connection.send(bytes([byte]))
            time.sleep(0.02)
        raise AssertionError("it may drip for ever")
    return time.monotonic() - began


@pytest.mark.parametrize("before", ["nothing", "a pause", "a request", "a request and a pause"])
def test_the_deadline_runs_from_the_first_byte(sluice, before):
    server = sluice(http={"deadline": "400ms"})
    with server.connect() as connection:
        if "request" in before:
            connection.send(request("POST", "/events", BODY))
            assert connection.answer().status == 200
        if "pause" in before:
            time.sleep(0.6)
        assert 0.3 < drip(connection) < 5 * SLOW
    assert not [line for line in server.log() if line["event"] == "request"][1:]


def test_a_pause_between_requests_is_no_part_of_one(sluice):
    server = sluice(http={"deadline": "300ms"})
    with server.connect() as connection:
        for _ in range(3):
            time.sleep(0.5)
            connection.send(request("POST", "/events", BODY))
            assert connection.answer().status == 200


def held(server, client):
    """A request in flight: the server waits for its body."""
    connection = server.connect()
    connection.send(
        HEAD
        + b"X-Forwarded-For: %b\r\nExpect: 100-continue\r\n" % client
        + b"Content-Length: %d\r\n\r\n" % len(BODY)
    )
    return connection


def test_clients_behind_a_proxy_are_counted_by_their_requests(sluice):
    server = sluice(
        http={"max_connections_per_address": 2, "trusted_proxies": ["127.0.0.0/8"]},
        log={"level": "warn"},
    )
    idle = [server.connect() for _ in range(8)]  # connections of the proxy itself are not counted
    first = [held(server, b"9.9.9.9, 192.0.2.1") for _ in range(2)]
    for connection in first:
        connection.more()  # 100 Continue: the request is admitted
        connection.buffer = b""
    refused = server.post(BODY, headers={"X-Forwarded-For": "9.9.9.8, 192.0.2.1"})
    assert (refused.status, refused.json["error"]) == (429, "Too Many Requests")
    assert int(refused.header("Retry-After")) >= 1
    assert server.post(BODY, headers={"X-Forwarded-For": "192.0.2.2"}).status == 200
    for connection in first:
        connection.send(BODY)
        assert connection.answer().status == 200
    assert server.post(BODY, headers={"X-Forwarded-For": "192.0.2.1"}).status == 200
    for connection in idle + first:
        connection.close()


def test_a_forwarded_address_is_believed_from_proxies_only(sluice):
    server = sluice(
        http={"max_connections_per_address": 1, "trusted_proxies": ["10.0.0.0/8"]},
        log={"level": "warn"},
    )
    with server.connect() as connection:
        connection.send(request("POST", "/events", BODY, {"X-Forwarded-For": "10.1.1.1"}))
        assert connection.answer().status == 200
        with server.connect() as other, pytest.raises((Closed, OSError)):
            other.send(request("POST", "/events", BODY, {"X-Forwarded-For": "10.2.2.2"}))
            other.answer()
