"""Traces: the sender's context is continued to the sinks, and spans are exported to a collector."""

import re
import time

import pytest

from client import encode, request
from collector import Collector, attributes
from server import RELEASE, wait_for
from test_sinks import STORE, again, hook

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
ROOT = "1-5759e988-bd862e3fe1be46a994272793"
HEX = ROOT[2:].replace("-", "")
OPEN = {"Accept": "application/openmetrics-text"}


def parent(trace=TRACE, flags="01"):
    return {"traceparent": f"00-{trace}-{SPAN}-{flags}"}


@pytest.fixture
def collector():
    with Collector() as there:
        yield there


def tracing(there, **more):
    return {"endpoint": there.url, "sample": 0} | more


def context(header):
    """The ids in a traceparent whose spans are recorded."""
    [(trace, span)] = re.findall(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-01$", header)
    return trace, span


def is_time_of(span, since):
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    return since * 10**9 <= start <= end <= time.time() * 10**9


def test_the_spans_of_a_request_are_a_tree(sluice, event, receiver, collector, secret):
    target = receiver()
    since = time.time() - 1
    settings = tracing(
        collector,
        service_name="front",
        headers={"x-team": "events"},
        secret_headers={"x-key": secret("hidden")},
    )
    server = sluice(store=STORE, sinks=[hook(target)], tracing=settings)
    assert server.post(event, headers=parent() | {"X-Request-Id": "req-1"}).status == 200
    [top] = collector.find(1, name="POST /events")
    assert (top["traceId"], top["parentSpanId"], top["kind"]) == (TRACE, SPAN, 2)
    assert "status" not in top
    said = attributes(top)
    assert said.pop("sluice.schema_version")
    assert said == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "url.path": "/events",
        "http.route": "/events",
        "http.response.status_code": 200,
        "http.request.body.size": len(encode(event)),
        "sluice.request_id": "req-1",
        "sluice.outcome": "valid",
        "sluice.event_id": event["id"],
        "sluice.route": "route-1",
        "sluice.schema": "InteractionStartedSchema",
    }
    [sent] = collector.find(1, name="deliver")
    inner = collector.find(7, parentSpanId=top["spanId"])
    assert [span["name"] for span in inner[:5]] == ["parse", "route", "payload", "validate", "transform"]
    assert {span["name"] for span in inner[5:]} == {"commit", "deliver"}
    for span in inner + [top]:
        assert re.fullmatch("[0-9a-f]{16}", span["spanId"]) and span["traceId"] == TRACE
        assert is_time_of(span, since), span
    assert len({span["spanId"] for span in inner + [top]}) == 8
    assert context(target.requests[0][0]["traceparent"]) == (TRACE, sent["spanId"])
    assert (sent["kind"], attributes(sent)) == (
        4,
        {"sluice.sink": "hook", "sluice.result": "delivered", "sluice.sequence": 1, "sluice.records": 1},
    )
    path, headers, body = collector.calls[0]
    assert path == "/v1/traces"
    assert [headers[name] for name in ("Content-Type", "x-team", "x-key")] == ["application/json", "events", "hidden"]
    [resource] = body["resourceSpans"]
    assert attributes(resource["resource"])["service.name"] == "front"
    assert server.wait_log(event="request", request_id="req-1")["trace_id"] == TRACE
    wait_for(lambda: server.metric("sluice_traces_exported_total") == 8)
    assert server.metric("sluice_traces_dropped_total") == 0


