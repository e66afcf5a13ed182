"""sluice redrive: what becomes of the messages in a dead-letter queue."""

import collections
import itertools
import json
import time

import pytest

from aws_api import AwsApi
from aws_signatures import Refusal
from server import ROOT, defaults, merge, run

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/dead"


class Queue:
    """A queue of SQS. `messages` has what was not removed; a message that was received is hidden."""

    def __init__(self):
        self.messages, self.hidden, self.numbers = {}, {}, itertools.count()
        self.forgets = False  # show what is hidden again when there is nothing else
        self.operations = {
            "sqs.ReceiveMessage": self.receive,
            "sqs.DeleteMessage": self.delete,
            "sqs.ChangeMessageVisibilityBatch": self.change,
            "sqs.GetQueueAttributes": lambda params: {"Attributes": {"ApproximateNumberOfMessages": str(len(self.messages))}},
        }

    def put(self, body, code="SDK_CLIENT_ERROR", age_s=0):
        number = f"r{next(self.numbers)}"
        self.messages[number] = {
            "MessageId": number,
            "ReceiptHandle": number,
            "Body": body if isinstance(body, str) else json.dumps(body),
            "Attributes": {"SentTimestamp": str(int((time.time() - age_s) * 1000))},
            "MessageAttributes": {"ERROR_CODE": {"DataType": "String", "StringValue": code}} if code else {},
        }

    def receive(self, params):
        assert params["QueueUrl"] == URL
        found = [number for number in self.messages if number not in self.hidden][: params["MaxNumberOfMessages"]]
        if self.forgets and not found:
            found = list(self.messages)[:10]
        self.hidden |= dict.fromkeys(found, params["VisibilityTimeout"])
        return {"Messages": [self.messages[number] for number in found]} if found else {}

    def delete(self, params):
        del self.messages[params["ReceiptHandle"]]
        return {}

    def change(self, params):
        entries = params["Entries"]
        assert len({entry["Id"] for entry in entries}) == len(entries) <= 10
        for entry in entries:
            assert entry["VisibilityTimeout"] == 0
            del self.hidden[entry["ReceiptHandle"]]
        return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}


@pytest.fixture
def queue():
    queue = Queue()
    with AwsApi(queue.operations) as api:
        queue.api = api
        yield queue
    assert not set(queue.hidden) & set(queue.messages), "what is not removed is given back"


def redrive(server, queue, *words):
    url = "http://{}:{}/events".format(*server.address)
    env = queue.api.environment() | {"TEST_KEY": "sesame"}
    result = run("redrive", URL, "-c", server.folder / "redrive.yaml", "--url", url, "--json", *words, cwd=server.folder, env=env)
    return result, json.loads(result.stdout)


@pytest.fixture
def server(sluice):
    """A server that wants a key, and the configuration of the command."""
    auth = {"api_keys": [{"value_env": "TEST_KEY"}]}
    server = sluice(auth=auth, store={"path": "var/sluice.db"}, env={"TEST_KEY": "sesame"})
    (server.folder / "redrive.yaml").write_text(
        json.dumps(merge(defaults(), {"auth": auth, "store": {"path": "var/sluice.db"}}))
    )
    return server


def test_events_are_posted_and_removed(server, queue, event):
    for i in range(25):
        queue.put(event | {"id": f"event-{i}"}, code=["TIMEOUT", "SDK_CLIENT_ERROR"][i % 2])
    queue.put({"id": "wrong", "detail": {}}, code=None)
    result, told = redrive(server, queue, "--dry-run")
    assert (result.returncode, told["seen"], len(queue.messages)) == (0, 26, 26)
    assert [name for name, _ in queue.api.calls].count("sqs.ChangeMessageVisibilityBatch") == 3
    assert told["codes"] == {"TIMEOUT": 13, "SDK_CLIENT_ERROR": 12, "none": 1}
    done = collections.Counter()
    for _ in range(5):  # a post that a busy machine delays for 5 seconds ends one run
        result, told = redrive(server, queue)
        done.update({name: told[name] for name in ("delivered", "quarantined")})
        if result.returncode == 0:
            break
    assert (result.returncode, told["refused"]) == (0, 0), result
    assert done == {"delivered": 25, "quarantined": 1}
    assert queue.messages == {}
    policy = json.loads((ROOT / "docs/iam/redrive.json").read_text())["Statement"][0]["Action"]
    rights = {name.replace(".", ":").removesuffix("Batch") for name, _ in queue.api.calls}
    assert rights == set(policy)


def test_limit_and_since_choose(server, queue, event):
    for i in range(4):
        queue.put(event | {"id": f"event-{i}"}, age_s=3600 * i)
    result, told = redrive(server, queue, "--since", "90m", "--limit", "1")
    assert (result.returncode, told["delivered"], len(queue.messages)) == (0, 1, 3)
    result, told = redrive(server, queue, "--since", "90m")
    assert (result.returncode, told["delivered"], len(queue.messages)) == (0, 1, 2)


def test_what_the_server_does_not_take_stays(server, queue, event):
    for i in range(3):
        queue.put(event | {"id": f"event-{i}"})
    result, told = redrive(server, queue, "--url", "http://127.0.0.1:1/events")
    assert (result.returncode, told["refused"], len(queue.messages)) == (1, 1, 3)
    assert "http://127.0.0.1:1/events answered 0: " in result.stderr


@pytest.mark.parametrize("quarantine", [{"enabled": False}, {"max_size": "2MiB"}])
def test_what_no_quarantine_keeps_stays(server, queue, quarantine):
    path = server.folder / "redrive.yaml"
    path.write_text(json.dumps(merge(json.loads(path.read_text()), {"store": {"quarantine": quarantine}})))
    queue.put({"id": "wrong", "detail": {}})
    result, told = redrive(server, queue)
    assert (result.returncode, told["quarantined"], told["refused"], len(queue.messages)) == (1, 0, 1, 1)


def test_messages_that_come_back_are_handled_once(server, queue, event):
    for i in range(12):
        queue.put(event | {"id": f"event-{i}"})
    queue.forgets = True
    result, told = redrive(server, queue, "--dry-run")
    assert (result.returncode, told["seen"], len(queue.messages)) == (0, 12, 12)


def test_a_queue_that_cannot_be_read_is_said(server, queue):
    def denied(_):
        raise Refusal("AccessDeniedException", "not allowed to call sqs:ReceiveMessage", 403)

    queue.operations["sqs.ReceiveMessage"] = denied
    result, _ = redrive(server, queue)
    assert result.returncode == 3
    assert "sqs:ReceiveMessage" in result.stderr
