"""docs/deploy/lambda.md with AWS's Web Adapter and AWS's emulator of Lambda (lambda_function.py).

The adapter is the crate's 1.0.0-rc1; the recipe's image has 1.0.0.
"""

import json
import pathlib
import re
import subprocess
import sys

import pytest
from aws_services import ACCOUNT, Sqs
from aws_signatures import REGION
from server import BINARY, environment, furnish, run, wait_for
from test_cloudformation import read_template
from test_lambda_sources import kinesis, numbered, sqs
from tools import find_tool

NAMESPACES = ["unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child"]


def variables():
    """The variables of the template's function, with its references resolved."""
    properties = read_template("lambda/lambda.yaml")["Resources"]["Function"]["Properties"]
    values = {"AWS::Region": REGION, "AWS::URLSuffix": "amazonaws.com", "AWS::AccountId": ACCOUNT,
              "QueueName": Sqs.queue}  # fmt: skip
    found = {}
    for name, value in properties["Environment"]["Variables"].items():
        text = value["!Sub"] if isinstance(value, dict) else value
        found[name] = re.sub(r"\$\{([\w:]+)\}", lambda match: values[match[1]], text)
    return found


class Function:
    """A function that the page makes, in namespaces of its own."""

    def __init__(self, folder, without=(), deadline="8s"):
        self.log = folder / "function.log"
        furnish(folder)
        assert run("init", "--for", "lambda", "sluice.yaml", cwd=folder).returncode == 0
        config = folder / "sluice.yaml"
        text = config.read_text().replace("/etc/sluice/", f"{folder}/conf/")
        config.write_text(text.replace("http:\n", f"http:\n  deadline: {deadline}\n"))
        driver = pathlib.Path(__file__).with_name("lambda_function.py")
        given = {name: value for name, value in variables().items() if name not in without}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*NAMESPACES, sys.executable, driver, find_tool("aws-lambda-rie"), find_tool("lambda-adapter"), BINARY,
                 "serve", "-c", config],
                cwd=folder, env=environment(given), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        self.process.communicate()
        assert kind or self.process.returncode == 0, self.log.read_text()

    def invoke(self, payload, fault=""):
        """What the caller gets while SQS has this fault, and all records in the queue."""
        self.process.stdin.write(json.dumps({"payload": payload, "fault": fault}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        found = json.loads(line)
        return found["answer"], found["records"]

    def lines(self, event, count=0):
        """The lines of the server's log with this event, in order; none if there are fewer than `count`."""
        lines = self.log.read_text().splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.startswith('{"') and line.endswith("\n")]
        found = sorted((line for line in found if line.get("event") == event), key=lambda line: line["ts"])
        return found if len(found) >= count else []


@pytest.fixture
def function(folder):
    """`with function(...)` runs one, where the machine has namespaces."""
    probe = [*NAMESPACES, "sh", "-c", "mount -t tmpfs none /opt && ip link set lo up"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("no namespaces here")
    return lambda **changes: Function(folder, **changes)


def test_an_event_arrives_and_a_failure_fails(function, event):
    """What the caller gets of a failure is its status alone: the reason is in the log."""
    with function() as found:
        answer, records = found.invoke(event)
        assert answer == records[0] and len(records) == 1
        refused, _ = found.invoke({**event, "id": "e1", "detail": {}})
        assert refused["errorMessage"] == "Request failed with configured error status code: 400"
        failed, records = found.invoke(numbered(event, 2), fault="unavailable")
        assert failed["errorMessage"] == "Request failed with configured error status code: 503"
        assert len(records) == 1
        requests = wait_for(lambda: found.lines("request", count=3), "the lines of the requests")
        assert [(one["method"], one["path"], one["status"]) for one in requests] == [
            ("POST", "/events", status) for status in (200, 400, 503)]  # fmt: skip
        assert requests[1]["reason"] == "'interaction' is a required property"
        assert not found.lines("lambda_loses_events")


def test_without_the_variable_a_failure_is_a_success(function, event):
    with function(without=["AWS_LWA_ERROR_STATUS_CODES"]) as found:
        refused, _ = found.invoke({**event, "detail": {}})
        assert refused["error"] == "Schema validation failed" and "errorMessage" not in refused
        failed, records = found.invoke(event, fault="unavailable")
        assert failed == {"error": "Service unavailable", "details": "deadline"} and records == []
        assert wait_for(lambda: found.lines("lambda_loses_events"), "the warning")


@pytest.mark.parametrize("record", [sqs, kinesis])
def test_a_batch_comes_back_with_its_failures(function, event, record):
    with function(deadline="60s") as found:
        refused = {**event, "id": "e8", "detail": {}}
        answer, records = found.invoke({"Records": [record("m7", numbered(event, 7)), record("m8", refused)]})
        assert answer["batchItemFailures"] == [{"itemIdentifier": "m8"}]
        assert [one["interaction_id"] for one in records] == ["i7"]


def test_a_batch_of_6_mb_is_read(function, event):
    """Lambda's largest is not refused as a whole. On a slow machine some of it may be 503."""
    with function(deadline="60s") as found:
        large = [sqs(f"m{n}", numbered(event, n, notes="x" * 1_000_000)) for n in range(6)]
        answer, _ = found.invoke({"Records": [*large, sqs("refused", "no JSON")]})
        assert {"itemIdentifier": "refused"} in answer["batchItemFailures"]
        assert len(answer["results"]) == 7
