"""The metrics: names, labels, and values that agree with the requests sent."""

import re
import signal
import socket
from datetime import datetime, timedelta, timezone

import pytest

from client import Closed, request
from server import REGISTRY, SCHEMA, wait_for

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$')


def scrape(server):
    """Returns {(name, label pairs): value} and {name: type}; checks the format."""
    samples, types, helped = {}, {}, set()
    for line in server.get("/metrics").body.decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types
            types[name] = kind
        elif line.startswith("# HELP "):
            helped.add(line.split(" ")[2])
        else:
            name, labels, value = SAMPLE.match(line).groups()
            key = (name, frozenset(re.findall(r'([a-z_]+)="([^"]*)"', labels or "")))
            assert key not in samples, line
            samples[key] = float(value)
            family = re.sub("_(bucket|sum|count)$", "", name)
            assert name in types or types[family] == "histogram", line
    assert helped == set(types)
    return samples, types


def value(server, name, **labels):
    return scrape(server)[0].get((name, frozenset(labels.items())), 0)


def test_names_and_types(shared, event):
    shared.post(event)
    _, types = scrape(shared)
    want = {
        "sluice_build_info": "gauge",
        "sluice_ready": "gauge",
        "sluice_http_requests_total": "counter",
        "sluice_http_request_duration_seconds": "histogram",
        "sluice_http_connections": "gauge",
        "sluice_events_total": "counter",
        "sluice_schema_info": "gauge",
        "sluice_schema_age_seconds": "gauge",
        "sluice_schema_refreshes_total": "counter",
        "sluice_schema_guard_refusals_total": "counter",
    }
    assert want.items() <= types.items()


def test_requests_are_counted_by_path_method_and_status(sluice, event):
    server = sluice()
    for body in (event, event, b"{"):
        server.post(event if body is event else body)
    server.get("/nowhere1")
    server.get("/nowhere2")
    server.get("/events")
    name = "sluice_http_requests_total"
    assert value(server, name, path="/events", method="POST", status="200") == 2
    assert value(server, name, path="/events", method="POST", status="400") == 1
    assert value(server, name, path="/events", method="GET", status="405") == 1
    assert value(server, name, path="other", method="GET", status="404") == 2


@pytest.mark.parametrize(("end", "deadline"), [("late", "300ms"), ("gone", "60s")])
def test_requests_that_are_cut_are_not_those_that_were_left(sluice, end, deadline):
    server = sluice(http={"deadline": deadline})
    with server.connect() as connection:
        connection.send(request("POST", "/events", b"{}")[:-1])
        if end == "late":
            assert connection.is_closed()
        else:
            wait_for(lambda: value(server, "sluice_inflight_bytes") > 0)
    name, labels = "sluice_http_requests_total", {"path": "/events", "method": "POST"}
    wait_for(lambda: value(server, name, status=end, **labels) == 1)
    assert value(server, name, status="gone" if end == "late" else "late", **labels) == 0


