"""`sluice doctor`, and the part of `sluice check` that needs no network."""

import json
import shutil
import socket
import subprocess
import threading

import pytest
import yaml

from certificates import make_pair
from http_peer import HttpPeer, HttpPeerHandler
from issuer import Issuer
from server import BINARY, defaults, environment, merge, put_schema, route, run

HOOK = {"name": "hook", "kind": "http"}
MEMBERS = {"finding", "what", "file", "line", "key", "text", "remedy"}


@pytest.fixture
def conf(folder):
    def write(**changes):
        path = folder / "conf.yaml"
        path.write_text(yaml.safe_dump(merge(defaults(), changes), sort_keys=False))
        return path

    return write


def doctor(config, *args):
    """The exit status and the findings: a list of (ok|warn|fail, what, text)."""
    told = run("doctor", "-c", config, "--json", *args, cwd=config.parent)
    assert told.stderr == ""
    found = [json.loads(line) for line in told.stdout.splitlines()]
    assert all(set(one) <= MEMBERS and set(one) >= {"finding", "what", "text"} for one in found)
    assert all(("remedy" in one) == (one["finding"] != "ok") for one in found)
    found = [one for one in found if one["what"] not in ("volume", "descriptors")]  # depend on the machine
    return told.returncode, [(one["finding"], one["what"], one["text"]) for one in found]


def fails(config, *args):
    """The failed findings; there must be at least one."""
    status, found = doctor(config, *args)
    assert status == 1
    return [(what, text) for level, what, text in found if level == "fail"]


def check(config, *args):
    told = run("check", "-c", config, *args, cwd=config.parent)
    return told.returncode, told.stdout


@pytest.mark.parametrize(("codes", "warned"), [("", True), ("500-599", True), ("400-599", False)])
def test_a_function_of_lambda_names_the_statuses_of_failures(conf, sluice, codes, warned):
    env = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001", "AWS_LWA_ERROR_STATUS_CODES": codes}
    config = conf()
    told = run("doctor", "-c", config, "--json", cwd=config.parent, env=env)
    assert ('"what":"lambda"' in told.stdout) is warned
    server = sluice(env=env)
    if warned:
        assert "400-599" in server.wait_log(event="lambda_loses_events")["reason"]
    server.stop()
    assert any(line["event"] == "lambda_loses_events" for line in server.log()) is warned


def test_a_healthy_server_has_nothing_wrong(conf, folder):
    tls = make_pair(folder)
    (folder / "secret").write_text("alpha\n")
    config = conf(
        http={"tls": tls},
        store={"path": "var/sluice.db"},
        auth={"api_keys": [{"value_file": "secret"}]},
        sinks=[{"name": "archive", "kind": "file", "path": "var/records.ndjson"}],
    )
    status, found = doctor(config)
    assert status == 0, found
    assert [(level, what) for level, what, _ in found] == [
        ("ok", "configuration"),
        ("ok", "certificate"),
        ("ok", "names"),
        ("ok", "secret"),
        ("ok", "transform"),
        ("ok", "schema"),
        ("ok", "store"),
        (found[7][0], "disk"),  # a warning where the disk is smaller than store.max_size
        ("ok", "sink"),
        ("ok", "disk"),
        ("ok", "library"),
        ("ok", "address"),
        ("ok", "listen"),
        ("ok", "auth"),
    ]
    lines = run("doctor", "-c", config, cwd=folder).stdout.splitlines()
    assert lines[0] == f"ok    configuration {config}"
    assert check(config) == (0, f"{config}: ok\n")


def test_an_expired_certificate(conf, folder):
    config = conf(http={"tls": make_pair(folder, days=-1)})
    [(what, text)] = fails(config)
    assert what == "certificate" and text.startswith("the certificate has expired on 2")
    status, text = check(config)
    assert status == 1 and ": http.tls.cert_file: the certificate has expired on 2" in text


def test_a_certificate_that_ends_soon(conf, folder):
    status, found = doctor(conf(http={"tls": make_pair(folder, days=3)}))
    assert status == 0
    assert [what for level, what, _ in found if level == "warn"] == ["certificate", "store"]


