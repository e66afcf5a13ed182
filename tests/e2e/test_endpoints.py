"""The five endpoints, and the headers of every answer."""

import re

from server import route

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
GETS = ["/", "/healthz", "/readyz", "/metrics"]


def test_each_probe_has_its_body(shared):
    bodies = {
        "/": b'{"name":"sluice","version":"0.1.0"}',
        "/healthz": b'{"status":"ok"}',
        "/readyz": b'{"ready":true,"checks":{"schema":{"ok":true},"store":{"ok":true},'
        b'"draining":{"ok":true}}}',
    }
    for path, body in bodies.items():
        answer = shared.get(path)
        assert (answer.status, answer.body) == (200, body)
        assert answer.header("Content-Type") == "application/json"
        head = shared.request("HEAD", path)
        assert (head.status, head.header("Content-Length")) == (200, str(len(body)))


def test_readyz_is_503_while_a_schema_is_not_usable(sluice):
    answer = sluice(routes=[route(schema="Nowhere")]).get("/readyz")
    assert (answer.status, answer.json["ready"]) == (503, False)
    assert answer.json["checks"]["schema"]["ok"] is False
    assert answer.json["checks"]["schema"]["reason"]


def test_events_answers_json(shared, event):
    assert shared.post(event).header("Content-Type") == "application/json"
    assert shared.post(b"{").header("Content-Type") == "application/json"


def test_a_good_request_id_is_echoed_and_any_other_replaced(shared):
    for value in ("Az09._-", "x" * 128):
        assert shared.get("/healthz", {"x-request-id": value}).header("X-Request-Id") == value
    replaced = set()
    for value in (None, "", "x" * 129, "a b", "a/b", "é", "<script>"):
        replaced.add(shared.get("/healthz", {"X-Request-Id": value}).header("X-Request-Id"))
    assert len(replaced) == 7
    assert all(re.fullmatch(UUID4, name) for name in replaced)


def test_the_query_is_ignored(shared, event):
    for path in GETS:
        for query in ("?", "?a=1&b", "?%zz", "?/events"):
            assert shared.get(path + query).status == 200
    assert shared.post(event, "/events?token=1&x=%00").status == 200


def test_range_and_accept_are_ignored(shared, event):
    for headers in (
        {"Range": "bytes=5-2"},
        {"Accept": "text/html"},
        {"Accept-Encoding": "gzip,deflate"},
        {"Accept-Charset": "utf-16"},
        {"Accept-Language": "xx"},
    ):
        answer = shared.post(event, headers=headers)
        assert answer.status == 200, headers
        assert answer.header("Content-Encoding") is None
        assert answer.header("Content-Range") is None


def test_the_headers_of_eventbridge_are_served(shared, event):
    """The headers that EventBridge sends."""
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
