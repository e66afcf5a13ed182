"""The metrics, read by others: promtool and the parsers of Prometheus' Python client."""

import shutil
import subprocess

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as classic

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


@pytest.fixture
def server(sluice, event):
    server = sluice(
        store={"path": "s.db"},
        sinks=[{"name": "out", "kind": "file", "path": "out.ndjson"}],
    )
    assert server.post(event).status == 200
    assert server.post(b"{").status == 400
    return server


def samples(families):
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in families
        for sample in family.samples
    }


def test_both_formats_have_the_same_series(server):
    plain = server.get("/metrics").body.decode()
    answer = server.get("/metrics", {"Accept": OPEN})
    assert answer.header("content-type").startswith("application/openmetrics-text; version=1.0.0")
    text = answer.body.decode()
    old = samples(classic.text_string_to_metric_families(plain))
    new = samples(openmetrics.text_string_to_metric_families(text))
    assert {name for name, _ in old} == {name for name, _ in new}
    # the scrape before this one is a request of its own, with new series at most
    assert not old - new


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_has_nothing_to_say(server):
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=server.get("/metrics").body, capture_output=True
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