@pytest.mark.parametrize(
    ("reason", "data"),
    [
        ("version", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("too_long", b"GET /" + b"a" * 40_000),
        ("late", b"\x16\x03\x01\x02\0\x01\0\x01"),
        (None, b""),
        (None, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ],
    ids=["h2", "a long line", "TLS", "nothing", "a request"],
)
def test_what_is_no_request_leaves_a_trace(sluice, reason, data):
    server = sluice(http={"deadline": "1s"})
    with server.connect() as connection:
        connection.send(data)
        if data:
            with pytest.raises((Closed, ConnectionError)):
                while True:
                    connection.more()
    name = "sluice_http_not_understood_total"
    if reason:
        said = server.wait_log(event="request_not_understood")["reason"]
        assert said == reason or (reason, said) == ("late", "not_http")  # libmicrohttpd 1.0 and later
        assert value(server, name, reason=said) == 1
    assert sum(v for (n, _), v in scrape(server)[0].items() if n == name) == bool(reason)


def test_what_a_sender_chooses_makes_no_new_series(sluice):
    server = sluice()
    server.request("BREW", "/events")
    server.get("/first")
    before = set(scrape(server)[0])
    for number in range(20):
        server.request(f"M{number}", "/events")
        server.get(f"/path{number}")
        server.post({"id": f"i{number}", "source": f"s{number}", "detail": number}, f"/p{number}")
    after = set(scrape(server)[0])
    assert len(after - before) <= 4


def test_events_are_counted_by_outcome(sluice):
    server = sluice()
    server.post(b"{")
    server.post({"detail": {"interaction": {"id": "", "start_time": ""}}})
    server.post([{"detail": 1}, {"detail": {"interaction": {"id": "x", "start_time": ""}}}, 5])
    for route, outcome, count in (
        ("", "malformed", 2),
        ("route-1", "transform_failed", 1),
        ("route-1", "schema_invalid", 1),
        ("route-1", "valid", 1),
    ):
        assert value(server, "sluice_events_total", route=route, outcome=outcome) == count
    assert value(server, "sluice_build_info", version="0.1.0") == 1
    assert value(server, "sluice_ready") == 1


def test_events_have_an_age_and_records_a_delay(sluice, event):
    server = sluice(store={"path": "s.db"}, sinks=[{"name": "out", "kind": "file", "path": "out.ndjson"}])
    stamp = datetime.now(timezone.utc) - timedelta(seconds=20)
    for number in range(2):
        assert server.post({**event, "id": f"e{number}", "time": stamp.isoformat()}).status == 200
    assert server.post({key: value for key, value in event.items() if key != "time"} | {"id": "x"}).status == 200
    wait_for(lambda: value(server, "sluice_sink_delivery_seconds_count", sink="out") == 3)
    age = "sluice_event_age_seconds"
    assert value(server, age + "_count", route="route-1") == 2
    assert value(server, age + "_bucket", route="route-1", le="10.0") == 0
    assert 40 <= value(server, age + "_sum", route="route-1") < 1000
    assert value(server, age + "_count", route="") == 0


def test_reloads_and_open_refusals_are_counted(sluice, event):
    server = sluice(store={"path": "s.db"})
    bad = {**event, "detail": {"interaction": {"id": 5}}}
    assert server.post(bad).status == 400
    assert value(server, "sluice_store_quarantine_open") == 1
    server.signal(signal.SIGHUP)
    server.wait_log(event="reloaded")
    assert value(server, "sluice_reloads_total", result="ok") == 1
    kept = server.file.read_text()
    server.file.write_text("http: 5")
    server.signal(signal.SIGHUP)
    server.wait_log(event="reload_failed")
    server.file.write_text(kept)
    assert value(server, "sluice_reloads_total", result="error") == 1
    assert value(server, "sluice_store_quarantine_open") == 1


def test_durations_add_up(sluice, event):
    server = sluice()
    for _ in range(7):
        server.post(event)
    samples, _ = scrape(server)
    name = "sluice_http_request_duration_seconds"
    counts = {labels: number for (at, labels), number in samples.items() if at == name + "_count"}
    assert sum(counts.values()) >= 7
    for labels, count in counts.items():
        buckets = []
        for (at, where), number in samples.items():
            if at == name + "_bucket" and labels == {pair for pair in where if pair[0] != "le"}:
                limit = dict(where)["le"]
                buckets.append((float("inf") if limit == "+Inf" else float(limit), number))
        buckets.sort()
        assert [number for _, number in buckets] == sorted(number for _, number in buckets)
        assert buckets[-1] == (float("inf"), count)
        assert samples[(name + "_sum", labels)] >= 0


def test_open_connections_are_counted(sluice):
    server = sluice()
    held = [server.connect() for _ in range(5)]
    for connection in held:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.answer("GET")
    assert value(server, "sluice_http_connections") >= 5
    for connection in held:
        connection.close()


def test_the_live_schema_is_shown(sluice, event):
    server = sluice()
    assert server.post(event).status == 200
    samples, _ = scrape(server)
    shown = [dict(labels) for (name, labels) in samples if name == "sluice_schema_info"]
    assert [(labels["registry"], labels["schema"]) for labels in shown] == [(REGISTRY, SCHEMA)]
    assert shown[0]["version"] == server.wait_log(event="request", path="/events")["schema_version"]
    assert 0 <= value(server, "sluice_schema_age_seconds", registry=REGISTRY, schema=SCHEMA) < 600


def test_metrics_may_have_an_address_of_their_own(sluice, event):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = sluice(http={"metrics_listen": f"127.0.0.1:{port}"})
    assert server.post(event).status == 200
    assert server.get("/metrics").status == 404
    main = server.address
    server.address = ("127.0.0.1", port)
    try:
        assert value(server, "sluice_events_total", route="route-1", outcome="valid") == 1
        assert server.post(event).status == 404
    finally:
        server.address = main
