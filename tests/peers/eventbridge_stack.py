"""conf/deploy/eventbridge on an emulator by others.

MiniStack's CloudFormation knows neither connections nor API destinations. deploy() makes these two by their calls, with
the properties of the template; everything else is its stack.
"""

import json
import re

import yaml
from emulators import REGION, Ministack
from server import ROOT

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
    conditions = {"IsApiKey": kind == "API_KEY", "IsBasic": kind == "BASIC", "HasPartner": False}

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


def deploy_by_calls(peer, **parameters):
    """Connection, destination, queue and rule of the template, for an emulator that knows no such stack."""
    events, queues = peer.client("events"), peer.client("sqs")
    attributes = {"InvokeRole.Arn": "arn:aws:iam::123456789012:role/invoke"}
    attributes["Connection.Arn"] = events.create_connection(
        Name="sluice", **properties("Connection", parameters, attributes)
    )["ConnectionArn"]
    attributes["Destination.Arn"] = events.create_api_destination(
        Name="sluice", **properties("Destination", parameters, attributes)
    )["ApiDestinationArn"]
    url = queues.create_queue(QueueName="dead")["QueueUrl"]
    found = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    attributes["DeadLetters.Arn"] = found["QueueArn"]
    rule = properties("Rule", parameters, attributes)
    targets = rule.pop("Targets")
    pattern = json.dumps(rule.pop("EventPattern"))
    attributes["Rule.Arn"] = events.put_rule(Name="calls", EventPattern=pattern, **rule)["RuleArn"]
    events.put_targets(Rule="calls", Targets=targets)
    policy = properties("DeadLettersPolicy", parameters | {"DeadLetters": url}, attributes)["PolicyDocument"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    return {"RuleName": "calls", "DeadLetterQueue": url}


def put(peer, event, number):
    entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"] | {"number": number})}
    assert peer.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
