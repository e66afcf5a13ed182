"""conf/deploy/eventbridge applied to an emulator by others: an event that is put on the bus arrives at a sink.

MiniStack's CloudFormation knows neither connections nor API destinations. These two are made by their calls, with the
properties of the template; everything else is its stack.
"""

import json
import re

import pytest
import yaml
from aws_signatures import environment
from certificates import make_pair
from emulators import REGION, Ministack
from server import PATIENCE, ROOT, run, wait_for

pytestmark = pytest.mark.skipif(bool(Ministack.missing()), reason=Ministack.missing() or "-")
TEXT = (ROOT / "conf/deploy/eventbridge/eventbridge.yaml").read_text()
SECRET = "alpha-alpha-alpha-alpha"


class Loader(yaml.SafeLoader):
    """Reads !Ref and its like as {"Ref": ...}."""


def construct_function(loader, name, node):
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    return {name: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", construct_function)
TEMPLATE = yaml.load(TEXT, Loader)


def properties(resource, parameters, attributes):
    """The properties of a resource, with these values of its references."""
    values = {name: one.get("Default") for name, one in TEMPLATE["Parameters"].items()} | parameters
    kind = values["AuthorizationType"]
    conditions = {"IsApiKey": kind == "API_KEY", "IsBasic": kind == "BASIC"}

    def resolve(value):
        if isinstance(value, list):
            return [resolve(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "Ref" in value:
            return values[value["Ref"]]
        if "GetAtt" in value:
            return attributes[value["GetAtt"]]
        if "If" in value:
            name, yes, no = value["If"]
            return resolve(yes if conditions[name] else no)
        return {key: resolve(one) for key, one in value.items()}

    return resolve(TEMPLATE["Resources"][resource]["Properties"])


def without_destination():
    """The template with parameters in the place of connection and API destination."""
    text = TEXT
    for name in ("Connection", "Destination"):
        text, count = re.subn(rf"(?ms)^  {name}:\n    Type: AWS::Events::\w+\n.*?(?=^  \w)", "", text)
        assert count == 1
    text = text.replace("!GetAtt Connection.SecretArn", "!Ref ConnectionSecretArn")
    text = text.replace("!GetAtt Destination.Arn", "!Ref DestinationArn")
    given = "".join(f"  {name}: {{ Type: String }}\n" for name in ("ConnectionSecretArn", "DestinationArn"))
    return text.replace("Parameters:\n", "Parameters:\n" + given, 1)


class Peer(Ministack):
    """Ministack that trusts the server's certificate."""

    def variables(self):
        return super().variables() | {"SSL_CERT_FILE": str(self.folder / "server.pem")}


@pytest.fixture
def peer(tmp_path):
    make_pair(tmp_path)
    with Peer(tmp_path) as peer:
        yield peer


def deploy(peer, **parameters):
    """What the page's command does. Returns the outputs."""
    events, stacks = peer.client("events"), peer.client("cloudformation")
    attributes = {}
    connection = events.create_connection(Name="sluice", **properties("Connection", parameters, attributes))
    attributes["Connection.Arn"] = connection["ConnectionArn"]
    wanted = properties("Destination", parameters, attributes)
    destination = events.create_api_destination(Name="sluice", **wanted)
    # It keeps the credential without a secret.
    secret = f"arn:aws:secretsmanager:{REGION}:000000000000:secret:events!connection/sluice/4f-AbCdEf"
    given = {"ConnectionSecretArn": secret, "DestinationArn": destination["ApiDestinationArn"], **parameters}
    stacks.create_stack(
        StackName="sluice",
        TemplateBody=without_destination(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": str(value)} for name, value in given.items()],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="sluice", WaiterConfig={"Delay": 1})
    [stack] = stacks.describe_stacks(StackName="sluice")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def put(peer, event, number):
    entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"] | {"number": number})}
    assert peer.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


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
