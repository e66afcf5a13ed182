"""Exported spans, read by others: the protobuf definitions of OTLP, and an OpenTelemetry Collector."""

import base64
import json
import pathlib
import socket
import subprocess

import pytest
import yaml
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from prometheus_client.openmetrics import parser as openmetrics

from collector import Collector
from server import ROOT, wait_for

COLLECTOR = ROOT / "build/peers-bin/collector"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
SINK = {"name": "out", "kind": "file", "path": "out.ndjson"}


def in_base64(span):
    """Protobuf's JSON has bytes in Base64, OTLP's has ids in hexadecimal."""
    ids = {key: base64.b64encode(bytes.fromhex(span[key])).decode() for key in span if key.endswith("Id")}
    return span | ids


def parse(body):
    """The call as a message; a member that the definitions lack is an error."""
    for resource in body["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            scope["spans"] = [in_base64(span) for span in scope["spans"]]
    return json_format.ParseDict(body, ExportTraceServiceRequest())


def check_spans(spans, event):
    by_name = {span.name: span for span in spans}
    top = by_name["POST /events"]
    assert set(by_name) == {"POST /events", "parse", "route", "payload", "validate", "transform", "commit", "deliver"}
    assert (top.trace_id.hex(), top.parent_span_id.hex(), top.kind) == (TRACE, PARENT, Span.SPAN_KIND_SERVER)
    assert top.status.code == Status.STATUS_CODE_UNSET
    said = {item.key: item.value for item in top.attributes}
    assert said["http.response.status_code"].int_value == 200
    assert said["sluice.event_id"].string_value == event["id"]
    for span in spans:
        assert len(span.span_id) == 8 and span.trace_id == top.trace_id
        assert top.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span is top or span.parent_span_id == top.span_id
    assert by_name["deliver"].kind == Span.SPAN_KIND_PRODUCER


def spans_of(calls):
    return [
        span
        for call in calls
        for resource in call.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_calls_are_messages_of_the_protocol(sluice, event):
    with Collector() as there:
        server = sluice(store={"path": "s.db"}, sinks=[SINK], tracing={"endpoint": there.url})
        assert server.post(event, headers=HEADERS).status == 200
        assert server.post({**event, "id": "x", "detail": {}}, headers=HEADERS).status == 400
        there.wait(lambda there: len(there.spans) == 8 + 6)  # the refused one is kept, and has no delivery
    spans = spans_of(parse(body) for _, _, body in there.calls)
    failed = [span for span in spans if span.status.code == Status.STATUS_CODE_ERROR]
    assert [span.name for span in failed] == ["validate"]
    refused = {failed[0].span_id, failed[0].parent_span_id}
    check_spans([s for s in spans if s.span_id not in refused and s.parent_span_id not in refused], event)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.mark.skipif(not COLLECTOR.exists(), reason="the collector could not be built (tests/setup.sh)")
def test_a_collector_takes_them(sluice, event, tmp_path):
    port = free_port()
    out = tmp_path / "traces.json"
    settings = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {"file": {"path": str(out), "flush_interval": "100ms"}},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}},
        },
    }
    (tmp_path / "collector.yaml").write_text(yaml.safe_dump(settings))
    process = subprocess.Popen(
        [COLLECTOR, f"--config=file:{tmp_path}/collector.yaml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def received():
        lines = pathlib.Path(out).read_text().splitlines() if out.exists() else []
        spans = spans_of(parse(json.loads(line)) for line in lines if line)
        return spans if len(spans) == 8 else None

    try:
        server = sluice(
            store={"path": "s.db"}, sinks=[SINK], tracing={"endpoint": f"http://127.0.0.1:{port}", "service_name": "t"}
        )
        assert server.post(event, headers=HEADERS).status == 200
        check_spans(wait_for(received, "8 spans"), event)
        wait_for(lambda: server.metric("sluice_traces_exported_total") == 8)
        assert server.metric("sluice_traces_dropped_total") == 0
    finally:
        process.terminate()
        process.wait()


def test_exemplars_are_openmetrics(sluice, event):
    server = sluice(store={"path": "s.db"}, sinks=[SINK])
    assert server.post(event, headers=HEADERS).status == 200
    wait_for(lambda: server.metric('sluice_sink_delivered_total{sink="out"}') == 1)
    text = server.get("/metrics", {"Accept": "application/openmetrics-text"}).body.decode()
    found = {
        family.name: sample.exemplar.labels
        for family in openmetrics.text_string_to_metric_families(text)
        for sample in family.samples
        if sample.exemplar
    }
    assert found == {
        "sluice_http_request_duration_seconds": {"trace_id": TRACE},
        "sluice_sink_delivery_seconds": {"trace_id": TRACE},
    }
