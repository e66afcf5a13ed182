"""The shipped examples work as their comments say."""

import json

import pytest

from server import RECORD, ROOT, run

GENESYS = "conf/examples/genesys"


def explain(config, sample):
    result = run("explain", "--json", "-c", config, sample, cwd=ROOT)
    return result.returncode, json.loads(result.stdout)


@pytest.mark.parametrize("config", [*ROOT.glob("conf/examples/*/sluice.yaml"), "conf/sluice.yaml"])
def test_every_shipped_configuration_is_right(config):
    assert run("check", "-c", config, cwd=ROOT).returncode == 0


@pytest.mark.parametrize("tests", sorted(ROOT.glob("conf/examples/*/tests.yaml")), ids=lambda path: path.parent.name)
def test_the_tests_of_the_examples_pass(tests):
    result = run("test", "-c", tests.parent / "sluice.yaml", tests, cwd=ROOT)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


def test_every_example_has_tests():
    folders = {path.parent for path in ROOT.glob("conf/examples/*/sluice.yaml")}
    assert {path.parent for path in ROOT.glob("conf/examples/*/tests.yaml")} == folders
    result = run("test", "-c", "conf/sluice.yaml", "conf/samples/tests.yaml", cwd=ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (
            "customer.start",
            {"channel_type": "voice", "customer_email": None, "queue_id": None},
        ),
        ("customer.start.email", {"channel_type": "email", "queue_id": None}),
        ("acd.start", {"customer_email": None}),
    ],
)
def test_real_genesys_topics_become_records(sample, expected):
    path = ROOT / GENESYS / f"samples/{sample}.json"
    body = json.loads(path.read_text())["detail"]["eventBody"]
    status, told = explain(f"{GENESYS}/sluice.yaml", path)
    record = told["body"]
    assert (status, told["status"], list(record)) == (0, 200, RECORD)
    assert record["interaction_id"] == body["conversationId"]
    assert record["queue_id"] == body.get("queueId")
    assert record["start_time"].endswith("Z")
    assert {key: record[key] for key in expected} == expected


def test_wrapped_events_are_taken_apart():
    status, told = explain(
        "conf/examples/wrapped/sluice.yaml", "conf/examples/wrapped/interaction.started.json"
    )
    assert (status, told["status"]) == (0, 200)
    assert [one["status"] for one in told["body"]["results"]] == [200]


@pytest.mark.parametrize(
    ("sample", "status"), [("started", 200), ("started.missing-id", 400), ("started.wrong-type", 400)]
)
def test_the_shipped_samples(sample, status):
    code, told = explain("conf/sluice.yaml", f"conf/samples/interaction.{sample}.json")
    assert (code, told["status"]) == (int(status != 200), status)
