"""Every provider of the credentials chain, with rotation, tested through calls to Glue."""

import re
import time

import pytest
from aws_providers import (
    AssumedRole,
    Container,
    Keys,
    Metadata,
    PodIdentity,
    Process,
    ProfileKeys,
    Sts,
    WebIdentity,
)
from aws_services import Kinesis
from aws_targets import AwsTarget
from aws_signatures import REGION
from glue_server import GlueServer
from server import ROOT, wait_for

SCHEMA = (ROOT / "conf/schemas/GenesysInteractionRegistry/InteractionStartedSchema.json").read_text()
pytestmark = pytest.mark.emulator_only("keys")
PROVIDERS = [WebIdentity, AssumedRole, Container, PodIdentity, Metadata, Process]


def settings(glue, refresh="200ms"):
    return {
        "aws": glue.config(),
        "registry": {"kind": "glue", "refresh": refresh, "cache_dir": "var/schemas"},
    }


def surroundings(extra):
    return {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"} | extra


@pytest.fixture
def glue():
    with GlueServer(keys=()) as server:
        server.put(SCHEMA)
        yield server


def expiry(server):
    text = server.get("/metrics").body.decode()
    found = re.search(r"^sluice_aws_credential_expiry_timestamp_seconds (\S+)$", text, re.M)
    return float(found[1]) if found else None


@pytest.mark.parametrize("kind", PROVIDERS)
def test_new_credentials_come_ahead_of_the_end(sluice, glue, folder, event, kind):
    with kind(Keys(glue, life=2)) as peer:
        server = sluice(env=surroundings(peer.environment(folder)), **settings(glue))
        glue.wait_signers(1)
        assert server.post(event).status == 200
        glue.wait_signers(3)
        assert expiry(server) > time.time() - 60
        assert server.post(event).status == 200


@pytest.mark.parametrize("kind", PROVIDERS)
def test_an_expired_token_is_renewed_at_once(sluice, glue, folder, event, kind):
    glue.signatures.expired.add("KEY0")
    with kind(Keys(glue, life=3600)) as peer:
        server = sluice(env=surroundings(peer.environment(folder)), **settings(glue, "60s"))
        assert glue.wait_signers(1) == "KEY1"
        assert server.post(event).status == 200
        assert peer.keys.count == 2


@pytest.mark.parametrize("end", ["expired", "deleted"])
def test_keys_in_a_file_are_read_again_when_they_no_longer_work(sluice, glue, folder, event, end):
    with ProfileKeys(Keys(glue)) as peer:
        server = sluice(env=surroundings(peer.environment(folder)), **settings(glue))
        glue.wait_signers(1)
        peer.rotate()
        if end == "expired":
            glue.signatures.expired.add("KEY0")
        else:
            del glue.signatures.keys["KEY0"]
        assert glue.wait_signers(2) == "KEY1"
        assert server.post(event).status == 200


@pytest.mark.parametrize("skew", [1200, -1200])
def test_a_role_is_assumed_although_our_clock_is_wrong(sluice, glue, folder, event, skew):
    with AssumedRole(Keys(glue)) as peer:
        peer.skew = glue.skew = skew
        server = sluice(env=surroundings(peer.environment(folder)), **settings(glue, "60s"))
        assert glue.wait_signers(1) == "KEY0"
        assert server.post(event).status == 200
        assert len(peer.problems) == 1 and "Signature" in peer.problems.pop()


def test_the_environments_key_and_session_token(sluice, glue, folder, event):
    key = Keys(glue).next()
    env = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AWS_SESSION_TOKEN": key["Token"],
    }
    server = sluice(env=surroundings(env), **settings(glue))
    assert glue.wait_signers(1) == "KEY0"
    assert server.post(event).status == 200


def test_region_and_endpoint_come_from_the_environment(sluice, glue, folder, event):
    with Container(Keys(glue)) as peer:
        env = peer.environment(folder) | {"AWS_REGION": REGION, "AWS_ENDPOINT_URL_GLUE": glue.url}
        server = sluice(env=surroundings(env), registry=settings(glue)["registry"])
        assert glue.wait_signers(1) == "KEY0"
        assert server.post(event).status == 200


def test_a_broken_provider_is_told_and_not_passed_over(sluice, glue, folder, event):
    env = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "nobody"), "AWS_ROLE_ARN": "arn:x"}
    server = sluice(env=surroundings(env), **settings(glue))
    answer = server.post(event)
    assert answer.status == 400
    assert answer.json["details"].endswith(": no credentials")
    assert "web identity: " in server.wait_log(event="schema_refresh_failed")["error"]
    assert glue.calls == []


@pytest.mark.parametrize("end", ["soon", "expired"])
def test_a_sink_assumes_its_role(sluice, event, end):
    with AwsTarget(Kinesis()) as target, Sts(Keys(target, 3600 if end == "expired" else 2)) as sts:
        target.signatures.keys.clear()
        env = {
            "AWS_ACCESS_KEY_ID": sts.SOURCE[0],
            "AWS_SECRET_ACCESS_KEY": sts.SOURCE[1],
            "AWS_ENDPOINT_URL_STS": sts.url,
        }
        server = sluice(
            env=surroundings(env),
            store={"path": "var/sluice.db"},
            sinks=[target.sink(role_arn=sts.ROLE)],
        )
        assert server.post(event).status == 200
        target.wait(lambda peer: len(peer.service.stored) == 1)
        if end == "expired":
            target.signatures.expired.add("KEY0")
        else:
            wait_for(lambda: sts.keys.count >= 3)
        assert server.post(event | {"id": "2"}).status == 200
        target.wait(lambda peer: len(peer.service.stored) == 2)
        assert sts.keys.count >= 2
        if end == "expired":
            assert len(target.problems) == 1 and "ExpiredToken" in target.problems.pop()
