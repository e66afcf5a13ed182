"""Tests of the emulated Glue with AWS's own client."""

import botocore.config
import botocore.exceptions
import botocore.session
import pytest
from aws_signatures import KEY, REGION
from glue_server import CHANGES, REFUSALS, REGISTRY, SCHEMA, GlueServer

CLOSED = '{"type":"object","additionalProperties":false}'
OPEN = '{"type":"object","additionalProperties":true}'


def client(glue, key=KEY, **options):
    options = {"read_timeout": 20, **options}
    config = botocore.config.Config(retries={"max_attempts": 0}, **options)
    return botocore.session.get_session().create_client(
        "glue",
        region_name=REGION,
        endpoint_url=glue.url,
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
        aws_session_token=key[2] or None,
        verify=str(glue.ca_file) if glue.ca_file else None,
        config=config,
    )


def latest(api):
    return api.get_schema_version(
        SchemaId={"RegistryName": REGISTRY, "SchemaName": SCHEMA},
        SchemaVersionNumber={"LatestVersion": True},
    )


def code_of(call, *args, **kwargs):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*args, **kwargs)
    return caught.value.response["Error"]["Code"]


def test_a_schemas_life():
    with GlueServer() as glue:
        api = client(glue)
        api.create_registry(RegistryName="R")
        where = {"RegistryName": "R", "SchemaName": "S"}
        api.create_schema(
            RegistryId={"RegistryName": "R"},
            SchemaName="S",
            DataFormat="JSON",
            Compatibility="BACKWARD",
            SchemaDefinition=CLOSED,
        )
        assert api.check_schema_version_validity(DataFormat="JSON", SchemaDefinition=OPEN)["Valid"]
        assert not api.check_schema_version_validity(DataFormat="JSON", SchemaDefinition="{")["Valid"]
        glue.registry.pending = 1
        made = api.register_schema_version(SchemaId=where, SchemaDefinition=OPEN)
        assert (made["VersionNumber"], made["Status"]) == (2, "PENDING")
        states = [
            api.get_schema_version(SchemaVersionId=made["SchemaVersionId"])["Status"]
            for _ in range(3)
        ]
        assert states == ["PENDING", "AVAILABLE", "AVAILABLE"]
        listed = api.list_schema_versions(SchemaId=where, MaxResults=1)
        assert listed["Schemas"][0]["VersionNumber"] == 2 and listed["NextToken"]
        assert api.get_schema(SchemaId=where)["Compatibility"] == "BACKWARD"
        assert code_of(latest, api) == "EntityNotFoundException"


def test_full_refuses_to_open():
    with GlueServer() as glue:
        glue.put(CLOSED, compatibility="FULL")
        made = client(glue).register_schema_version(
            SchemaId={"RegistryName": REGISTRY, "SchemaName": SCHEMA}, SchemaDefinition=OPEN
        )
        assert made["Status"] == "FAILURE"


def test_only_known_keys_and_clocks_get_in():
    with GlueServer(keys=[("AKIDTOKEN", "secret", "token")]) as glue:
        glue.put(OPEN)
        assert latest(client(glue, ("AKIDTOKEN", "secret", "token")))["SchemaDefinition"] == OPEN
        assert code_of(latest, client(glue)) == "UnrecognizedClientException"
        assert (
            code_of(latest, client(glue, ("AKIDTOKEN", "wrong", "token")))
            == "InvalidSignatureException"
        )
        assert (
            code_of(latest, client(glue, ("AKIDTOKEN", "secret", "other")))
            == "UnrecognizedClientException"
        )
        glue.skew = 1200
        assert (
            code_of(latest, client(glue, ("AKIDTOKEN", "secret", "token")))
            == "InvalidSignatureException"
        )
        glue.skew = 0
        glue.signatures.expired.add("AKIDTOKEN")
        assert (
            code_of(latest, client(glue, ("AKIDTOKEN", "secret", "token")))
            == "ExpiredTokenException"
        )


def test_faults():
    with GlueServer() as glue:
        glue.put(OPEN)
        api = client(glue)
        for name in REFUSALS:
            glue.fault(name, times=1)
            if name == "garbage":
                assert "SchemaDefinition" not in latest(api)
            else:
                assert code_of(latest, api)
        for name, change in CHANGES.items():
            glue.fault(name, times=1)
            answer = latest(api)
            assert {key: answer[key] for key in change} == change
        glue.fault("truncated", times=1)
        try:
            assert "SchemaDefinition" not in latest(api)
        except botocore.exceptions.HTTPClientError:  # newer versions of urllib3 detect it
            pass
        for name in ("reset", "close"):
            glue.fault(name, times=1)
            with pytest.raises(botocore.exceptions.HTTPClientError):
                latest(api)
        assert latest(api)["Status"] == "AVAILABLE"
        glue.fault("drip", times=1)
        with pytest.raises(botocore.exceptions.ReadTimeoutError):
            latest(client(glue, read_timeout=0.1, connect_timeout=20))
        glue.fault("hang", times=1)
        with pytest.raises(botocore.exceptions.ReadTimeoutError):
            latest(client(glue, read_timeout=0.1))


def test_certificates():
    with GlueServer(tls="good") as glue:
        glue.put(OPEN)
        assert latest(client(glue))["VersionNumber"] == 1
    for kind in ("expired", "wrong_name", "unknown"):
        with GlueServer(tls=kind) as glue:
            with pytest.raises(botocore.exceptions.SSLError):
                latest(client(glue))
            assert glue.calls == []


def test_mistakes_are_noticed():
    with pytest.raises(AssertionError, match="LatestVersion"), GlueServer() as glue:
        api = client(glue, parameter_validation=False)
        code_of(
            api.get_schema_version,
            SchemaId={"RegistryName": REGISTRY, "SchemaName": SCHEMA},
            SchemaVersionNumber={"LatestVersion": "yes"},
        )
