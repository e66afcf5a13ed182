"""sluice doctor --aws --rule on emulators by others, with what conf/deploy/eventbridge creates: a healthy rule has no
findings, and each thing that does not fit has one. `LACKS` has what an emulator cannot represent.
"""

import json

import pytest
from aws_signatures import environment
from certificates import make_pair
from emulators import REGION, Ministack, Moto
from eventbridge_stack import SECRET, deploy, deploy_by_calls
from server import ROOT, defaults, merge, run

PEERS = {"MiniStack": (Ministack, deploy), "moto": (Moto, deploy_by_calls)}
RIGHTS = json.loads((ROOT / "docs/iam/doctor-rule.json").read_text())["Statement"]
RIGHTS = [right for one in RIGHTS for right in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])]
OTHER = "arn:aws:sqs:eu-west-1:123456789012:other"


class World:
    """A rule with what it calls. Each method changes one thing; restore() undoes all."""

    def __init__(self, peer, deploy):
        self.peer, self.events, self.queues = peer, peer.client("events"), peer.client("sqs")
        self.tls = make_pair(peer.folder)
        outputs = deploy(peer, Url="https://localhost/events", Secret=SECRET, MaximumEventAgeInSeconds=3600)
        self.rule, self.queue = outputs["RuleName"].rpartition("|")[2], outputs["DeadLetterQueue"]
        self.key = peer.user("doctor", RIGHTS)
        self.stranger = peer.user("stranger", [])
        [self.good] = self.events.list_targets_by_rule(Rule=self.rule)["Targets"]
        self.good["RetryPolicy"] = {name: int(value) for name, value in self.good["RetryPolicy"].items()}
        found = self.queues.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["Policy", "QueueArn"])["Attributes"]
        self.good_policy, self.queue_arn = json.loads(found["Policy"]), found["QueueArn"]
        self.restore()

    def restore(self):
        self.events.enable_rule(Name=self.rule)
        self.target()
        self.destination(InvocationEndpoint="https://localhost/events", HttpMethod="POST", InvocationRateLimitPerSecond=300)
        self.connection("API_KEY", ApiKeyAuthParameters={"ApiKeyName": "x-api-key", "ApiKeyValue": SECRET})
        self.policy()
        self.events.remove_permission(EventBusName="default", RemoveAllPermissions=True)

    def disable(self):
        self.events.disable_rule(Name=self.rule)

    def target(self, **changes):
        """None removes a member."""
        target = {name: value for name, value in (self.good | changes).items() if value is not None}
        self.events.remove_targets(Rule=self.rule, Ids=[target["Id"]])
        self.events.put_targets(Rule=self.rule, Targets=[target])

    def destination(self, **changes):
        self.events.update_api_destination(Name="sluice", **changes)

    def connection(self, kind, **auth):
        self.events.update_connection(Name="sluice", AuthorizationType=kind, AuthParameters=auth)

    def deauthorize(self):
        self.events.deauthorize_connection(Name="sluice")

    def policy(self, **changes):
        """Of the dead-letter queue, with another statement."""
        policy = self.good_policy | {"Statement": [self.good_policy["Statement"][0] | changes]}
        self.queues.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": json.dumps(policy)})

    def deny_bus(self):
        arn = self.events.describe_event_bus(Name="default")["Arn"]
        statement = {"Sid": "no", "Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": arn}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.events.put_permission(EventBusName="default", Policy=json.dumps(policy))

    def no_policy(self):
        self.queues.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": ""})


@pytest.fixture(scope="module", params=PEERS)
def world(request, tmp_path_factory):
    kind, deploy = PEERS[request.param]
    if kind.missing():
        pytest.skip(kind.missing())
    with kind(tmp_path_factory.mktemp("peer")) as peer:
        yield World(peer, deploy)


@pytest.fixture
def doctor(world, folder, secret):
    """`doctor(config)`: the findings about the rule, except "ok"."""

    def ask(config=None, key=None, rule=None):
        auth = {"api_keys": [{"header": "X-Api-Key", "value_file": secret(SECRET)}]}
        whole = {"auth": auth, "http": {"tls": world.tls}, "store": {"path": "var/s.db"}}
        path = folder / "conf.yaml"
        path.write_text(json.dumps(merge(merge(defaults(), whole), config or {})))
        env = environment(key or world.key) | {"AWS_ENDPOINT_URL": world.peer.url, "AWS_REGION": REGION}
        result = run("doctor", "--aws", "--rule", rule or f"default/{world.rule}", "--json", "-c", path, cwd=folder, env=env)
        found = [json.loads(line) for line in result.stdout.splitlines()]
        found = [(one["finding"], one["text"]) for one in found if one["what"] == "rule"]
        assert found, result
        return [one for one in found if one[0] != "ok"]

    yield ask
    world.restore()


