"""docs/iam/ allows exactly what Sluice calls."""

import json
import re

import pytest

from aws_services import Service
from aws_targets import AwsTarget
from glue_server import GlueServer
from s3_target import S3Target
from server import ROOT, route, wait_for
from test_doctor_aws import (  # noqa: F401
    DELIVERY_STREAM,
    DYNAMODB,
    EVENTBRIDGE,
    FIREHOSE,
    KINESIS,
    S3,
    SNS,
    SQS,
    STREAM,
    TABLE,
    Serving,
    doctor,
)

FOLDER = ROOT / "docs/iam"
KINDS = json.loads((ROOT / "conf/sluice.schema.json").read_text())
KINDS = KINDS["properties"]["sinks"]["items"]["properties"]["kind"]["enum"]
STORE = {"path": "var/sluice.db"}

# The right that a call needs, where it has another name than the call.
RIGHTS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sns:PublishBatch": "sns:Publish",
    "dynamodb:BatchExecuteStatement": "dynamodb:PartiQLInsert",  # of INSERT
}
# Rights of Kafka clients, which are not calls of HTTP.
KAFKA = {f"kafka-cluster:{name}" for name in
         ("Connect", "DescribeTopic", "WriteData", "WriteDataIdempotently")}  # fmt: skip


def a_list(value):
    return value if isinstance(value, list) else [value]


def statements(name):
    return json.loads((FOLDER / f"{name}.json").read_text())["Statement"]


def rights(name):
    return {action for one in statements(name) for action in a_list(one["Action"])}


def services(base=Service):
    """The emulated services by the call that they take."""
    found = {}
    for service in base.__subclasses__():
        found |= {service.target: service} if service.target and service.kind in KINDS else {}
        found = services(service) | found
    return found


def policy_of(service, operation):
    modes = {"BatchExecuteStatement": "dynamodb-insert", "BatchWriteItem": "dynamodb-replace"}
    return modes.get(operation, service.kind)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_policy_names_rights_and_resources(path):
    policy = json.loads(path.read_text())
    assert set(policy) == {"Version", "Statement"} and policy["Version"] == "2012-10-17"
    for one in policy["Statement"]:
        assert set(one) == {"Sid", "Effect", "Action", "Resource"} and one["Effect"] == "Allow"
        assert re.fullmatch("[A-Za-z0-9]+", one["Sid"])
        for action in a_list(one["Action"]):
            assert re.fullmatch("[a-z0-9-]+:[A-Za-z0-9]+", action), "no wildcards"
        for resource in a_list(one["Resource"]):
            assert re.fullmatch("arn:aws:[a-z0-9]+:[^:]*:[^:]*:[A-Za-z*/:-]+", resource)


def test_the_page_names_each_policy():
    page = (FOLDER / "README.md").read_text()
    for path in FOLDER.glob("*.json"):
        assert f"[{path.name}]({path.name})" in page


@pytest.mark.parametrize("target", sorted(services()))
def test_a_sink_calls_what_its_policy_allows(sluice, event, target):
    with AwsTarget(services()[target]()) as peer:  # it takes no other calls
        server = sluice(
            env=peer.environment(),
            store=STORE,
            routes=[route(match={"source": "genesyscloud"})],  # not what the target may send back
            sinks=[peer.sink()],
        )
        assert server.post(event).status == 200
        peer.wait(lambda peer: peer.service.stored)
    operation = target.split(".")[1]
    call = f"{peer.service.signing}:{operation}"
    assert rights(policy_of(peer.service, operation)) == {RIGHTS.get(call, call)}


def test_objects(sluice, event):
    faults = ["lost"]
    with S3Target() as peer:
        peer.plan = lambda method, key: faults.pop() if faults else None
        server = sluice(env=peer.environment(), store=STORE, sinks=[peer.sink()])
        assert server.post(event).status == 200
        wait_for(lambda: "HEAD" in {method for method, _ in peer.calls})
    calls = {method for method, _ in peer.calls}
    assert {{"PUT": "s3:PutObject", "HEAD": "s3:GetObject"}[one] for one in calls} == rights("s3")


def test_schemas(sluice, event):
    schema = ROOT / "conf/schemas/GenesysInteractionRegistry/InteractionStartedSchema.json"
    with GlueServer() as glue:
        glue.put(schema.read_text())
        server = sluice(
            env=glue.environment(),
            aws=glue.config(),
            registry={"kind": "glue", "cache_dir": "var/schemas"},
        )
        assert server.post(event).status == 200
    assert {f"glue:{call}" for call, _ in glue.calls} == rights("glue")


def test_kafka():
    assert rights("kafka-msk") == KAFKA


def test_roles():
    assert rights("role") == {"sts:AssumeRole"}  # test_aws_credentials.py: the peer takes no other


LOOKS = {
    "kinesis:DescribeStreamSummary": (KINESIS, {"Kinesis_20131202.DescribeStreamSummary": STREAM}),
    "sqs:GetQueueAttributes": (SQS, {"AmazonSQS.GetQueueAttributes": {}}),
    "firehose:DescribeDeliveryStream": (
        FIREHOSE,
        {"Firehose_20150804.DescribeDeliveryStream": DELIVERY_STREAM},
    ),
    "dynamodb:DescribeTable": (DYNAMODB, {"DynamoDB_20120810.DescribeTable": TABLE}),
    "events:DescribeEventBus": (EVENTBRIDGE, {"AWSEvents.DescribeEventBus": {}}),
    "sns:GetTopicAttributes": (SNS, {"POST": "<GetTopicAttributesResponse/>"}),
    "s3:ListBucket": (S3, {"GET": "<ListBucketResult/>"}),
}


@pytest.mark.parametrize("right", LOOKS)
def test_doctor_may_look(doctor, right):  # noqa: F811
    sink, answers = LOOKS[right]
    with Serving({name: (200, answer) for name, answer in answers.items()}) as peer:
        assert doctor(sink | {"endpoint_url": peer.url})[:2] == (0, "ok")
    assert right in rights("doctor")


def test_doctor_may_do_nothing_else():
    assert rights("doctor") == set(LOOKS)
