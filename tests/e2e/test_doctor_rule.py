"""sluice doctor --aws --rule: a rule, what it calls, and this configuration."""

import copy
import json

import pytest

from aws_api import AwsApi
from aws_signatures import Refusal
from certificates import make_pair
from server import ROOT, defaults, merge, run

RIGHTS = json.loads((ROOT / "docs/iam/doctor-rule.json").read_text())["Statement"]
RIGHTS = {right for one in RIGHTS for right in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])}
ACCOUNT = "arn:aws:events:eu-central-1:123456789012:"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:dead"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": QUEUE}
    ],
}
GOOD = {
    "rule": {"Name": "calls", "State": "ENABLED"},
    "target": {
        "Id": "sluice",
        "Arn": ACCOUNT + "api-destination/sluice/4f",
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600},
        "DeadLetterConfig": {"Arn": QUEUE},
    },
    "destination": {
        "ApiDestinationState": "ACTIVE",
        "HttpMethod": "POST",
        "InvocationEndpoint": "https://sluice.example/events",
        "InvocationRateLimitPerSecond": 100,
        "ConnectionArn": ACCOUNT + "connection/genesys/5a",
    },
    "connection": {
        "ConnectionState": "AUTHORIZED",
        "AuthorizationType": "API_KEY",
        "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key"}},
    },
    "policy": json.dumps(POLICY),
    "bus": {"Arn": ACCOUNT + "event-bus/default"},
}


@pytest.fixture
def doctor(folder, secret):
    """`doctor(changes, config)`: the findings about the rule, without "ok" ones, and the names of the calls."""

    def ask(changes, config=None, bus="aws.partner/genesys.com/cloud"):
        world = merge(copy.deepcopy(GOOD), changes)

        def rule(params):
            assert params == {"Name": "calls", "EventBusName": bus}
            if world["rule"] is None:
                raise Refusal("ResourceNotFoundException", "Rule calls does not exist.")
            return world["rule"]

        def destination(params):
            assert params == {"Name": "sluice"}
            return world["destination"]

        def connection(params):
            assert params == {"Name": "genesys"}
            return world["connection"]

        operations = {
            "events.DescribeRule": rule,
            "events.DescribeEventBus": lambda _: world["bus"],
            "events.ListTargetsByRule": lambda _: {"Targets": [{k: v for k, v in world["target"].items() if v}]},
            "events.DescribeApiDestination": destination,
            "events.DescribeConnection": connection,
            "sqs.GetQueueUrl": lambda _: {"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/dead"},
            "sqs.GetQueueAttributes": lambda _: {"Attributes": {"Policy": world["policy"]} if world["policy"] else {}},
        }
        path = folder / "conf.yaml"
        auth = {"api_keys": [{"header": "x-api-key", "value_file": secret("sesame")}]}
        path.write_text(json.dumps(merge(defaults(), merge({"auth": auth, "store": {"path": "var/s.db"}}, config or {}))))
        with AwsApi(operations) as api:
            words = ["doctor", "--aws", "--rule", f"{bus}/calls", "--json", "-c", path]
            result = run(*words, cwd=folder, env=api.environment())
        called = {name.replace("events.", "events:").replace("sqs.", "sqs:") for name, _ in api.calls}
        assert called <= RIGHTS
        found = [json.loads(line) for line in result.stdout.splitlines()]
        found = [(one["finding"], one["text"]) for one in found if one["what"] == "rule"]
        assert found, result
        return [one for one in found if one[0] != "ok"]

    return ask


def test_a_rule_that_fits_has_no_findings(doctor):
    assert doctor({}) == []
    assert doctor({}, bus="default") == []


