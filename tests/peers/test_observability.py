"""What operators get with the server: alerts, dashboard and runbook, judged by a real Prometheus."""

import json
import re
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest
import yaml
from server import ROOT, wait_for

ALERTS = ROOT / "conf/deploy/prometheus/alerts.yaml"
RULES = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "conf/deploy/grafana/sluice.json").read_text())
RUNBOOK = (ROOT / "docs/runbook.md").read_text()

needs_prometheus = pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed")

# For each alert: series with values that fire it, and with values that do not; a value a minute. `a+bxn` is
# promtool's notation: a, a+b, ... in n further steps.
ON, OFF = "1x400", "0x400"
REQUESTS = 'sluice_http_requests_total{path="/events",status="%s",instance="i"}'
EVENTS = 'sluice_events_total{route="r",outcome="%s",instance="i"}'
CASES = {
    "SluiceDown": ({'up{job="sluice",instance="i"}': OFF}, {'up{job="sluice",instance="i"}': ON}),
    "SluiceNotReady": ({"sluice_ready": OFF}, {"sluice_ready": ON}),
    "SluiceEventsUnavailable": (
        {REQUESTS % "200": "0+90x400", REQUESTS % "503": "0+2x400"},
        {REQUESTS % "200": "0+900x400", REQUESTS % "503": "0+2x400"},
    ),
    "SluiceEventsRefused": (
        {EVENTS % "valid": "0+90x400", EVENTS % "schema_invalid": "0+10x400"},
        {EVENTS % "valid": "0+99x400", EVENTS % "schema_invalid": "0+1x400"},
    ),
    "SluiceEventsLost": ({EVENTS % "registry_denied": "0+1x400"}, {EVENTS % "registry_denied": "5x400"}),
    "SluiceEventsOld": (
        {f'sluice_event_age_seconds_bucket{{route="r",le="{le}"}}': f"0+{n}x400" for le, n in
         (("300.0", 1), ("900.0", 10), ("+Inf", 10))},
        {f'sluice_event_age_seconds_bucket{{route="r",le="{le}"}}': f"0+{n}x400" for le, n in
         (("300.0", 10), ("900.0", 10), ("+Inf", 10))},
    ),
    "SluiceQuarantineOpen": ({"sluice_store_quarantine_open": "3x400"}, {"sluice_store_quarantine_open": OFF}),
    "SluiceQuarantineTooSmall": (
        {"sluice_store_quarantine_too_large_total": "0+1x400"},
        {"sluice_store_quarantine_too_large_total": ON},
    ),
    "SluiceSchemaStale": ({"sluice_schema_age_seconds": "5000x400"}, {"sluice_schema_age_seconds": "70x400"}),
    "SluiceSchemaHeld": (
        {"sluice_schema_guard_refusals_total": "0+1x400"},
        {"sluice_schema_guard_refusals_total": ON},
    ),
    "SluiceStoreFilling": (
        {"sluice_store_bytes": "81x400", "sluice_store_max_bytes": "100x400"},
        {"sluice_store_bytes": "79x400", "sluice_store_max_bytes": "100x400"},
    ),
    "SluiceDiskSlow": (
        {f'sluice_store_commit_duration_seconds_bucket{{le="{le}"}}': f"0+{n}x400" for le, n in
         (("0.5", 90), ("1.0", 100), ("+Inf", 100))},
        {f'sluice_store_commit_duration_seconds_bucket{{le="{le}"}}': f"0+{n}x400" for le, n in
         (("0.5", 100), ("1.0", 100), ("+Inf", 100))},
    ),
    "SluiceStoreCorrected": (
        {"sluice_store_counters_corrected_total": "0+1x400"},
        {"sluice_store_counters_corrected_total": ON},
    ),
    "SluiceSinkLagging": (
        {'sluice_sink_oldest_pending_seconds{sink="s"}': "1000x400", 'sluice_sink_paused{sink="s"}': OFF},
        {'sluice_sink_oldest_pending_seconds{sink="s"}': "1000x400", 'sluice_sink_paused{sink="s"}': ON},
    ),
    "SluiceSinkMisconfigured": ({"sluice_sink_misconfigured": ON}, {"sluice_sink_misconfigured": OFF}),
    "SluiceSinkPaused": ({"sluice_sink_paused": ON}, {"sluice_sink_paused": OFF}),
    "SluiceSinkDead": ({"sluice_sink_dead": ON}, {"sluice_sink_dead": OFF}),
    "SluiceRecordsDropped": ({"sluice_sink_dropped_total": "0+1x400"}, {"sluice_sink_dropped_total": ON}),
    "SluiceCertificateExpires": (
        {"sluice_tls_certificate_expiry_timestamp_seconds": "100000x400"},
        {"sluice_tls_certificate_expiry_timestamp_seconds": "9000000x400"},
    ),
    "SluiceCredentialsExpire": (
        {"sluice_aws_credential_expiry_timestamp_seconds": "100x400"},
        {"sluice_aws_credential_expiry_timestamp_seconds": OFF},
    ),
    "SluiceReloadFailed": (
        {'sluice_reloads_total{result="error"}': "0+1x400"},
        {'sluice_reloads_total{result="ok"}': "0+1x400", 'sluice_reloads_total{result="error"}': ON},
    ),
    "SluiceDescriptors": (
        {'process_open_fds{job="sluice"}': "900x400", 'process_max_fds{job="sluice"}': "1000x400"},
        {'process_open_fds{job="sluice"}': "90x400", 'process_max_fds{job="sluice"}': "1000x400"},
    ),
}