def test_keys_for_tokens_that_cannot_be_fetched(conf, folder):
    issuer = Issuer("ES256")
    config = conf(auth=issuer.config())
    status, found = doctor(config)
    issuer.close()
    assert status == 0
    assert [level for level, what, _ in found if what == "keys"] == ["ok"]
    [(what, text)] = fails(config)
    assert what == "keys" and f"{issuer.url}/jwks" in text
    assert doctor(config, "--offline")[0] == 0
    assert check(config)[0] == 0  # a CI pipeline may not reach the sink
    (folder / "keys").write_text('{"keys":[]}')
    config = conf(auth={"bearer": {"issuer": "i", "audience": "a", "jwks_file": "keys"}})
    assert [what for what, _ in fails(config)] == ["keys"]
    assert check(config)[0] == 1


@pytest.mark.parametrize("content", ["", "\n", None], ids=["empty", "blank", "a folder"])
def test_secrets_that_cannot_be_used(conf, folder, content):
    """One run names all of them."""
    for name in ("key", "password", "hook"):
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_text(content)
    config = conf(
        auth={
            "api_keys": [{"value_file": "key"}],
            "basic": [{"user": "u", "password_file": "password"}],
        },
        sinks=[HOOK | {"url": "http://127.0.0.1:1/", "secret_headers": {"x-a": "hook"}}],
    )
    assert [what for what, _ in fails(config, "--offline")] == ["secret", "secret", "sink"]
    status, text = check(config)
    assert status == 1 and f": auth.api_keys[0].value_file: {folder}/key: " in text
    assert f": auth.basic[0].password_file: {folder}/password: " in text
    assert f": sinks[0].secret_headers.x-a: {folder}/hook: " in text


class HeadHandler(HttpPeerHandler):
    def do_HEAD(self):
        self.peer.calls.append(dict(self.headers))
        self.send(self.peer.status)


class Head(HttpPeer):
    """A sink that answers HEAD with `status`; `calls` has the headers of each request."""

    handler = HeadHandler


@pytest.fixture
def head():
    with Head() as peer:
        yield peer


def test_a_sink_is_asked_with_head(conf, folder, head):
    (folder / "secret").write_text("alpha\n")
    sink = HOOK | {"url": f"http://127.0.0.1:{head.port}/records"}
    config = conf(sinks=[sink | {"headers": {"x-b": "b"}, "secret_headers": {"x-a": "secret"}}])
    for level, statuses in {
        "ok": (200, 404, 405, 501),
        "warn": (301,),
        "fail": (401, 403, 500, 503),
    }.items():
        for head.status in statuses:
            exit_status, found = doctor(config)
            assert exit_status == (1 if level == "fail" else 0)
            assert [one[0] for one in found if one[1] == "sink"] == [level]
    assert head.calls[0]["x-a"] == "alpha" and head.calls[0]["x-b"] == "b"
    count = len(head.calls)
    assert doctor(config, "--offline")[0] == 0 and check(config)[0] == 0
    assert len(head.calls) == count


def test_a_sink_that_refuses_connections(conf):
    [(what, text)] = fails(conf(sinks=[HOOK | {"url": "http://127.0.0.1:1/"}]))
    assert what == "sink" and text == "hook: cannot connect: Connection refused"


def test_an_address_that_something_else_has(conf):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        answering = threading.Thread(target=lambda: other.accept()[0].close(), daemon=True)
        answering.start()
        config = conf(http={"listen": f"127.0.0.1:{port}"})
        [(what, text)] = fails(config)
        assert what == "address" and "Address already in use" in text
        assert check(config)[0] == 0  # on another machine the address may be free


def test_beside_its_server_all_is_well(sluice, conf, folder):
    server = sluice(http={"tls": make_pair(folder)}, store={"path": "var/sluice.db"})
    config = conf(
        http={"listen": f"127.0.0.1:{server.address[1]}", "tls": make_pair(folder)},
        store={"path": "var/sluice.db"},
    )
    status, found = doctor(config)
    assert status == 0, found
    said = {what: text for _, what, text in found}
    assert "a server answers" in said["address"] and "open in a server" in said["store"]


