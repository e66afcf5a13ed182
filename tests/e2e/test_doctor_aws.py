"""`sluice doctor` asks AWS about the targets of sinks: with calls that cost and change nothing."""

import json

import pytest
import yaml

from aws_signatures import environment
from http_peer import HttpPeer, HttpPeerHandler
from server import defaults, merge, route, run

STREAM = {"StreamDescriptionSummary": {"StreamStatus": "ACTIVE"}}
DELIVERY_STREAM = {"DeliveryStreamDescription": {"DeliveryStreamStatus": "ACTIVE"}}
TABLE = {"Table": {"TableStatus": "ACTIVE", "KeySchema": [{"AttributeName": "id"}]}}
KINESIS = {"name": "clicks", "kind": "kinesis", "stream": "events"}
SQS = {"name": "jobs", "kind": "sqs", "queue_url": "https://sqs.eu-west-1.amazonaws.com/1/work"}
FIREHOSE = {"name": "raw", "kind": "firehose", "delivery_stream": "events"}
EVENTBRIDGE = {"name": "audit", "kind": "eventbridge", "source": "sluice", "detail_type": "record"}
DYNAMODB = {"name": "once", "kind": "dynamodb", "table": "events", "hash_key": {"id": ""}}
SNS = {"name": "news", "kind": "sns", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:events"}
S3 = {"name": "lake", "kind": "s3", "bucket": "objects", "prefix": "in/{time:%Y}/"}


class ServingHandler(HttpPeerHandler):
    def do_POST(self):
        self.body()
        name = self.headers.get("X-Amz-Target", self.command)
        self.peer.calls.append(f"{name} {self.path}" if name == self.command else name)
        status, answer = self.peer.answers[name]
        self.send(status, body=(answer if isinstance(answer, str) else json.dumps(answer)).encode())

    do_GET = do_PUT = do_POST


class Serving(HttpPeer):
    """Answers each call by its X-Amz-Target or its method: (status, a JSON object or XML)."""

    handler = ServingHandler

    def __init__(self, answers):
        super().__init__()
        self.answers = answers


@pytest.fixture
def doctor(folder):
    """The exit status, and the level and text of the finding about the sink."""

    def ask(sink, *args, env=None):
        path = folder / "conf.yaml"
        changes = {
            "store": {"path": "var/sluice.db"},
            "routes": [route(match={"source": "genesyscloud"})],
            "sinks": [{"region": "eu-west-1"} | sink],
        }
        path.write_text(yaml.safe_dump(merge(defaults(), changes), sort_keys=False))
        told = run("doctor", "-c", path, "--json", *args, cwd=folder, env=environment(**(env or {})))
        assert told.stderr == ""
        found = [json.loads(line) for line in told.stdout.splitlines()]
        found = [(one["finding"], one["text"]) for one in found if one["what"] == "sink"]
        assert len(found) <= 1
        return told.returncode, *(found[0] if found else (None, None))

    return ask


QUEUE = SQS["queue_url"]
XML = "<Error><Code>%s</Code><Message>no</Message></Error>"
LOOKS = {
    "stream": (KINESIS, "Kinesis_20131202.DescribeStreamSummary", (200, STREAM),
               "ok", "clicks: stream events: ACTIVE"),
    "no-stream": (KINESIS, "Kinesis_20131202.DescribeStreamSummary",
                  (400, {"__type": "ResourceNotFoundException", "message": "Stream not found"}),
                  "fail", "clicks: stream events: ResourceNotFoundException: Stream not found"),
    "hidden-stream": (KINESIS, "Kinesis_20131202.DescribeStreamSummary",
                      (400, {"__type": "AccessDeniedException"}),
                      "warn", "clicks: stream events: cannot be looked at without "
                      "kinesis:DescribeStreamSummary, which delivery does not need"),
    "wrong-key": (KINESIS, "Kinesis_20131202.DescribeStreamSummary",
                  (400, {"__type": "UnrecognizedClientException"}),
                  "fail", "clicks: stream events: UnrecognizedClientException"),
    "queue": (SQS, "AmazonSQS.GetQueueAttributes", (200, {}),
              "ok", f"jobs: queue {QUEUE}: it is there"),
    "no-queue": (SQS, "AmazonSQS.GetQueueAttributes",
                 (400, {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}),
                 "fail", f"jobs: queue {QUEUE}: QueueDoesNotExist: no"),
    "delivery-stream": (FIREHOSE, "Firehose_20150804.DescribeDeliveryStream", (200, DELIVERY_STREAM),
                        "ok", "raw: delivery stream events: ACTIVE"),
    "table": (DYNAMODB, "DynamoDB_20120810.DescribeTable", (200, TABLE),
              "ok", "once: table events: ACTIVE"),
    "wrong-sort-key": (DYNAMODB | {"range_key": {"at": "/time"}}, "DynamoDB_20120810.DescribeTable",
                       (200, TABLE), "fail", 'once: table events: its sort key is "", not "at"'),
    "topic": (SNS, "POST", (200, "<GetTopicAttributesResponse/>"),
              "ok", f"news: topic {SNS['topic_arn']}: it is there"),
    "bus": (EVENTBRIDGE, "AWSEvents.DescribeEventBus", (200, {"Name": "default"}),
            "ok", "audit: bus default: it is there"),
    "bucket": (S3, "GET", (200, "<ListBucketResult/>"), "ok", "lake: bucket objects: it is there"),
    "no-bucket": (S3, "GET", (404, XML % "NoSuchBucket"),
                  "fail", "lake: bucket objects: NoSuchBucket: no"),
}  # fmt: skip


@pytest.mark.parametrize("case", LOOKS)
def test_what_aws_says_about_a_target(doctor, case):
    sink, call, answer, level, text = LOOKS[case]
    with Serving({call: answer}) as peer:
        status = 1 if level == "fail" else 0
        assert doctor(sink | {"endpoint_url": peer.url}) == (status, level, text)
        assert {one.split()[0] for one in peer.calls} == {call}


def test_offline_leaves_targets_out(doctor):
    with Serving({}) as peer:
        assert doctor(KINESIS | {"endpoint_url": peer.url}, "--offline") == (0, None, None)
        assert not peer.calls


def test_without_credentials(doctor):
    env = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    status, level, text = doctor(KINESIS | {"endpoint_url": "http://127.0.0.1:1"}, env=env)
    assert (status, level) == (1, "fail")
    assert text.startswith("clicks: stream events: no AWS credentials in the environment, ")


PROBES = {
    "good": ((412, XML % "PreconditionFailed"), "ok", "it takes objects and does not overwrite them"),
    "overwrites": ((200, ""), "fail", "it overwrites objects: If-None-Match is ignored, so an object "
                   "can be written twice"),
    "denied": ((403, XML % "AccessDenied"), "fail", "s3:PutObject is not allowed: AccessDenied: no"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROBES)
def test_a_bucket_is_written_to_only_with_probe(doctor, case):
    answer, level, text = PROBES[case]
    with Serving({"GET": (200, "<ListBucketResult/>"), "PUT": answer}) as peer:
        sink = S3 | {"endpoint_url": peer.url}
        assert doctor(sink)[:2] == (0, "ok")
        assert not any(call.startswith("PUT") for call in peer.calls)
        status = 1 if level == "fail" else 0
        assert doctor(sink, "--probe") == (status, level, f"lake: bucket objects: {text}")
        assert peer.calls[-1] == "PUT /objects/in/sluice-probe"
