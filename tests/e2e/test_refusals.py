"""Refusals before the pipeline: their statuses, their bodies, and which comes first."""

import base64
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


@pytest.mark.parametrize(
    "path",
    [
        "/event",
        "/events/",
        "/Events",
        "//events",
        "/events%20",
        "/%65vents",
        "/./events",
        "/a/../events",
        "/healthz/",
        "/favicon.ico",
        "/events;a",
        "/eventsx",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_paths_are_404(shared, method, path):
    body = b"{}" if method == "POST" else None
    refused(shared.request(method, path, body), 404, "Not Found")


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "post", "BREW"]
)
def test_events_takes_post_only(shared, method):
    body = b"{}" if method in ("PUT", "PATCH") else None
    answer = shared.request(method, "/events", body)
    assert (answer.status, answer.header("Allow")) == (405, "POST")
    if method != "HEAD":
        refused(answer, 405, "Method Not Allowed")


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "get"])
def test_the_rest_takes_get_and_head_only(shared, method, path):
    body = b"{}" if method in ("POST", "PUT") else None
    answer = refused(shared.request(method, path, body), 405, "Method Not Allowed")
    assert answer.header("Allow") == "GET, HEAD"


def test_a_post_without_length_is_411(shared):
    refused(shared.raw((EVENTS + "\r\n").encode()), 411, "Length Required")


def test_a_post_of_nothing_is_the_pipelines_400(shared):
    answer = shared.post(b"")
    assert (answer.status, answer.json["error"]) == (400, "Processing failed")


def test_an_absolute_target_is_served(shared):
    for target in ("http://sluice/healthz", "HTTPS://elsewhere:1/healthz?a"):
        assert shared.get(target).status == 200
    refused(shared.get("http:///healthz"), 400, "Bad Request")


def test_a_head_of_16_kib_in_a_hundred_lines_is_served(shared):
    headers = {f"X-{n:02}": "a" * 150 for n in range(96)}  # beside Host, and the request line
    assert shared.get("/healthz", headers).status == 200
    refused(shared.get("/healthz", headers | {"X": "a" * 2000}), 431, "Request Header Fields Too Large")


def test_a_long_target_is_414(shared):
    assert shared.get("/" + "a" * 40_000).status == 414


@pytest.mark.parametrize(
    "headers",
    [{"X-Long": "a" * 20_000}, {f"X-{n}": "a" * 80 for n in range(200)}],
    ids=["one long line", "many lines"],
)
def test_too_many_header_bytes_are_431(shared, headers):
    assert shared.get("/healthz", headers).status == 431


@pytest.mark.parametrize("coding", ["gzip", "identity", "gzip, chunked", "xchunked"])
def test_other_transfer_codings_are_501(shared, coding):
    answer = shared.raw(f"{EVENTS}Transfer-Encoding: {coding}\r\n\r\n".encode())
    refused(answer, 501, "Not Implemented")


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=latin1",
        "Application/JSON",
        "text/json",
        "application/cloudevents+json",
        "application/ld+json; a=b",
    ],
    ids=str,
)
def test_json_content_types_are_taken(shared, event, kind):
    assert shared.post(event, headers={"Content-Type": kind}).status == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/jsonx",
        "json",
        "multipart/form-data; a=application/json",
    ],
)
def test_other_content_types_are_415(shared, event, kind):
    answer = shared.post(event, headers={"Content-Type": kind})
    refused(answer, 415, "Unsupported Media Type")
    assert "application/json" in answer.json["details"]


def test_identity_is_no_coding(shared, event):
    assert shared.post(event, headers={"Content-Encoding": "identity"}).status == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, identity"])
def test_content_codings_are_415(shared, event, coding):
    answer = shared.post(event, headers={"Content-Encoding": coding})
    refused(answer, 415, "Unsupported Media Type")


def test_a_body_over_the_limit_is_413(shared):
    refused(shared.post(b" " * (2 * MIB + 1)), 413, "Content Too Large")


def test_a_body_at_the_limit_is_read(shared, event):
    body = json.dumps(event).encode()
    assert shared.post(body + b" " * (2 * MIB - len(body))).status == 200


