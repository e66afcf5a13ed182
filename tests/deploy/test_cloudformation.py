"""The CloudFormation templates: cfn-lint, and what it does not check."""

import json
import re
import signal
import subprocess

import pytest
import yaml
from client import Connection, encode, request
from server import BINARY, PATIENCE, ROOT, defaults, environment, merge, run, wait_for

TEMPLATES = sorted((ROOT / "conf/deploy").glob("*/*.yaml"))
TEMPLATES = [path for path in TEMPLATES if "AWSTemplateFormatVersion" in path.read_text()]


class Loader(yaml.SafeLoader):
    """Reads !Ref and its like as {"!Ref": ...}."""


def construct_function(loader, suffix, node):
    value = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda node: loader.construct_sequence(node, deep=True),
        yaml.MappingNode: lambda node: loader.construct_mapping(node, deep=True),
    }[type(node)](node)
    return {f"!{suffix}": value}


Loader.add_multi_constructor("!", construct_function)


def read_template(name):
    return yaml.load((ROOT / "conf/deploy" / name).read_text(), Loader)


def test_cfn_lint_finds_nothing(tool):
    assert [path.parent.name for path in TEMPLATES] == ["ecs", "eventbridge", "lambda"]
    tool("cfn-lint", "--include-checks", "I", "--", *TEMPLATES)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_cloudformation_can_read_it(path):
    """It knows no aliases of YAML, and takes at most 51,200 bytes without a bucket."""
    tokens = yaml.scan(path.read_text())
    assert not [token for token in tokens if isinstance(token, (yaml.AnchorToken, yaml.AliasToken))]
    assert path.stat().st_size < 51200


@pytest.mark.parametrize(("template", "purpose"), [("ecs/ecs.yaml", "ecs"), ("lambda/lambda.yaml", "lambda")])
def test_it_sets_the_variables_of_the_configuration(template, purpose):
    init = (ROOT / f"conf/init/{purpose}.yaml").read_text()
    wanted = set(re.findall(r"\$\{(SLUICE_\w+)\}", init))
    known = set(re.findall(r"\$\{(SLUICE_\w+)", init))
    text = (ROOT / "conf/deploy" / template).read_text()
    named = set(re.findall(r"\bSLUICE_\w+", text))
    assert wanted <= named <= known


def test_a_task_has_time_to_end():
    """StopTimeout is longer than drain_delay, the drain and `outbox drain` together."""
    containers = read_template("ecs/ecs.yaml")["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    [server] = [one for one in containers if one["Name"] == "sluice"]
    delay = yaml.safe_load((ROOT / "conf/init/ecs.yaml").read_text())["http"]["drain_delay"]
    [timeout] = re.findall(r"--timeout (\d+)s", server["Command"]["!If"][1][0])
    assert int(delay.rstrip("s")) + 12 + int(timeout) < server["StopTimeout"] <= 120


def test_a_task_with_a_store_is_empty_when_it_ends(folder, receiver, event):
    """The command of the template: after SIGTERM, and when the server has ended, what its store has is delivered."""
    containers = read_template("ecs/ecs.yaml")["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    [server] = [one for one in containers if one["Name"] == "sluice"]
    entry, [script] = server["EntryPoint"]["!If"][1], server["Command"]["!If"][1]
    script = script.replace("/usr/local/bin/sluice", str(BINARY)).replace("/etc/sluice/sluice.yaml", "sluice.yaml")

    peer = receiver()
    peer.plan = lambda records: (503, {})
    sink = {"name": "hook", "kind": "http", "url": peer.url, "max_backoff": "50ms"}
    config = merge(defaults(), {"store": {"path": "s.db"}, "sinks": [sink]})
    (folder / "sluice.yaml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen([*entry, script], cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        port = json.loads(process.stdout.readline())["port"]
        with Connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.send(request("POST", "/events", encode(event)))
            assert connection.answer().status == 200
        wait_for(lambda: peer.bodies, "a first try")
        process.send_signal(signal.SIGTERM)
        while json.loads(process.stdout.readline())["event"] != "stopped":
            pass
        assert peer.records == []
        peer.plan = lambda records: (200, {})
        rest = process.communicate(timeout=PATIENCE * 5)[0]
    finally:
        process.kill()
    assert (process.returncode, len(peer.records)) == (0, 1), rest


def test_lambda_names_the_statuses_that_are_failures():
    variables = read_template("lambda/lambda.yaml")["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    image = (ROOT / "conf/deploy/lambda/Dockerfile").read_text()
    assert variables["AWS_LWA_ERROR_STATUS_CODES"] == "400-599"
    assert re.search(r"(?m)^ENV AWS_LWA_ERROR_STATUS_CODES=400-599$", image)
    for given, warns in (({"AWS_LWA_ERROR_STATUS_CODES": "400-599"}, False), ({}, True)):
        found = run("doctor", "--offline", "-c", ROOT / "conf/init/lambda.yaml", cwd=ROOT,
                    env={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001", "SLUICE_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/q", **given})  # fmt: skip
        assert ("AWS_LWA_ERROR_STATUS_CODES" in found.stdout) == warns, found