KINDS = {
    "API_KEY": {},
    "BASIC": {"auth": {"api_keys": [], "basic": [{"user": "eventbridge"}]}},
    "OAUTH_CLIENT_CREDENTIALS": {
        "auth": {"api_keys": [], "bearer": {"issuer": "https://idp.example", "audience": "sluice", "jwks_file": "keys.json"}}
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_that_fits_has_no_findings(world, doctor, secret, kind):
    config = json.loads(json.dumps(KINDS[kind]))
    if kind == "BASIC":
        config["auth"]["basic"][0]["password_file"] = secret(SECRET)
        world.connection(kind, BasicAuthParameters={"Username": "eventbridge", "Password": SECRET})
    if kind.startswith("OAUTH"):
        client = {"ClientID": "eventbridge", "ClientSecret": SECRET}
        world.connection(kind, OAuthParameters={"AuthorizationEndpoint": "https://idp.example/token", "HttpMethod": "POST",
                                                "ClientParameters": client})  # fmt: skip
    assert doctor(config) == []


def transformer(template):
    return {"InputTransformer": {"InputPathsMap": {"detail": "$.detail"}, "InputTemplate": template}}


# name: the change, the configuration, the finding
BROKEN = {
    "disabled": (World.disable, {}, "fail", "is DISABLED"),
    "path": (lambda w: w.destination(InvocationEndpoint="https://localhost/event"), {}, "fail", 'path "/event"'),
    "http": (lambda w: w.destination(InvocationEndpoint="http://localhost/events"), {}, "fail", "not https"),
    "host": (lambda w: w.destination(InvocationEndpoint="https://other.example/events"), {}, "warn", "calls other.example"),
    "method": (lambda w: w.destination(HttpMethod="PUT"), {}, "fail", "method is PUT"),
    "rate": (lambda w: w.destination(InvocationRateLimitPerSecond=200), {"http": {"rate_limit": 150}}, "warn", "up to 200 times"),
    "header": (
        lambda w: w.connection("API_KEY", ApiKeyAuthParameters={"ApiKeyName": "x-other", "ApiKeyValue": SECRET}), {},
        "fail", "the header x-other (auth.api_keys), which is not configured",
    ),
    "basic": (
        lambda w: w.connection("BASIC", BasicAuthParameters={"Username": "u", "Password": SECRET}), {},
        "fail", "the user u (auth.basic)",
    ),
    "open": (
        lambda w: w.connection("BASIC", BasicAuthParameters={"Username": "u", "Password": SECRET}),
        {"auth": {"api_keys": [], "open": True}}, "warn", "auth.open lets anyone in",
    ),
    "age": (
        lambda w: w.target(RetryPolicy={"MaximumEventAgeInSeconds": 7200, "MaximumRetryAttempts": 1}),
        {"store": {"dedup_window": "1h"}}, "warn", "retries for 7200 s",
    ),
    "default age": (lambda w: w.target(RetryPolicy=None), {"store": {"dedup_window": "1h"}}, "warn", "retries for 86400 s"),
    "no queue": (lambda w: w.target(DeadLetterConfig=None), {}, "warn", "no dead-letter queue"),
    "queue is gone": (lambda w: w.target(DeadLetterConfig={"Arn": OTHER}), {}, "fail", "GetQueueUrl: "),
    "no policy": (World.no_policy, {}, "fail", "does not let events.amazonaws.com send"),
    "principal": (lambda w: w.policy(Principal={"Service": "sns.amazonaws.com"}), {}, "fail", "does not let"),
    "action": (lambda w: w.policy(Action="sqs:ReceiveMessage"), {}, "fail", "does not let"),
    "denied": (lambda w: w.policy(Effect="Deny"), {}, "fail", "does not let"),
    "other rule": (
        lambda w: w.policy(Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-west-1:123456789012:rule/other"}}), {},
        "fail", "does not let",
    ),
    "part": (lambda w: w.target(InputPath="$.detail"), {}, "warn", "looks for its payload at /detail"),
    "constant": (lambda w: w.target(Input='{"a":1}'), {}, "fail", "constant text"),
    "transformer": (lambda w: w.target(**transformer('{"all":<detail>}')), {}, "warn", "looks for its payload at /detail"),
    "no destination": (lambda w: w.target(Arn=w.queue_arn), {}, "fail", "no API destination"),
    "destination is gone": (
        lambda w: w.target(Arn=w.good["Arn"].replace("/sluice", "/other")), {}, "fail", "DescribeApiDestination: ",
    ),
    "bus": (World.deny_bus, {}, "warn", "denies events:PutEvents"),
    "deauthorized": (World.deauthorize, {}, "fail", "is DEAUTHORIZ"),
}  # fmt: skip

# What an emulator does not have.
LACKS = {
    ("Moto", "deauthorized"): "moto has no DeauthorizeConnection",
    ("Ministack", "bus"): "MiniStack's PutPermission does not take a policy",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_fit_is_one_finding(request, world, doctor, name):
    if reason := LACKS.get((type(world.peer).__name__, name)):
        pytest.skip(reason)
    change, config, level, text = BROKEN[name]
    change(world)
    found = doctor(config)
    assert [one[0] for one in found] == [level], found
    assert text in found[0][1]


# Policies that admit EventBridge, written as people and consoles do.
FITTING = {
    "any action": {"Action": "SQS:*"},
    "several": {"Action": ["sqs:GetQueueAttributes", "SQS:SendMessage"], "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}},
    "pattern": {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}},
    "anyone": {"Principal": "*"},
    "account": {"Condition": {"StringEquals": {"aws:SourceAccount": ["000000000000", "123456789012"]}}},
    "no condition": {"Condition": {}},
}  # fmt: skip


@pytest.mark.parametrize("name", FITTING)
def test_a_policy_that_admits_eventbridge_fits(world, doctor, name):
    world.policy(**FITTING[name])
    assert doctor() == []


def test_a_transformer_that_keeps_the_payload_fits(world, doctor):
    world.target(**transformer('{"id":<id>,"detail":<detail>}'))
    assert doctor() == []


def test_a_rule_or_bus_that_does_not_exist(world, doctor):
    for rule in ("default/missing", f"missing/{world.rule}"):
        [(level, text)] = doctor(rule=rule)
        assert level == "fail"
        assert text.startswith("DescribeRule: ")


def test_without_rights_it_says_which(world, doctor):
    found = doctor(key=world.stranger)
    assert [one[0] for one in found] == ["warn"]
    assert "DescribeRule: " in found[0][1]