WAITS = {rule["alert"]: rule.get("for", "0m") for rule in RULES}
MINUTES = {"m": 1, "h": 60}


def case(name, series, fires):
    """Looks when the alert has waited long enough, and its rates have their samples."""
    wait = int(WAITS[name][:-1]) * MINUTES[WAITS[name][-1]]
    return {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}})',
                "eval_time": f"{wait + 20}m",
                "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
            }
        ],
    }


@needs_prometheus
def test_each_alert_fires_and_does_not(tmp_path):
    assert set(CASES) == {rule["alert"] for rule in RULES}
    tests = [case(name, series, fires) for name, pair in CASES.items() for series, fires in zip(pair, (True, False))]
    (tmp_path / "alerts.yaml").write_bytes(ALERTS.read_bytes())
    (tmp_path / "test.yaml").write_text(
        yaml.safe_dump({"rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": tests})
    )
    done = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_in_the_runbook():
    headings = re.findall(r"^### (Sluice\w+)$", RUNBOOK, re.MULTILINE)
    assert headings == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


@pytest.fixture
def prometheus(sluice, event, tmp_path):
    """A Prometheus that has scraped a server for a few seconds. `prometheus(query)` returns the result."""
    server = sluice(store={"path": "s.db"}, sinks=[{"name": "out", "kind": "file", "path": "out.ndjson"}])
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    host, own = server.address
    job = {"job_name": "sluice", "scrape_interval": "500ms", "scrape_timeout": "500ms",
           "static_configs": [{"targets": [f"{host}:{own}"]}]}  # fmt: skip
    (tmp_path / "prometheus.yml").write_text(
        yaml.safe_dump({"scrape_configs": [job], "rule_files": [str(ALERTS)]})
    )
    process = subprocess.Popen(
        ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def query(text):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
        with urllib.request.urlopen(url, timeout=20) as answer:
            said = json.load(answer)
        assert said["status"] == "success", said
        return said["data"]["result"]

    def scraped():
        number = len(server.lines)
        server.post({**event, "id": f"e{number}-{query.calls}", "time": "2026-11-23T06:22:01Z"})
        server.post({**event, "detail": {"number": query.calls}})
        query.calls += 1
        try:
            found = query("count_over_time(sluice_sink_delivered_total[1m])")
        except OSError:
            return False
        return found and int(found[0]["value"][1]) >= 3

    query.calls = 0
    try:
        wait_for(scraped)
        yield query
    finally:
        process.terminate()
        process.wait()


@needs_prometheus
def test_the_dashboard_and_the_alerts_ask_for_what_there_is(prometheus):
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m")
            assert prometheus(query), f"{panel['title']}: {query}"
    for rule in RULES:
        prometheus(rule["expr"])
        for name in set(re.findall(r"\b(?:sluice|process)_\w+", rule["expr"])):
            if name in ("sluice_tls_certificate_expiry_timestamp_seconds",
                        "sluice_aws_credential_expiry_timestamp_seconds"):  # fmt: skip
                continue  # there are neither TLS nor credentials here
            assert prometheus(f'count({{__name__="{name}"}})'), name