def test_refusals_have_spans_that_say_why(sluice, event, collector):
    server = sluice(tracing=tracing(collector), auth={"open": False, "api_keys": [{"header": "k", "value_env": "KEY"}]},
                    env={"KEY": "right"})  # fmt: skip
    key = {"k": "right"}
    bad = {**event, "detail": {"hidden": "value"}}
    assert server.post(bad, headers=parent() | key).status == 400
    assert server.post(event, headers=parent()).status == 401
    assert server.post(b"{", headers=parent() | key).status == 400
    assert server.post([event, bad, event], headers=parent() | key).status == 200
    refused, unknown, malformed, array = collector.find(4, name="POST /events")
    assert "status" not in refused and "status" not in unknown  # a 4xx is the sender's failure
    said = attributes(refused)
    assert (said["http.response.status_code"], said["error.type"]) == (400, "400")
    assert (said["sluice.outcome"], said["sluice.route"]) == ("schema_invalid", "route-1")
    assert said["sluice.rule"] and said["sluice.reason"] and "hidden" not in str(collector.calls)
    failed = [(span["name"], span["parentSpanId"]) for span in collector.spans if span.get("status") == {"code": 2}]
    assert sorted(failed) == sorted(
        [("validate", refused["spanId"]), ("parse", malformed["spanId"]), ("validate", array["spanId"])]
    )
    assert attributes(unknown)["http.response.status_code"] == 401
    assert [attributes(array)[f"sluice.{name}"] for name in ("events", "refused")] == [3, 1]


def test_the_sender_decides_what_is_traced(sluice, event, receiver, collector):
    target = receiver()
    server = sluice(sinks=[hook(target)], tracing=tracing(collector))
    sent = [
        {},
        parent(flags="00"),
        {"X-Amzn-Trace-Id": f"Root={ROOT};Parent={SPAN};Sampled=0"},
        {"X-Amzn-Trace-Id": f"Root={ROOT}"},
        {"X-Amzn-Trace-Id": f"Self=1-2-3;Root={ROOT};Parent={SPAN};Sampled=1"},
    ]
    for number, headers in enumerate(sent):
        assert server.post(event | {"id": f"e{number}"}, headers=headers).status == 200
    [top] = collector.find(1, name="POST /events")
    assert (top["traceId"], top["parentSpanId"]) == (HEX, SPAN)
    assert attributes(top)["sluice.event_id"] == "e4"
    got = {headers["sluice-event-id"]: headers.get("traceparent") for headers, *_ in target.requests}
    assert (got["e0"], got["e1"], got["e2"]) == (None, parent(flags="00")["traceparent"], f"00-{HEX}-{SPAN}-00")
    assert re.fullmatch(f"00-{HEX}-[0-9a-f]{{16}}-00", got["e3"])
    assert context(got["e4"])[0] == HEX
    assert {span["traceId"] for span in collector.spans} == {HEX}


def test_a_trace_of_our_own_has_no_parent(sluice, event, receiver, collector):
    target = receiver()
    server = sluice(sinks=[hook(target)], tracing=tracing(collector, sample=1))
    assert server.get("/healthz").status == 200  # probes are not traced
    assert server.post(event, headers={"X-Request-Id": "r"}).status == 200
    [top] = collector.find(1, name="POST /events")
    assert "parentSpanId" not in top
    assert server.wait_log(event="request", request_id="r")["trace_id"] == top["traceId"]
    assert context(target.requests[0][0]["traceparent"])[0] == top["traceId"]
    assert {span["name"] for span in collector.spans if "parentSpanId" not in span} == {"POST /events"}


def test_without_a_collector_the_context_is_passed_on(sluice, event, receiver):
    target = receiver()
    server = sluice(sinks=[hook(target)])
    server.post(event, headers=parent())
    server.post(event | {"id": "e"}, headers={"X-Amzn-Trace-Id": f"Root={ROOT};Parent={SPAN};Sampled=1"})
    assert [headers["traceparent"] for headers, *_ in target.requests] == [
        parent()["traceparent"],
        f"00-{HEX}-{SPAN}-01",
    ]


