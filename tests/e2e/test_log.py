"""The log: exact keys in order, and no part of a request's content."""

import json
import re

import pytest

from client import encode
from server import put_schema, route

KEYS = [
    "ts",
    "level",
    "event",
    "request_id",
    "trace_id",
    "event_id",
    "method",
    "path",
    "status",
    "outcome",
    "route",
    "schema",
    "schema_version",
    "rule",
    "reason",
    "bytes_in",
    "bytes_out",
    "duration_us",
]
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
MARK = "XMARKX"


def logged(server, body, path="/events", **headers):
    """The log line of this request."""
    name = f"r{len(server.lines)}"
    answer = server.post(body, path, {"X-Request-Id": name, **headers})
    return answer, server.wait_log(event="request", request_id=name)


def test_a_valid_event_is_one_line(shared, event):
    answer, line = logged(shared, event)
    assert [key for key in KEYS if key in line] == list(line)
    assert re.fullmatch(STAMP, line["ts"])
    assert line["level"] == "info"
    assert line["event_id"] == event["id"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/events", 200)
    assert line["outcome"] == "valid"
    assert line["schema"] == "InteractionStartedSchema"
    assert isinstance(line["schema_version"], str)
    assert line["route"] == "route-1"
    assert "rule" not in line and "reason" not in line
    assert line["bytes_in"] == len(encode(event))
    assert line["bytes_out"] == len(answer.body)
    assert 0 < line["duration_us"] < 10_000_000


@pytest.mark.parametrize("shown", [True, False])
def test_the_clients_address_is_shown_when_wanted(sluice, event, shown):
    server = sluice(log={"client_address": shown}, http={"trusted_proxies": ["127.0.0.1"]})
    _, direct = logged(server, event)
    _, proxied = logged(server, event, **{"X-Forwarded-For": "2001:db8::9, 192.0.2.7"})
    assert direct.get("client") == ("127.0.0.1" if shown else None)
    assert proxied.get("client") == ("192.0.2.7" if shown else None)


def test_a_refused_event_names_the_rule(shared):
    _, line = logged(shared, {"id": "e1", "detail": {"interaction": {"id": 1, "start_time": ""}}})
    assert [key for key in KEYS if key in line] == list(line)
    assert (line["status"], line["outcome"]) == (400, "schema_invalid")
    assert line["rule"] == "/properties/interaction/properties/id/type"
    assert line["event_id"] == "e1"


def test_the_outcome_is_the_row_of_the_table(folder, sluice):
    put_schema(folder, "empty", b"")
    put_schema(folder, "wrong", {"type": "strin"})
    routes = [route(match={"source": name}, schema=name) for name in ("nowhere", "empty", "wrong")]
    server = sluice(routes=[*routes, route(match={"source": "a"})])
    for body, outcome in (
        (b"{", "malformed"),
        ({"source": "stray", "detail": 1}, "unrouted"),
        ({"source": "a", "detail": 1}, "schema_invalid"),
        ({"source": "a", "detail": {"interaction": {"id": "", "start_time": ""}}}, "transform_failed"),
        ({"source": "nowhere", "detail": 1}, "schema_not_found"),
        ({"source": "empty", "detail": 1}, "schema_unusable"),
        ({"source": "wrong", "detail": 1}, "internal"),
        ({"source": "a", "detail": {"interaction": {"id": "x", "start_time": ""}}}, "valid"),
    ):
        _, line = logged(server, body)
        assert line["outcome"] == outcome
        assert [key for key in KEYS if key in line] == list(line)


def test_a_refusal_says_why(folder, sluice):
    put_schema(folder, "closed", {"properties": {"id": {"type": "string"}}, "additionalProperties": False})
    server = sluice(
        http={"max_body": 1000},
        validation={"redact_values": False},
        routes=[route(match={"source": "c"}, schema="closed"), route(match={"source": "a"}, name="main")],
    )
    for body, status, reason in (
        ({"source": "c", "detail": {MARK: 1}}, 400, "Additional properties are not allowed ('*' was unexpected)"),
        ({"source": "c", "detail": {"id": 5}}, 400, "<integer> is not of type 'string'"),
        ({"source": "a", "detail": {"interaction": {"id": "1"}}}, 400, "'start_time' is a required property"),
        ({"source": "a"}, 400, "Invalid EventBridge payload: missing 'detail' key"),
        ({"source": "x", "detail": 1}, 400, "No route for this event"),
        (b'{"' + MARK.encode() + b'":{"a":1,"a":2}}', 400, "Invalid JSON at byte 17: duplicate key"),
        (b" " * 2000, 413, "body over http.max_body"),
    ):
        answer, line = logged(server, body)
        assert (answer.status, line["status"], line["level"]) == (status, status, "info")
        assert line["reason"] == reason
        assert line.get("route") == {"c": "route-1", "a": "main"}.get(body["source"] if isinstance(body, dict) else "")
    for method, path, status, reason in (("GET", "/none", 404, "no such path"), ("PUT", "/events", 405, "method")):
        server.request(method, path, None, {"X-Request-Id": f"s{status}"})
        assert server.wait_log(event="request", request_id=f"s{status}")["reason"] == reason


def test_probes_and_scrapes_are_logged_at_level_debug(sluice, event):
    server = sluice()
    for path in ("/", "/healthz", "/readyz", "/metrics"):
        assert server.get(path).status == 200
    server.post(event)
    assert server.wait_log(event="request")["path"] == "/events"


def test_a_503_is_a_warning_with_its_reason(sluice, event):
    server = sluice(status_map="eventbridge", routes=[route(schema="nowhere")])
    answer, line = logged(server, event)
    assert answer.status == 503
    assert (line["level"], line["reason"]) == ("warn", answer.json["details"])


def test_unknown_paths_log_as_other_and_queries_not_at_all(sluice):
    server = sluice(log={"level": "debug"})
    for number, (method, path, shown) in enumerate(
        [
            ("GET", "/healthz", "/healthz"),
            ("GET", f"/{MARK}", "other"),
            ("POST", "/events/", "other"),
            ("GET", "/?a=1", "/"),
            ("GET", "/events?x", "/events"),
            ("HEAD", "/", "/"),
        ]
    ):
        body = b"{}" if method == "POST" else None
        server.request(method, path, body, {"X-Request-Id": f"r{number}"})
        line = server.wait_log(event="request", request_id=f"r{number}")
        assert (line["method"], line["path"]) == (method, shown)


def test_every_line_is_one_json_object_with_the_first_three_keys(sluice, event):
    server = sluice(log={"level": "debug"})
    for body in (event, b"{", b'{"id":"\n"}', {"id": 'quote" \\ é \u2028', "detail": 1}):
        server.post(body)
    server.get("/nowhere")
    server.stop()
    for text in server.lines:
        if text is None:
            continue
        assert text.endswith("}\n") and text.count("\n") == 1
        line = json.loads(text)
        assert list(line)[:3] == ["ts", "level", "event"]
        assert line["level"] in ("debug", "info", "warn", "error")


def test_an_id_that_is_no_identifier_is_left_out(shared):
    for value in ("a b", "é", "x" * 129, '"', "a/b", "", 5, None):
        _, line = logged(shared, {"id": value, "detail": 1})
        assert "event_id" not in line
    _, line = logged(shared, {"id": "A.b_c:d-" + "9" * 120, "detail": 1})
    assert line["event_id"] == "A.b_c:d-" + "9" * 120


def test_a_strange_method_is_not_written_out(sluice):
    server = sluice()
    server.raw(f"{MARK} /events HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    server.stop()
    assert MARK not in "".join(filter(None, server.lines))


@pytest.mark.parametrize("kind", ["json", "text"])
def test_nothing_that_was_sent_is_logged(sluice, event, secret, kind):
    """Every header, value, key, path and query contains a mark, and no mark is in the log."""
    server = sluice(
        log={"level": "debug", "format": kind},
        auth={"api_keys": [{"header": "x-api-key", "value_file": secret(MARK + "key")}]},
    )
    key = {"X-Api-Key": MARK + "key"}
    marked = {
        f"X-{MARK}": MARK,
        "User-Agent": MARK,
        "Cookie": MARK,
        "Referer": MARK,
        "Authorization": f"Bearer {MARK}",
        "X-Request-Id": f"{MARK} no id",
        "X-Amzn-Trace-Id": f"Root={MARK} no id",
        "X-Forwarded-For": MARK,
        "Host": MARK,
    }
    interaction = event["detail"]["interaction"]
    bodies = [
        {**event, MARK: MARK, "id": f"{MARK} no id"},
        {**event, "source": MARK, "detail-type": MARK},
        {"detail": {"interaction": {**interaction, "id": [MARK]}}},
        {"detail": {"interaction": {**interaction, MARK: {MARK: MARK}, "customer": MARK}}},
        {"detail": {"interaction": {**interaction, "id": ""}, MARK: MARK}},
        {"detail": MARK},
        {MARK: MARK},
        MARK,
        f'{{"{MARK}":"{MARK}',
        f'{{"{MARK}":1,"{MARK}":2}}',
        [{"id": f"{MARK} ", "detail": {MARK: MARK}}],
    ]
    statuses = set()
    for body in bodies:
        statuses.add(server.post(body, f"/events?{MARK}={MARK}", marked | key).status)
        server.post(body, f"/{MARK}", marked | key)
        assert server.post(body, "/events", marked).status == 401
        server.post(body, "/events", marked | key | {"Content-Type": MARK})
        server.post(body, "/events", marked | key | {"Content-Encoding": MARK})
    assert statuses == {200, 400}
    server.raw(f"GET /{MARK} HTTP/1.1\r\nHost: a\r\nBad Header {MARK}\r\n\r\n".encode())
    server.raw(f"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {MARK}\r\n\r\n".encode())
    server.stop()
    text = "".join(filter(None, server.lines))
    assert "request" in text
    assert MARK not in text
    for part in (interaction["customer"]["email"], interaction["customer"]["name"]):
        assert part not in text


def test_text_lines_have_one_field_each(sluice, event):
    server = sluice(log={"format": "text"})
    server.post(event, headers={"X-Request-Id": "it"})
    line = server.wait_text(lambda text: " request " in text and "request_id=it" in text)
    assert re.match(STAMP + " info request ", line)
    fields = dict(part.split("=", 1) for part in line.split()[3:])
    assert fields["status"] == "200"
    assert [key for key in KEYS if key in fields] == list(fields)


def test_warn_silences_requests(sluice, event):
    server = sluice(log={"level": "warn"})
    server.post(event)
    server.post(b"{")
    server.stop()
    assert [line["event"] for line in server.log()] == ["ready"]
