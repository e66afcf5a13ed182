"""The five endpoints, and what every answer carries."""

import re

import pytest

from server import route

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
GETS = ["/", "/healthz", "/readyz", "/metrics"]


def test_root_names_the_program(shared):
    answer = shared.get("/")
    assert (answer.status, answer.body) == (200, b'{"name":"sluice","version":"0.1.0"}')


def test_healthz_is_ok_while_the_process_runs(shared):
    answer = shared.get("/healthz")
    assert (answer.status, answer.body) == (200, b'{"status":"ok"}')


def test_readyz_shows_each_check(shared):
    answer = shared.get("/readyz")
    assert answer.status == 200
    assert answer.body == (
        b'{"ready":true,"checks":{"schema":{"ok":true},"store":{"ok":true},"draining":{"ok":true}}}'
    )


def test_readyz_is_503_while_a_schema_is_not_usable(sluice):
    answer = sluice(routes=[route(schema="Nowhere")]).get("/readyz")
    assert answer.status == 503
    assert answer.json["ready"] is False
    assert answer.json["checks"]["schema"]["ok"] is False
    assert answer.json["checks"]["schema"]["reason"]
    assert answer.json["checks"]["draining"] == {"ok": True}


def test_metrics_are_prometheus_text(shared):
    answer = shared.get("/metrics")
    assert answer.status == 200
    assert answer.header("Content-Type").startswith("text/plain; version=0.0.4")
    assert answer.body.endswith(b"\n")


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_head_is_get_without_the_body(shared, path):
    get = shared.get(path)
    head = shared.request("HEAD", path)
    assert head.status == get.status
    assert head.header("Content-Length") == str(len(get.body))
    assert head.header("Content-Type") == get.header("Content-Type")


def test_head_leaves_nothing_behind_on_the_connection(shared):
    with shared.connect() as connection:
        for _ in range(3):
            connection.send(b"HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.answer("HEAD").status == 200
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.answer("GET").body == b'{"status":"ok"}'


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_json_answers_say_so(shared, path):
    assert shared.get(path).header("Content-Type") == "application/json"


def test_events_answers_json(shared, event):
    assert shared.post(event).header("Content-Type") == "application/json"
    assert shared.post(b"{").header("Content-Type") == "application/json"


@pytest.mark.parametrize(
    "value", ["a", "Az09._-", "x" * 128, "550e8400-e29b-11d4-a716-446655440000"]
)
def test_a_good_request_id_is_echoed(shared, value):
    assert shared.get("/healthz", {"X-Request-Id": value}).header("X-Request-Id") == value
    assert shared.get("/healthz", {"x-request-id": value}).header("X-Request-Id") == value


@pytest.mark.parametrize("value", [None, "", "x" * 129, "a b", "a/b", "a:b", "é", "<script>"])
def test_any_other_request_id_is_replaced_by_a_uuid(shared, value):
    got = shared.get("/healthz", {"X-Request-Id": value}).header("X-Request-Id")
    assert re.fullmatch(UUID4, got)


def test_request_ids_differ(shared):
    assert len({shared.get("/").header("X-Request-Id") for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "data",
    [
        b"GET /nowhere HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n",
        b"GET /events HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n",
        b"POST /events HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n",
        b"POST /events HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nContent-Length: 1\r\n\r\n{",
        b"POST /events HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n"
        b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["404", "405", "411", "400", "415"],
)
def test_refusals_carry_the_request_id_too(shared, data):
    assert shared.raw(data).header("X-Request-Id") == "mine"


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("query", ["?", "?a=1&b", "?%zz", "?/events"])
def test_the_query_is_ignored(shared, path, query):
    assert shared.get(path + query).status == 200


def test_the_query_of_an_event_is_ignored(shared, event):
    assert shared.post(event, "/events?token=1&x=%00").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1048575"},
        {"Range": "bytes=5-2"},
        {"Accept": "text/html"},
        {"Accept-Encoding": "gzip,deflate"},
        {"Accept-Charset": "utf-16"},
        {"Accept-Language": "xx"},
    ],
    ids=str,
)
def test_range_and_accept_are_ignored(shared, event, headers):
    answer = shared.post(event, headers=headers)
    assert answer.status == 200
    assert answer.header("Content-Encoding") is None
    assert answer.header("Content-Range") is None
    assert answer.json["interaction_id"] == event["detail"]["interaction"]["id"]


def test_the_callers_own_headers_are_served(shared, event):
    """What EventBridge really sends."""
    answer = shared.post(
        event,
        headers={
            "User-Agent": "Amazon/EventBridge/ApiDestinations",
            "Content-Type": "application/json; charset=utf-8",
            "Range": "bytes=0-1048575",
            "Accept-Encoding": "gzip,deflate",
            "Connection": "close",
        },
    )
    assert answer.status == 200
    assert answer.header("Connection").lower() == "close"
