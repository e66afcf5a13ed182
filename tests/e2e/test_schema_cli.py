"""`sluice schema` and `sluice doctor`, against files and Glue."""

import json

import pytest
import yaml

from aws_signatures import Refusal
from glue_server import REGISTRY, SCHEMA
from server import ROOT, put_schema, route, run

DEFINITION = json.loads((ROOT / f"conf/schemas/{REGISTRY}/{SCHEMA}.json").read_text())
CLOSED = DEFINITION | {"additionalProperties": False}
NAME = f"{REGISTRY}/{SCHEMA}"


class Cli:
    def __init__(self, folder, glue=None, **config):
        self.folder, self.glue = folder, glue
        config = {"http": {"listen": "127.0.0.1:0"}} | config  # nothing else may listen where it is looked at
        if glue:
            registry = {"kind": "glue"} | config.get("registry", {})
            config |= {"aws": glue.config(), "registry": registry}
        (folder / "sluice.yaml").write_text(yaml.safe_dump(config))

    def __call__(self, *args, stdin=None, command="schema", **env):
        env |= self.glue.environment() if self.glue else {}
        words = (command, *args, "-c", "sluice.yaml")
        return run(*words, cwd=self.folder, stdin=stdin, env=env)

    def fails(self, status, *args, **options):
        told = self(*args, **options)
        assert (told.returncode, told.stdout) == (status, ""), told
        assert told.stderr
        return told.stderr

    def works(self, *args, **options):
        told = self(*args, **options)
        assert told.returncode == 0, told
        return told.stdout

    def file(self, name, value):
        (self.folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
        return name


@pytest.fixture
def cli(folder, glue):
    return Cli(folder, glue)


# Commands that change nothing.


def test_verify(cli, glue):
    told = cli("verify")
    assert (told.returncode, told.stderr) == (1, "")
    assert told.stdout == f"{NAME}: Schema {SCHEMA} not found in registry {REGISTRY}\n"
    glue.put(DEFINITION)
    size = len(json.dumps(DEFINITION))
    assert cli.works("verify") == f"{NAME}: ok, version 1, {size} bytes\n"
    version = glue.put({"type": "strin"})
    told = cli("verify", "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout) | {"error": ""} == {
        "registry": REGISTRY,
        "schema": SCHEMA,
        "version": "2",
        "uuid": version.id,
        "status": "AVAILABLE",
        "format": "JSON",
        "ok": False,
        "error": "",
    }
    assert json.loads(told.stdout)["error"].startswith("Schema definition cannot be used: ")


@pytest.mark.emulator_only("faults")
@pytest.mark.parametrize(
    "fault, status", [("avro", 1), ("pending", 1), ("empty", 1), ("denied", 3), ("throttle", 3)]
)
def test_verify_says_no_or_that_it_cannot_tell(cli, glue, fault, status):
    glue.put(DEFINITION)
    glue.fault(fault)
    assert cli("verify").returncode == status


def test_verify_looks_at_every_schema_of_the_routes(folder, glue):
    routes = [
        route(match={"source": source}, schema=name) for source, name in ("aA", "bB", "cA")
    ]
    cli = Cli(folder, glue, routes=routes)
    glue.put(DEFINITION, schema="A")
    told = cli("verify")
    assert told.returncode == 1
    assert [line.split(":")[0] for line in told.stdout.splitlines()] == [
        f"{REGISTRY}/A",
        f"{REGISTRY}/B",
    ]
    assert "--registry and --schema" in cli.fails(2, "get")
    assert json.loads(cli.works("get", "--schema", "A")) == DEFINITION
    assert cli.works("verify", "--schema", "A").startswith(f"{REGISTRY}/A: ok")


def test_a_pinned_version_is_the_one_that_is_looked_at(folder, glue):
    glue.put(DEFINITION)
    glue.put({"type": "strin"})
    cli = Cli(folder, glue, registry={"pin": {NAME: 1}})
    for command, *words in (("schema", "verify"), ("doctor",)):
        told = cli(*words, command=command)
        assert told.returncode == 0, told
        assert f"{NAME}: " in told.stdout and "version 1" in told.stdout


def test_get(cli, glue):
    first = glue.put('{"title": "first"}\n')
    glue.put('{"title":  "second"}')
    assert cli.works("get") == '{"title":  "second"}'  # exactly as registered
    assert cli.works("get", "1") == '{"title": "first"}\n'
    assert cli.works("get", first.id) == '{"title": "first"}\n'
    told = json.loads(cli.works("get", "1", "--json"))
    assert (told["version"], told["uuid"]) == ("1", first.id)
    assert told["definition"] == '{"title": "first"}\n'
    assert cli.works("get", "latest") == '{"title":  "second"}'
    assert f"in registry {REGISTRY} has no version 9" in cli.fails(1, "get", "9")
    assert "not found" in cli.fails(1, "get", "9", "--registry", REGISTRY, "--schema", "Nobody")
    calls = glue.count()
    for nonsense in ("newest", "0", "1.5", "99999999999", first.id[:-1]):
        assert "VERSION is a number, a UUID or latest" in cli.fails(2, "get", nonsense)
    assert glue.count() == calls


@pytest.mark.emulator_only("list")
def test_list(cli, glue):
    versions = [glue.put({"title": str(i)}) for i in range(230)]
    lines = cli.works("list").splitlines()
    assert [line.split()[:3] for line in lines] == [
        [str(v.number), v.id, "AVAILABLE"] for v in versions[::-1]
    ]
    told = [json.loads(line) for line in cli.works("list", "--json").splitlines()]
    assert [line["version"] for line in told] == [str(v.number) for v in versions[::-1]]


def test_diff(cli, glue):
    glue.put({"type": "object", "properties": {"a": {"type": "string"}}})
    glue.put({"type": "object", "properties": {"a": {"type": "number"}}})
    told = cli("diff", "1", "2")
    assert told.returncode == 1
    assert told.stdout == (
        "--- 1\n+++ 2\n@@ -2,7 +2,7 @@\n"
        '   "type": "object",\n   "properties": {\n     "a": {\n'
        '-      "type": "string"\n+      "type": "number"\n'
        "     }\n   }\n }\n"
    )
    file = cli.file("new.json", glue.stored().versions[1].definition)
    assert cli.works("diff", "latest", file) == ""
    cli.fails(3, "diff", "latest", "nowhere.json")
    cli.fails(2, "diff", "1")


# Commands that change the registry.


def test_create(cli, glue):
    file = cli.file("first.json", DEFINITION)
    assert cli.works("create", file, "--compatibility", "FULL") == (
        f"registry {REGISTRY}: created\nschema {SCHEMA}: created\n"
    )
    made = glue.stored()
    assert (made.compatibility, made.data_format) == ("FULL", "JSON")
    assert json.loads(made.versions[0].definition) == DEFINITION
    assert cli.works("create", file) == (
        f"registry {REGISTRY}: is there already\nschema {SCHEMA}: is there already\n"
    )
    assert len(made.versions) == 1
    cli.fails(1, "create", cli.file("bad.json", "{"))
    assert "no such mode" in cli.fails(2, "create", file, "--compatibility", "SIDEWAYS")


@pytest.mark.emulator_only("empty")
def test_create_without_a_version(cli, glue):
    cli.works("create", "--compatibility", "NONE")
    assert glue.stored().versions == []
    assert cli("verify").returncode == 1
    assert "version 1 (" in cli.works("register", cli.file("first.json", DEFINITION))
    assert cli("verify").returncode == 0


def test_register(cli, glue):
    glue.put(DEFINITION)
    file = cli.file("new.json", DEFINITION | {"title": "new"})
    told = cli.works("register", file)
    version = glue.stored().versions[1]
    assert told == f"{NAME}: version 2 ({version.id}) is AVAILABLE\n"
    assert glue.count("CheckSchemaVersionValidity") == 1
    assert json.loads(version.definition)["title"] == "new"


@pytest.mark.emulator_only("faults")
def test_register_goes_on_where_glue_does_not_check(cli, glue, monkeypatch):
    glue.put(DEFINITION)

    def missing(params):
        raise Refusal("UnknownOperationException", "no such thing")

    monkeypatch.setattr(glue.registry, "CheckSchemaVersionValidity", missing)
    file = cli.file("new.json", DEFINITION | {"title": "new"})
    done = cli("register", file)
    assert done.returncode == 0
    assert done.stdout.endswith(" is AVAILABLE\n")
    assert "warning: not checked by AWS Glue: AWS Glue error: CheckSchemaVersionValidity: " in (
        done.stderr
    )


@pytest.mark.emulator_only("verdicts")
def test_register_waits_while_the_version_is_pending(cli, glue):
    glue.put(DEFINITION)
    glue.registry.pending = 2
    told = cli.works("register", cli.file("new.json", CLOSED))
    assert told.endswith(" is AVAILABLE\n")
    assert glue.count() == 3


@pytest.mark.emulator_only("verdicts")
def test_register_says_why_it_was_refused(cli, glue):
    glue.put(CLOSED, compatibility="FULL")
    assert "mode is FULL, and this definition breaks it" in cli.fails(
        1, "register", cli.file("open.json", DEFINITION)
    )
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    assert "AWS Glue does not take this definition: Unsupported draft" in cli.fails(
        1, "register", cli.file("draft.json", draft)
    )
    glue.stored().compatibility = "DISABLED"
    assert "Compatibility DISABLED does not allow versions" in cli.fails(
        1, "register", cli.file("open.json", DEFINITION)
    )
    before = glue.count("RegisterSchemaVersion")
    assert "cannot be used" in cli.fails(1, "register", cli.file("bad.json", {"type": "strin"}))
    cli.fails(1, "register", cli.file("blank.json", "  \n"))
    cli.fails(3, "register", "nowhere.json")
    assert glue.count("RegisterSchemaVersion") == before


def test_open(cli, glue):
    glue.put(CLOSED)
    told = cli("open", stdin="n\n")
    assert told.returncode == 1
    assert '-  "additionalProperties": false\n+  "additionalProperties": true\n' in told.stdout
    assert "mode is BACKWARD, which allows this" in told.stderr
    assert "nothing was registered" in told.stderr
    assert cli("open", stdin="").returncode == 1
    assert glue.count("RegisterSchemaVersion") == 0

    told = cli("open", stdin="y\n")
    assert told.returncode == 0
    latest = glue.stored().versions[-1]
    assert json.loads(latest.definition) == DEFINITION | {"additionalProperties": True}
    assert cli.works("open", "--yes") == f"{NAME}: version 2 is open already\n"


@pytest.mark.emulator_only("verdicts")
@pytest.mark.parametrize("mode", ["FORWARD", "FULL_ALL", "DISABLED"])
def test_open_warns_of_a_mode_that_will_refuse_it(cli, glue, mode):
    glue.put(CLOSED, compatibility=mode)
    told = cli("open", "--yes")
    assert told.returncode == 1
    assert f"mode is {mode}: AWS Glue will refuse this" in told.stderr
    assert ("InvalidInputException" if mode == "DISABLED" else "status FAILURE") in told.stderr


def test_accept(cli, glue):
    version = glue.put(DEFINITION)
    assert cli.works("accept", "1").startswith(f"{NAME}: version 1 is accepted")
    (file,) = (cli.folder / "var/schemas").iterdir()
    assert file.read_text() == "1\n"
    assert cli.works("accept", version.id).startswith(f"{NAME}: version {version.id} is accepted")
    assert file.read_text() == f"1\n{version.id}\n"
    cli.fails(1, "accept", "4")
    cli.fails(1, "accept", "00000000-0000-4000-8000-000000000000")
    assert file.read_text() == f"1\n{version.id}\n"
    cli.fails(2, "accept", "four")
    cli.fails(2, "accept")


def test_accept_takes_no_version_that_a_file_does_not_have(folder):
    cli = Cli(folder)
    version = json.loads(cli.works("get", "--json"))["version"]
    cli.fails(1, "accept", "123456789abc")
    assert not (folder / "var/schemas").exists()
    assert cli.works("accept", version).startswith(f"{NAME}: version {version} is accepted")


# File registries, incorrect command lines, failures.


def test_files_can_be_looked_at(folder):
    cli = Cli(folder)
    assert f"{NAME}: ok, version " in cli.works("verify")
    assert json.loads(cli.works("get")) == DEFINITION
    assert cli.works("diff", "latest", f"conf/schemas/{NAME}.json") == ""
    version = json.loads(cli.works("verify", "--json"))["version"]
    assert json.loads(cli.works("get", version)) == DEFINITION
    for words in (("get", "1"), ("diff", "1", "latest")):
        assert f"a file has one version, this one's is {version}" in cli.fails(1, *words)
    put_schema(folder, SCHEMA, b"{")
    assert cli("verify").returncode == 1
    for command in (["list"], ["register", "x"], ["create"], ["open"]):
        assert "registry.kind: glue" in cli.fails(3, *command)


@pytest.mark.parametrize(
    "args", [[], ["nonsense"], ["get", "1", "2"], ["verify", "--wrong"], ["verify", "--schema"]]
)
def test_wrong_calls(folder, args):
    assert "sluice schema --help" in Cli(folder).fails(2, *args)


def test_help(folder):
    told = run("schema", "--help", cwd=folder)
    assert (told.returncode, told.stderr) == (0, "")
    for word in ("verify", "get", "list", "diff", "register", "create", "open", "accept"):
        assert f"  {word}" in told.stdout


def test_without_a_region(folder):
    cli = Cli(folder, registry={"kind": "glue"})
    assert "no AWS region" in cli.fails(3, "verify")


# doctor


def findings(told):
    """The level of each finding; not of those that depend on the machine of the test."""
    lines = [line for line in told.stdout.splitlines() if not line.startswith(" ")]
    found = {line[6:].split()[0]: line[:4].strip() for line in lines}
    return {what: level for what, level in found.items() if what not in ("volume", "descriptors")}


def test_a_healthy_patient(cli, glue):
    glue.put(DEFINITION)
    told = cli(command="doctor")
    assert told.returncode == 0, told
    assert findings(told) == {
        "configuration": "ok",
        "region": "ok",
        "credentials": "ok",
        "permission": "ok",
        "schema": "ok",
        "clock": "ok",
        "cache": "ok",
        "store": "ok",
        "transform": "ok",
        "disk": "ok",
        "library": "ok",
        "address": "ok",
        "listen": "ok",
        "auth": "ok",
    }
    assert f"{NAME}: version 1 compiles" in told.stdout


@pytest.mark.emulator_only("faults")
@pytest.mark.parametrize(
    "fault, what",
    [("denied", "permission"), ("not_found", "schema"), ("avro", "schema"), ("empty", "schema")],
)
def test_what_is_wrong_is_found(cli, glue, fault, what):
    glue.put(DEFINITION)
    glue.fault(fault)
    told = cli(command="doctor")
    assert told.returncode == 1
    assert findings(told)[what] == "fail"


@pytest.mark.emulator_only("faults")
def test_a_clock_that_is_wrong_is_found(cli, glue):
    glue.put(DEFINITION)
    glue.skew = 1200
    told = cli(command="doctor")
    assert told.returncode == 0
    assert findings(told)["clock"] == "warn"


@pytest.mark.parametrize(
    "shadow, level, text",
    [
        ({"version": 1}, "ok", "main: 1 compiles"),
        ({"version": 7}, "warn", "has no version 7"),
        ({"file": "next.json"}, "ok", "next.json compiles"),
        ({"file": "wrong.json"}, "warn", "wrong.json"),
    ],
)
def test_shadows_beside_a_schema_in_glue_are_looked_at(folder, glue, shadow, level, text):
    glue.put(DEFINITION)
    cli = Cli(folder, glue, routes=[route(name="main", shadow=shadow)])
    cli.file("next.json", {"type": "object"})
    cli.file("wrong.json", {"type": "strin"})
    told = cli(command="doctor")
    assert told.returncode == 0, told
    assert findings(told)["shadow"] == level
    assert any(text in line for line in told.stdout.splitlines() if " shadow " in line)


def test_missing_credentials_are_found(cli, glue):
    told = run(
        "doctor", "-c", "sluice.yaml", cwd=cli.folder,
        env=glue.environment() | {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
    )  # fmt: skip
    assert told.returncode == 1
    assert findings(told)["credentials"] == "fail"


def test_credentials_that_have_expired_are_found(cli, glue):
    glue.put(DEFINITION)
    key_id, secret, _ = glue.key
    key = {"AccessKeyId": key_id, "SecretAccessKey": secret, "Expiration": "2020-01-01T00:00:00Z"}
    cli.file("key.json", {"Version": 1} | key)
    cli.file("profile", "[default]\ncredential_process = cat key.json\n")
    env = {"AWS_CONFIG_FILE": "profile", "HOME": "/nonexistent"}
    told = run("doctor", "-c", "sluice.yaml", cwd=cli.folder, env=env)
    assert findings(told)["credentials"] == "warn"
    assert "from profile, expired " in told.stdout


def test_files_need_no_aws(folder):
    cli = Cli(folder, http={"listen": "0.0.0.0:0"}, auth={"open": True})
    told = cli(command="doctor")
    assert told.returncode == 0
    found = findings(told)
    assert found.pop("library") in ("ok", "warn")  # a warning: libmicrohttpd 1.0 before 1.0.10
    assert found == {
        "configuration": "ok",
        "schema": "ok",
        "store": "ok",
        "transform": "ok",
        "disk": "ok",
        "address": "ok",
        "listen": "warn",
        "auth": "warn",
    }
