"""Secrets of the environment and of AWS Secrets Manager."""

import json
import pathlib
import signal
import time

import pytest

from aws_api import AwsApi
from client import encode, request
from aws_signatures import Refusal
from server import ROOT, defaults, merge, run

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:events!connection/genesys/4f-AbCdEf"


def status(server, event, key):
    body = encode(event)
    with server.connect() as connection:
        connection.send(request("POST", "/events", body, {"x-api-key": key}))
        return connection.answer().status


def test_a_secret_of_the_environment_is_accepted_and_gone_from_it(sluice, event):
    server = sluice(
        auth={"api_keys": [{"value_env": "TEST_SLUICE_KEY"}], "basic": [{"user": "u", "password_env": "TEST_PASSWORD"}]},
        env={"TEST_SLUICE_KEY": "of-the-environment", "TEST_PASSWORD": "also-secret", "OTHER": "stays"},
    )
    assert status(server, event, "of-the-environment") == 200
    assert status(server, event, "wrong") == 401
    seen = pathlib.Path(f"/proc/{server.process.pid}/environ").read_bytes()
    assert b"OTHER=stays" in seen
    assert b"of-the-environment" not in seen
    assert b"also-secret" not in seen
    server.signal(signal.SIGHUP)
    server.wait_log(event="reloaded")
    assert status(server, event, "of-the-environment") == 200


@pytest.fixture
def manager():
    """Secrets Manager, with one secret, that a test may change."""
    secret = {"api_key_name": "x-api-key", "api_key_value": "first"}

    def get(params):
        if params["SecretId"] != ARN:
            raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return {"ARN": ARN, "SecretString": json.dumps(secret)}

    with AwsApi({"secretsmanager.GetSecretValue": get}) as api:
        api.secret = secret
        yield api


def test_a_rotated_secret_is_asked_for_at_the_first_wrong_key(sluice, event, manager):
    start = time.monotonic()
    server = sluice(auth={"api_keys": [{"value_secret": ARN + "#api_key_value"}]}, env=manager.environment())
    assert status(server, event, "first") == 200
    assert len(manager.calls) == 1
    manager.secret["api_key_value"] = "second"
    assert status(server, event, "second") == 401
    manager.wait_calls(2)
    server.wait_log(event="credential_reloaded")
    assert status(server, event, "second") == 200
    assert status(server, event, "first") == 401
    for _ in range(5):
        assert status(server, event, "first") == 401
    assert len(manager.calls) <= 2 + (time.monotonic() - start) // 30


def check(folder, manager, auth, *words):
    path = folder / "conf.yaml"
    path.write_text(json.dumps(merge(defaults(), {"auth": auth})))
    return run("check", *words, "-c", path, cwd=folder, env=manager.environment())


def test_check_says_which_secret_is_missing(folder, manager):
    keys = [ARN + "#api_key_value", ARN + "#nothing", ARN.replace("genesys", "other")]
    result = check(folder, manager, {"api_keys": [{"value_secret": key} for key in keys]})
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert "auth.api_keys[1].value_secret: " in lines[0]
    assert "has no text in its member nothing" in lines[0]
    assert "auth.api_keys[2].value_secret: " in lines[1]
    assert "can't find" in lines[1]


def test_check_offline_does_not_ask(folder, manager):
    result = check(folder, manager, {"api_keys": [{"value_secret": ARN}]}, "--offline")
    assert (result.returncode, manager.calls) == (0, [])


def test_a_server_without_its_secret_does_not_start(folder, manager):
    path = folder / "conf.yaml"
    path.write_text(json.dumps(merge(defaults(), {"auth": {"api_keys": [{"value_secret": ARN + "#nothing"}]}})))
    result = run("serve", "-c", path, cwd=folder, env=manager.environment())
    assert result.returncode == 3
    assert "#nothing: the secret has no text in its member nothing" in result.stderr


def test_the_policy_allows_what_is_called(manager, sluice):
    sluice(auth={"api_keys": [{"value_secret": ARN}]}, env=manager.environment())
    policy = json.loads((ROOT / "docs/iam/secrets.json").read_text())
    called = {name.replace(".", ":") for name, _ in manager.calls}
    assert called == {statement["Action"] for statement in policy["Statement"]}