@pytest.fixture
def small_disk(tmp_path):
    """Run commands in a mount namespace in which this folder is a file system of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    words.append(f'mount -t tmpfs -o size=4m none "{place}" && "$@"')

    def inside(*command, cwd):
        return subprocess.run(
            [*words, "sh", *map(str, command)], cwd=cwd, env=environment(), capture_output=True,
            text=True, check=False,
        )  # fmt: skip

    if not shutil.which("unshare") or inside("true", cwd=tmp_path).returncode != 0:
        pytest.skip("no mount namespaces here")
    return place, inside


def test_a_full_disk(conf, folder, small_disk):
    place, inside = small_disk
    sinks = [{"name": "archive", "kind": "file", "path": f"{place}/records.ndjson"}]
    config = conf(store={"path": f"{place}/new/sluice.db"}, sinks=sinks)
    told = inside(BINARY, "doctor", "-c", config, cwd=folder)
    assert told.returncode == 1, told
    full = [line for line in told.stdout.splitlines() if line.startswith("fail  disk ")]
    assert len(full) == 2 and all("the disk is full: 4 MiB are left for" in line for line in full)
    told = inside(BINARY, "check", "-c", config, cwd=folder)
    assert told.returncode == 1
    assert ": store.path: the disk is full" in told.stdout
    assert ": sinks[0].path: the disk is full" in told.stdout


def test_check_finds_everything_in_one_run(conf, folder):
    """Mistakes in configuration, files, transforms, schemas and certificate are all reported."""
    put_schema(folder, "Wrong", {"type": "strin"})
    (folder / "conf/transforms/wrong.yaml").write_text(
        "fields:\n  - {name: a, from: x}\n  - {name: b, as: purple}\n  - {nam: c, from: /c}\n"
    )
    config = conf(
        http={"threads": "many", "tls": make_pair(folder, days=-1)},
        auth={"api_keys": [{"value_file": "nowhere.key"}]},
        routes=[
            route(match={"source": "a"}, schema="Wrong", transform="conf/transforms/wrong.yaml"),
            route(match={"source": "b"}, schema="Nowhere", transform="nowhere.yaml"),
            route(match={"source": "b", "x": "y"}),
        ],
        sinks=[HOOK | {"url": "http://127.0.0.1:1/", "path": "var/records.ndjson"}],
        unknown=1,
    )
    status, text = check(config)
    assert status == 1
    lines = text.splitlines()
    places = [line.split(": ")[:2] for line in lines]
    wrong = f"{folder}/conf/transforms/wrong.yaml"
    assert sorted(key for place, key in places if place.startswith(str(config))) == [
        "auth.api_keys[0].value_file",
        "http.threads",
        "http.tls.cert_file",
        "routes[0].schema",
        "routes[1].schema",
        "routes[1].transform",
        "routes[2].match",
        "sinks[0].path",
        "unknown",
    ]
    assert [place for place, _ in places if place.startswith(wrong)] == [f"{wrong}:{line}" for line in (2, 3, 4)]
    numbers = [int(place.split(":")[1]) for place, _ in places[:9]]
    assert numbers == sorted(numbers)
    objects = [json.loads(line) for line in check(config, "--json")[1].splitlines()]
    assert [(one.get("file"), one.get("key")) for one in objects[:9]] == [
        (place.split(":")[0], key) for place, key in places[:9]
    ]
    for command in ("serve", "doctor"):  # they report all problems of the configuration and stop
        told = run(command, "-c", config, cwd=folder)
        assert told.returncode == 3
        for key in ("http.threads", "sinks[0].path", "unknown"):
            assert f": {key}: " in told.stderr


def test_offline_leaves_glue_out(conf):
    config = conf(
        registry={"kind": "glue"},
        aws={"region": "eu-central-1", "endpoint_url": "http://127.0.0.1:1"},
    )
    env = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret"}
    for command in ("check", "doctor"):
        told = run(command, "-c", config, cwd=config.parent, env=env)
        assert told.returncode == 1 and "InteractionStartedSchema" in told.stdout
        told = run(command, "-c", config, "--offline", cwd=config.parent, env=env)
        assert told.returncode == 0, told


def test_without_a_configuration_there_is_a_hint(tmp_path):
    for command in ("serve", "check", "doctor", "explain"):
        told = run(command, cwd=tmp_path)
        assert told.returncode in (1, 3)
        assert f"(relative to {tmp_path})" in told.stdout + told.stderr
        assert "Name one with -c FILE" in told.stderr