@pytest.mark.parametrize(
    "changes, config, level, text",
    [
        ({"rule": None}, {}, "fail", "Rule calls does not exist"),
        ({"rule": {"State": "DISABLED"}}, {}, "fail", "is DISABLED"),
        (
            {"bus": {"Policy": json.dumps({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "events:Put*", "Resource": "*"}})}}, {},
            "warn", "denies events:PutEvents",
        ),
        ({"target": {"Arn": QUEUE}}, {}, "fail", "no API destination"),
        ({"destination": {"HttpMethod": "PUT"}}, {}, "fail", "method is PUT"),
        ({"destination": {"ApiDestinationState": "INACTIVE"}}, {}, "fail", "is INACTIVE"),
        ({"destination": {"InvocationEndpoint": "https://sluice.example/event?a=b"}}, {}, "fail", 'path "/event"'),
        ({"destination": {}}, {"http": {"rate_limit": 50}}, "warn", "http.rate_limit is 50"),
        (
            {"connection": {"ConnectionState": "DEAUTHORIZED", "StateReason": "refused"}}, {},
            "fail", "the connection is DEAUTHORIZED: refused",
        ),
        (
            {"connection": {"AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "x-other"}}}}, {},
            "fail", "an API key in the header x-other (auth.api_keys), which is not configured",
        ),
        ({"connection": {"AuthorizationType": "OAUTH_CLIENT_CREDENTIALS"}}, {}, "fail", "bearer tokens"),
        (
            {"connection": {"AuthorizationType": "BASIC", "AuthParameters": {"BasicAuthParameters": {"Username": "u"}}}}, {},
            "fail", "the user u (auth.basic)",
        ),
        ({"target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 86400}}}, {"store": {"dedup_window": "1h"}}, "warn", "dedup_window"),
        ({"target": {"DeadLetterConfig": None}}, {}, "warn", "no dead-letter queue"),
        ({"policy": ""}, {}, "fail", "does not let events.amazonaws.com send"),
        ({"target": {"InputPath": "$.detail"}}, {}, "warn", "looks for its payload at /detail"),
        ({"target": {"InputTransformer": {"InputTemplate": '{"x":<detail>}'}}}, {}, "warn", "looks for its payload at /detail"),
        (
            {"target": {"InputTransformer": {"InputTemplate": "<x>", "InputPathsMap": {"x": "$.detail"}}}}, {},
            "warn", "sends <x>, and route",
        ),
        ({"target": {"Input": '{"a":1}'}}, {}, "fail", "constant text"),
        ({"policy": json.dumps(POLICY).replace("Allow", "Deny")}, {}, "fail", "does not let events.amazonaws.com send"),
        ({"destination": {"InvocationEndpoint": "http://sluice.example/events"}}, {}, "fail", "is not https"),
        ({"target": {"InputTransformer": {"InputTemplate": '{"x":1}'}}}, {}, "warn", "looks for its payload at /detail"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_finding(doctor, changes, config, level, text):
    found = doctor(changes, config)
    assert len(found) == 1, found
    assert found[0][0] == level
    assert text in found[0][1]


@pytest.mark.parametrize(
    "target",
    [
        {"InputPath": "$"},
        {"InputTransformer": {"InputTemplate": '{"id":<id>,"detail" : <detail>}'}},
        {"InputTransformer": {"InputTemplate": "<aws.events.event>"}},
        {"InputTransformer": {"InputTemplate": " <all>", "InputPathsMap": {"all": "$"}}},
    ],
)
def test_a_target_that_keeps_the_payload_fits(doctor, target):
    assert doctor({"target": target}) == []


def test_the_options_go_together(folder):
    for words in (["--aws"], ["--rule", "a/b"], ["--aws", "--rule", "a/b", "--offline"]):
        assert run("doctor", *words, cwd=folder).returncode == 2


def test_a_host_that_the_certificate_is_not_for(doctor, folder):
    config = {"http": {"tls": make_pair(folder)}}
    found = doctor({}, config)
    assert found == [("warn", "the API destination calls sluice.example, and the certificate is not for that name")]
    found = doctor({"destination": {"InvocationEndpoint": "https://localhost:8443/events"}}, config)
    assert found == []