def test_a_delivery_after_a_restart_belongs_to_the_request(sluice, event, receiver, collector):
    target = receiver()
    target.plan = lambda records: (503, {})
    server = sluice(store=STORE, sinks=[hook(target)], tracing=tracing(collector))
    assert server.post(event, headers=parent()).status == 200
    [top] = collector.find(1, name="POST /events")
    collector.wait(lambda there: any(span["name"] == "deliver" for span in there.spans))
    server.stop()
    seen = len(collector.spans)
    target.plan = lambda records: (200, {})
    server = again(server)
    collector.wait(lambda there: len(there.spans) > seen)
    server.stop()
    tries = [span for span in collector.spans if span["name"] == "deliver"]
    assert {(span["traceId"], span["parentSpanId"]) for span in tries} == {(TRACE, top["spanId"])}
    results = [attributes(span)["sluice.result"] for span in tries]
    assert results == ["failed"] * (len(results) - 1) + ["delivered"]
    assert [span.get("status") for span in tries] == [{"code": 2}] * (len(results) - 1) + [None]
    assert all(attributes(span)["error.type"] == "failed" for span in tries[:-1])


def test_a_collector_that_hangs_delays_and_fills_nothing(sluice, collector):
    """The spans of 1,600 requests, 16 MiB, find room for 2 MiB. The drain does not wait for the collector."""
    collector.plan = lambda body: None
    server = sluice(tracing=tracing(collector, sample=1))

    def post(count):
        body = encode([{}] * 40)
        with server.connect() as connection:
            for _ in range(count):
                connection.send(request("POST", "/events", body, {}))
                assert connection.answer("POST").status == 400

    post(400)
    collector.wait(lambda there: there.calls)
    assert server.metric("sluice_traces_dropped_total") > 0
    before = server.memory()["RssAnon"]
    post(1200)
    assert server.metric("sluice_traces_exported_total") == 0
    if RELEASE:
        assert server.memory()["RssAnon"] - before < 4 * 1024
    server.stop()


def test_spans_that_are_not_taken_are_counted(sluice, collector):
    answers = [(500, {}), (200, {"partialSuccess": {"rejectedSpans": "1"}}), (200, {})]
    collector.plan = lambda body: answers.pop(0)
    server = sluice(tracing=tracing(collector))
    for dropped in (2, 3, 3):  # a refused call has two spans: of the request, and of its first step
        calls = len(collector.calls)
        server.post(b"{", headers=parent())
        collector.wait(lambda there: len(there.calls) > calls)
        wait_for(lambda: server.metric("sluice_traces_dropped_total") == dropped)
    assert server.wait_log(event="trace_export_failed")["reason"] == "HTTP 500"
    assert server.wait_log(event="trace_export_recovered")["dropped"] == 2
    wait_for(lambda: server.metric("sluice_traces_exported_total") == 3)


def test_a_call_is_tried_again_when_the_collector_asks_for_it(sluice, collector):
    answers = [(503, {}), (200, {})]
    collector.plan = lambda body: answers.pop(0)
    server = sluice(tracing=tracing(collector))
    server.post(b"{", headers=parent())
    collector.find(1, name="parse")
    assert collector.calls[0][2] == collector.calls[1][2]
    wait_for(lambda: server.metric("sluice_traces_exported_total") == 2)
    assert server.metric("sluice_traces_dropped_total") == 0


def test_histograms_have_exemplars(sluice, event, receiver):
    """Also without a collector: the sender's trace is recorded somewhere."""
    target = receiver()
    server = sluice(sinks=[hook(target)])
    server.post(event, headers=parent())
    text = server.get("/metrics", OPEN).body.decode()
    for series in (r"sluice_http_request_duration_seconds_bucket\{", r'sluice_sink_delivery_seconds_bucket\{sink="hook",'):
        [(bound, value, at)] = re.findall(
            rf'^{series}le="([^"]+)"\}} \d+ # \{{trace_id="{TRACE}"\}} ([0-9.]+) ([0-9.]+)$', text, re.MULTILINE
        )
        assert float(value) <= float(bound) and abs(float(at) - time.time()) < 60
    server.post(event | {"id": "e"}, headers=parent("1" * 32, "00"))
    server.post(event | {"id": "f"})
    text = server.get("/metrics", OPEN).body.decode()
    assert set(re.findall(r"trace_id=\"(\w+)\"", text)) == {TRACE}
    assert "trace_id" not in server.get("/metrics").body.decode()
