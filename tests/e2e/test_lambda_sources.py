"""http.lambda_sources: batches of SQS and Kinesis, as AWS Lambda passes them through its Web Adapter."""

import base64
import json

import pytest
from client import encode
from server import run, wait_for


def sqs(name, event):
    text = event if isinstance(event, str) else json.dumps(event)
    return {"messageId": name, "receiptHandle": "x", "body": text, "attributes": {}, "messageAttributes": {},
            "md5OfBody": "x", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q",
            "awsRegion": "eu-west-1"}  # fmt: skip


def kinesis(name, event):
    text = event if isinstance(event, str) else json.dumps(event)
    inner = {"kinesisSchemaVersion": "1.0", "partitionKey": "p", "sequenceNumber": name,
             "data": base64.b64encode(text.encode()).decode(), "approximateArrivalTimestamp": 1545084650.987}  # fmt: skip
    return {"kinesis": inner, "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": f"shard:{name}"}


# A deadline that a busy machine keeps.
HTTP = {"lambda_sources": True, "deadline": "60s"}
SOURCES = pytest.mark.parametrize("record", [sqs, kinesis])


def numbered(event, number, **more):
    detail = {"interaction": {**event["detail"]["interaction"], "id": f"i{number}", **more}}
    return {**event, "id": f"e{number}", "detail": detail}


@SOURCES
def test_the_events_of_a_batch_are_stored_and_delivered(sluice, event, record):
    server = sluice(http=HTTP, store={"path": "s.db"},
                    sinks=[{"name": "out", "kind": "file", "path": "out.ndjson"}])  # fmt: skip
    refused = {**event, "id": "e8", "detail": {}}
    records = [record("m7", numbered(event, 7)), record("m8", refused), record("m9", "no JSON ∅")]
    answer = server.post(encode({"Records": records}))
    assert answer.status == 200
    assert [one["status"] for one in answer.json["results"]] == [200, 400, 400]
    assert answer.json["batchItemFailures"] == []  # the quarantine has what was refused
    again = server.post(encode({"Records": records[:1]})).json
    assert again["results"] == [{"id": "e7", "status": 200, "duplicate": True}]
    out = server.folder / "out.ndjson"
    wait_for(lambda: out.exists() and out.read_text().endswith("\n"), "the record")
    assert [json.loads(line)["interaction_id"] for line in out.read_text().splitlines()] == ["i7"]
    kept = run("rejected", "export", "-c", server.file, cwd=server.folder).stdout.splitlines()
    assert sorted(json.loads(line)["outcome"] for line in kept) == ["malformed", "schema_invalid"]
    assert server.wait_log(event="request", outcome="batch", events=3)["refused"] == 2


@SOURCES
def test_without_a_store_what_is_refused_is_a_failure(sluice, event, record):
    server = sluice(http=HTTP)
    records = [record("m1", {**event, "detail": {}}), record("m2", event)]
    answer = server.post(encode({"Records": records}))
    assert (answer.status, answer.json["batchItemFailures"]) == (200, [{"itemIdentifier": "m1"}])


@SOURCES
def test_what_a_sink_does_not_take_is_a_failure(sluice, event, record, receiver):
    peer = receiver()
    peer.plan = lambda records: (400 if records[0]["interaction_id"] == "i1" else 200, {})
    server = sluice(http=HTTP, sinks=[
        {"name": "hook", "kind": "http", "url": peer.url, "max_attempts": 1, "max_backoff": "50ms"}])  # fmt: skip
    records = [record(f"m{number}", numbered(event, number)) for number in (0, 1, 2)]
    answer = server.post(encode({"Records": records}))
    assert (answer.status, answer.json["batchItemFailures"]) == (200, [{"itemIdentifier": "m1"}])
    assert [one["status"] for one in answer.json["results"]] == [200, 503, 200]


@SOURCES
def test_a_large_batch(sluice, event, record):
    """It is checked on a worker thread."""
    server = sluice(http=HTTP, store={"path": "s.db"}, sinks=[])
    records = [record(f"m{n}", numbered(event, n, customer={"name": "é" * 2000})) for n in range(30)]
    answer = server.post(encode({"Records": records}))
    assert (answer.status, answer.json["batchItemFailures"]) == (200, [])
    assert [one["status"] for one in answer.json["results"]] == [200] * 30
    again = server.post(encode({"Records": records})).json["results"]
    assert all(one["duplicate"] for one in again)