def test_a_chunked_body_over_the_limit_is_413(sluice):
    server = sluice(http={"max_body": "1KiB"})
    chunks = b"".join(b"100\r\n" + b" " * 256 + b"\r\n" for _ in range(5)) + b"0\r\n\r\n"
    refused(
        server.raw(f"{EVENTS}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks),
        413,
        "Content Too Large",
    )


def test_expect_gets_413_instead_of_100(sluice):
    server = sluice(http={"max_body": "1KiB"})
    with server.connect() as connection:
        connection.send(f"{EVENTS}Content-Length: 5000\r\nExpect: 100-continue\r\n\r\n".encode())
        answer = connection.answer()
    assert (answer.status, answer.interim) == (413, [])


def test_a_huge_declared_length_is_413_at_once(shared):
    refused(
        shared.raw(f"{EVENTS}Content-Length: 99999999999\r\n\r\n".encode()),
        413,
        "Content Too Large",
    )


# Credentials.


def keyed(secret, *keys):
    return {"api_keys": [{"header": "x-api-key", "value_file": secret(key)} for key in keys]}


def test_an_api_key_opens_the_door(sluice, event, secret):
    server = sluice(auth=keyed(secret, "alpha", "beta"))
    assert server.post(event, headers={"X-Api-Key": "alpha"}).status == 200
    assert server.post(event, headers={"x-api-key": "beta"}).status == 200


@pytest.mark.parametrize("key", [None, "", "gamma", "alph", "alphaa", "ALPHA", "alpha,beta"])
def test_a_wrong_api_key_is_401(sluice, event, secret, key):
    server = sluice(auth=keyed(secret, "alpha", "beta"))
    answer = refused(server.post(event, headers={"X-Api-Key": key}), 401, "Unauthorized")
    assert answer.header("WWW-Authenticate")
    assert b"alpha" not in answer.body


def test_a_key_file_may_end_with_a_newline(sluice, event, secret):
    server = sluice(auth=keyed(secret, "alpha\n"))
    assert server.post(event, headers={"X-Api-Key": "alpha"}).status == 200


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_basic_credentials_open_the_door(sluice, event, secret):
    server = sluice(auth={"basic": [{"user": "eve", "password_file": secret("p:ä")}]})
    assert server.post(event, headers=basic("eve", "p:ä")).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("eve", "wrong"),
        basic("Eve", "pass"),
        basic("", ""),
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!!"},
        {"Authorization": "Bearer ZXZlOnBhc3M="},
        {"Authorization": "Basic ZXZl"},
    ],
    ids=str,
)
def test_wrong_basic_credentials_are_401(sluice, event, secret, headers):
    server = sluice(auth={"basic": [{"user": "eve", "password_file": secret("pass")}]})
    answer = refused(server.post(event, headers=headers), 401, "Unauthorized")
    assert answer.header("WWW-Authenticate").startswith("Basic ")


def test_either_kind_of_credential_is_enough(sluice, event, secret):
    server = sluice(
        auth=keyed(secret, "alpha") | {"basic": [{"user": "eve", "password_file": secret("pass")}]}
    )
    assert server.post(event, headers={"X-Api-Key": "alpha"}).status == 200
    assert server.post(event, headers=basic("eve", "pass")).status == 200
    assert server.post(event).status == 401


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_probes_need_no_credential(sluice, secret, path):
    assert sluice(auth=keyed(secret, "alpha")).get(path).status == 200


def test_an_unadmitted_body_is_never_judged(sluice, secret):
    server = sluice(auth=keyed(secret, "alpha"))
    refused(server.post(b"not json"), 401, "Unauthorized")


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
        slow.more()  # 100 Continue: it is in flight now
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
        assert server.post(b" " * 65536).status == 400  # what is announced only takes no memory
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
    assert inflight_bytes(server) == 0  # given back before the answer left
    assert server.post(b" " * 65536).status == 400
    wait_for(lambda: server.get("/readyz").status == 200)


def inflight_bytes(server):
    return server.metric("sluice_inflight_bytes")


def test_every_request_but_probes_counts_against_the_rate(sluice, secret, event):
    server = sluice(http={"rate_limit": 1}, auth=keyed(secret, "alpha"))

    def is_limited_after(*refused):
        assert server.request(*refused).status in (401, 404)
        good = server.post(event, headers={"X-Api-Key": "alpha"}).status
        return (good, server.get("/metrics").status) == (429, 429)

    wait_for(lambda: is_limited_after("GET", "/nowhere"))
    wait_for(lambda: is_limited_after("POST", "/events", b"{}"))
    assert [server.get(path).status for path in ("/", "/healthz", "/readyz")] == [200] * 3


# Which refusal comes first.


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"POST /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 411),
        (b"PUT /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404),
        (b"PUT /events HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405),
        (request("POST", "/events", b" " * 3000, {"Content-Type": "text/plain"}), 401),
        (
            request(
                "POST", "/events", b" " * 3000, {"X-Api-Key": "alpha", "Content-Type": "text/plain"}
            ),
            413,
        ),
        (
            request("POST", "/events", b" ", {"X-Api-Key": "alpha", "Content-Type": "text/plain"}),
            415,
        ),
    ],
    ids=[
        "framing, then path",
        "path, then method",
        "method, then credential",
        "credential, then size",
        "size, then type",
        "type, then the body",
    ],
)
def test_the_first_fault_is_the_one_named(sluice, secret, data, status):
    server = sluice(http={"max_body": "1KiB"}, auth=keyed(secret, "alpha"))
    assert server.raw(data).status == status


def test_a_wrong_type_is_named_before_the_rate(sluice, event):
    server = sluice(http={"rate_limit": 1})
    for _ in range(5):
        server.post(event)
    assert server.post(event, headers={"Content-Type": "text/plain"}).status == 415


def test_a_refusal_keeps_the_connection(shared, event):
    """Refusing must not cost the sender a new connection."""
    body = json.dumps(event).encode()
    with shared.connect() as connection:
        for headers, status in [({"Content-Type": "text/plain"}, 415), ({}, 200)]:
            connection.send(request("POST", "/events", body, headers))
            assert connection.answer().status == status
