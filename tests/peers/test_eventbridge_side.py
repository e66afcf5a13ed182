"""conf/deploy/eventbridge applied to an emulator by others: an event that is put on the bus arrives at a sink."""

import json

import pytest
from aws_signatures import environment
from certificates import make_pair
from emulators import REGION, Ministack
from eventbridge_stack import SECRET, Peer, deploy, properties, put
from server import PATIENCE, run, wait_for

pytestmark = pytest.mark.skipif(bool(Ministack.missing()), reason=Ministack.missing() or "-")


@pytest.fixture
def peer(tmp_path):
    make_pair(tmp_path)
    with Peer(tmp_path) as peer:
        yield peer


@pytest.mark.parametrize("kind", ["API_KEY", "BASIC"])
def test_an_event_on_the_bus_arrives_at_the_sink(sluice, event, peer, folder, secret, kind):
    auth = {"API_KEY": {"api_keys": [{"header": "x-api-key", "value_file": secret(SECRET)}]},
            "BASIC": {"basic": [{"user": "eventbridge", "password_file": secret(SECRET)}]}}[kind]  # fmt: skip
    tls = {"cert_file": str(peer.folder / "server.pem"), "key_file": str(peer.folder / "server.key")}
    server = sluice(http={"tls": tls}, auth=auth, store={"path": "s.db"},
                    sinks=[{"name": "out", "kind": "file", "path": "out.ndjson"}])  # fmt: skip
    outputs = deploy(peer, Url=f"https://localhost:{server.address[1]}/events", Secret=SECRET, AuthorizationType=kind,
                     SourcePrefix=event["source"][:5], MaximumEventAgeInSeconds=3600)  # fmt: skip
    put(peer, event, 1)
    out = folder / "out.ndjson"
    wait_for(lambda: out.exists() and out.read_text().endswith("\n"), "the record", 3 * PATIENCE)
    assert json.loads(out.read_text())["interaction_id"] == event["detail"]["interaction"]["id"]

    # What the page says to look at afterwards.
    rule = outputs["RuleName"].rpartition("|")[2]
    aws = environment(peer.root) | {"AWS_ENDPOINT_URL": peer.url, "AWS_REGION": REGION}
    found = run("doctor", "--aws", "--rule", f"default/{rule}", "-c", server.file, cwd=folder, env=aws)
    assert "fail" not in [line.split()[0] for line in found.stdout.splitlines()], found


def test_the_dead_letter_queue_admits_this_rule_alone(peer, event):
    outputs = deploy(peer, Url="https://localhost:1/events", Secret=SECRET)
    sqs, events = peer.client("sqs"), peer.client("events")
    queue = sqs.get_queue_attributes(QueueUrl=outputs["DeadLetterQueue"], AttributeNames=["All"])["Attributes"]
    [statement] = json.loads(queue["Policy"])["Statement"]
    rule = events.describe_rule(Name=outputs["RuleName"].rpartition("|")[2])
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rule["Arn"]}}
    [target] = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["DeadLetterConfig"]["Arn"] == queue["QueueArn"]
    policy = {key: int(value) for key, value in target["RetryPolicy"].items()}
    assert policy == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def test_aws_would_take_the_connection_of_oauth(peer):
    """The call's parameters are checked against AWS's model."""
    parameters = {"AuthorizationType": "OAUTH_CLIENT_CREDENTIALS", "Secret": SECRET}
    wanted = properties("Connection", parameters, {})
    made = peer.client("events").create_connection(Name="oauth", **wanted)
    assert made["ConnectionState"] in ("AUTHORIZED", "AUTHORIZING")
