"""CloudWatch: the metric filters of the manual, and the agent's configuration, find what they name."""

import json
import operator
import re

import yaml

from server import ROOT
from test_metrics import scrape
from test_sinks import STORE

PLACE = ROOT / "conf/deploy/cloudwatch"
MANUAL = (ROOT / "docs/monitoring.md").read_text().replace(r"\|", "|")  # as a table needs it
FILTERS = re.findall(r"^\| `(\{ .* \})` \| (\w+) \|", MANUAL, re.MULTILINE)
OPERATORS = {"=": operator.eq, "!=": operator.ne, ">=": operator.ge, "<": operator.lt}


def matches(pattern, line):
    """A filter pattern of CloudWatch Logs for JSON: terms joined with && or ||, not both."""
    joined, terms = pattern[1:-1], []
    for term in re.split(r"&&|\|\|", joined):
        [(name, sign, value)] = re.findall(r'^\$\.(\w+) (=|!=|>=|<) ("[^"]*"|\d+)$', term.strip())
        terms.append(name in line and OPERATORS[sign](line[name], json.loads(value)))
    return any(terms) if "||" in joined else all(terms)


def test_the_metric_filters_count_what_they_say(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (503, {})
    hook = {"name": "hook", "kind": "http", "url": there.url, "max_backoff": "20ms"}
    server = sluice(store=STORE, sinks=[hook])
    assert server.post(event).status == 200
    assert server.post({**event, "detail": {}}).status == 400
    assert server.post(b"{").status == 400
    server.wait_log(event="sink_failed")
    server.wait_log(event="request", outcome="malformed")
    server.stop()
    counts = {name: sum(matches(pattern, line) for line in server.log()) for pattern, name in FILTERS}
    assert counts == {"Accepted": 1, "Refused": 2, "Unavailable": 0, "Duration": 3, "Failing": 1}


def test_the_agent_selects_metrics_that_exist(sluice, event):
    server = sluice(store=STORE, sinks=[{"name": "out", "kind": "file", "path": "out.ndjson"}])
    server.post(event)
    samples, _ = scrape(server)
    agent = json.loads((PLACE / "agent.json").read_text())
    [job] = yaml.safe_load((PLACE / "prometheus.yaml").read_text())["scrape_configs"]
    for one in agent["logs"]["metrics_collected"]["prometheus"]["emf_processor"]["metric_declaration"]:
        assert re.search(one["label_matcher"], job["job_name"]) and one["source_labels"] == ["job"]
        [dimensions] = one["dimensions"]
        for selector in one["metric_selectors"]:
            for name in re.findall(r"\w+", selector.split("(")[1]) if "(" in selector else [""]:
                wanted = selector[1:-1].split("(")[0] + name
                found = [labels for metric, labels in samples if metric == wanted]
                assert found and re.search(selector, wanted), wanted
                assert all({label for label, _ in labels} | {"job"} >= set(dimensions) for labels in found)
