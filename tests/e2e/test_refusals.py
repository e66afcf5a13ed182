"""Requests that are refused before their event is read: one of each kind.

tests/unit/server/http has the tables of paths, types, lengths, codings and their order."""

import json

import pytest

from client import request
from server import wait_for

MIB = 1024 * 1024
EVENTS = "POST /events HTTP/1.1\r\nHost: a\r\n"


def refused(answer, status, phrase):
    assert answer.status == status
    assert answer.json["error"] == phrase
    assert list(answer.json) in (["error"], ["error", "details"])
    return answer


REFUSALS = {
    "path": ("POST /events/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 404, "Not Found"),
    "method": ("PUT /events HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 405, "Method Not Allowed"),
    "no length": (EVENTS + "\r\n", 411, "Length Required"),
    "length": (EVENTS + "Content-Length: 99999999999\r\n\r\n", 413, "Content Too Large"),
    "type": (EVENTS + "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415, "Unsupported Media Type"),
    "coding": (EVENTS + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415, "Unsupported Media Type"),
    "transfer coding": (EVENTS + "Transfer-Encoding: gzip\r\n\r\n", 501, "Not Implemented"),
    "two ends": (
        EVENTS + "Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "Bad Request",
    ),
    "nothing": (EVENTS + "Content-Length: 0\r\n\r\n", 400, "Processing failed"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_has_its_status_and_phrase(shared, name):
    data, status, phrase = REFUSALS[name]
    answer = refused(shared.raw(data.encode()), status, phrase)
    assert answer.header("Allow") == ("POST" if status == 405 else None)


def test_probes_take_get_and_head_only(shared):
    for path in ("/", "/healthz", "/readyz", "/metrics"):
        answer = refused(shared.request("POST", path, b"{}"), 405, "Method Not Allowed")
        assert answer.header("Allow") == "GET, HEAD"


def test_the_bounds_of_a_head(shared):
    headers = {f"X-{n:02}": "a" * 150 for n in range(96)}  # plus Host and the request line
    assert shared.get("/healthz", headers).status == 200
    refused(shared.get("/healthz", headers | {"X": "a" * 2000}), 431, "Request Header Fields Too Large")
    assert shared.get("/healthz", {"X-Long": "a" * 20_000}).status == 431
    assert shared.get("/" + "a" * 40_000).status == 414


def test_a_body_over_the_limit_is_413(sluice, shared):
    refused(shared.post(b" " * (2 * MIB + 1)), 413, "Content Too Large")
    server = sluice(http={"max_body": "1KiB"})
    chunks = b"".join(b"100\r\n" + b" " * 256 + b"\r\n" for _ in range(5)) + b"0\r\n\r\n"
    head = f"{EVENTS}Transfer-Encoding: chunked\r\n\r\n".encode()
    refused(server.raw(head + chunks), 413, "Content Too Large")


def test_a_body_at_the_limit_is_read(shared, event):
    body = json.dumps(event).encode()
    assert shared.post(body + b" " * (2 * MIB - len(body))).status == 200


# Limits.


def test_over_the_rate_is_429(sluice, event):
    server = sluice(http={"rate_limit": 1})
    answers = [server.post(event) for _ in range(10)]
    assert answers[0].status == 200
    late = [answer for answer in answers if answer.status != 200]
    assert late
    for answer in late:
        refused(answer, 429, "Too Many Requests")
        assert int(answer.header("Retry-After")) >= 1


def unavailable(answer):
    assert answer.status == 503
    assert answer.json["error"].lower() == "service unavailable"
    assert int(answer.header("Retry-After")) >= 1


def test_over_the_requests_in_flight_is_503(sluice, event):
    server = sluice(http={"max_in_flight": 1})
    with server.connect() as slow:
        slow.send(f"{EVENTS}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        slow.more()  # 100 Continue: the request is in flight
        unavailable(server.post(event))
        slow.send(b"{}")
        assert slow.answer().status == 400
    answers = (server.post(event).status for _ in range(1000))
    assert next(status for status in answers if status != 503) == 200


def test_over_the_bytes_in_flight_is_503(sluice, event):
    server = sluice(http={"max_body": "64KiB", "max_inflight_bytes": "100KiB"})
    with server.connect() as slow:
        slow.send(f"{EVENTS}Content-Length: 65536\r\nExpect: 100-continue\r\n\r\n".encode())
        slow.more()
        assert server.post(b" " * 65536).status == 400  # an announced body uses no memory until it arrives
        slow.send(b" " * 65535)
        wait_for(lambda: inflight_bytes(server) == 65536)
        answer = server.post(b" " * 65536)
        unavailable(answer)
        assert answer.json["details"] == "memory for bodies"
        ready = server.get("/readyz")
        assert ready.status == 503
        assert ready.json["checks"]["memory"] == {"ok": False, "reason": "memory for bodies"}
        assert server.post(event).status == 200
        slow.send(b" ")
        assert slow.answer().status == 400
    assert inflight_bytes(server) == 0  # released before the answer was sent
    assert server.post(b" " * 65536).status == 400
    wait_for(lambda: server.get("/readyz").status == 200)


def inflight_bytes(server):
    return server.metric("sluice_inflight_bytes")


def test_every_request_but_probes_counts_against_the_rate(sluice, secret, event):
    key = {"header": "x-api-key", "value_file": secret("alpha")}
    server = sluice(http={"rate_limit": 1}, auth={"api_keys": [key]})

    def is_limited_after(*refused):
        assert server.request(*refused).status in (401, 404)
        good = server.post(event, headers={"X-Api-Key": "alpha"}).status
        return (good, server.get("/metrics").status) == (429, 429)

    wait_for(lambda: is_limited_after("GET", "/nowhere"))
    wait_for(lambda: is_limited_after("POST", "/events", b"{}"))
    assert [server.get(path).status for path in ("/", "/healthz", "/readyz")] == [200] * 3


def test_a_refusal_keeps_the_connection(shared, event):
    """A refused request does not close the connection."""
    body = json.dumps(event).encode()
    with shared.connect() as connection:
        for headers, status in [({"Content-Type": "text/plain"}, 415), ({}, 200)]:
            connection.send(request("POST", "/events", body, headers))
            assert connection.answer().status == status
