"""The command line without a server: check, explain, status-map, version, help, format of errors."""

import json
import os
import pty
import re
import socket
import subprocess
import threading

import pytest
import yaml

from certificates import make_pair
from server import (
    BINARY,
    REGISTRY,
    ROOT,
    SCHEMA,
    TRANSFORM,
    defaults,
    merge,
    put_schema,
    route,
    run,
)


@pytest.fixture
def conf(folder):
    """Write a configuration: a text unchanged, a mapping merged into the defaults."""

    def write(content):
        path = folder / "conf.yaml"
        path.write_text(
            content if isinstance(content, str) else yaml.safe_dump(merge(defaults(), content))
        )
        return path

    return write


@pytest.fixture
def command(folder):
    return lambda *args, **options: run(*args, cwd=folder, **options)


# version, help, usage


def test_version(command):
    for word in ("--version", "-V", "version"):
        result = command(word)
        assert (result.returncode, result.stdout, result.stderr) == (0, "sluice 0.1.0\n", "")


def test_every_command_has_a_help(command):
    names = re.findall(r"(?m)^  ([a-z-]+) ", command("--help").stdout)
    assert names == command("man").stdout.split()
    for args in ([], *([name] for name in names)):
        result = command(*args, "--help")
        assert (result.returncode, result.stderr) == (0, ""), args
        assert "sluice" in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 100


def test_wrong_usage_is_2(command):
    for args in (
        ["nonsense"],
        ["--nonsense"],
        ["serve", "--nonsense"],
        ["check", "-x"],
        ["serve", "-c"],
        ["check", "surplus"],
        ["explain", "a", "b"],
        ["validate"],
        ["version", "surplus"],
    ):
        result = command(*args)
        assert (result.returncode, result.stdout) == (2, ""), args
        assert result.stderr


# status-map; tests/unit/handlers/test_status.c has its rows


@pytest.mark.parametrize(("name", "status"), [("tutorial", 400), ("eventbridge", 503)])
def test_the_map_in_force_is_one_line_of_json(command, conf, name, status):
    result = command("status-map", "-c", conf({"status_map": name}))
    assert (result.returncode, result.stderr, result.stdout.count("\n")) == (0, "", 1)
    table = json.loads(result.stdout)
    assert (table["status_map"], len(table["rows"])) == (name, 15)
    row = next(row for row in table["rows"] if row["condition"] == "schema_not_found")
    assert row["status"] == status


# check; tests/unit/server/config/test_problems.c has each wrong setting


def test_the_shipped_configuration_is_right(command):
    result = run("check", "-c", "conf/sluice.yaml", cwd=ROOT)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_defaults_are_right(command):
    assert command("check").returncode == 0


def test_an_empty_file_means_the_defaults(command, conf):
    assert command("check", "-c", conf("")).returncode == 0
    assert command("check", "-c", conf("# nothing\n")).returncode == 0


def test_every_problem_is_named_with_file_line_and_key(command, conf):
    path = conf("http:\n  max_bodyy: 1\nlog:\n  level: loud\n")
    result = command("check", "-c", path)
    assert result.returncode == 1
    assert f"{path}:2: http.max_bodyy: unknown key" in result.stdout + result.stderr
    assert f"{path}:4: log.level: " in result.stdout + result.stderr
    served = command("serve", "-c", path)
    assert (served.returncode, served.stdout) == (3, "")
    assert f"{path}:2: http.max_bodyy: " in served.stderr


def test_a_missing_file_is_named(command):
    for args in (["check"], ["serve"]):
        result = command(*args, "-c", "nowhere.yaml")
        assert result.returncode in (1, 3)
        assert "nowhere.yaml" in result.stdout + result.stderr
    assert command("serve", "-c", "nowhere.yaml").returncode == 3


def test_check_compiles_schemas_and_reads_transforms_and_secrets(command, conf, folder):
    put_schema(folder, "Wrong", {"type": "strin"})
    put_schema(folder, "Empty", b"")
    (folder / "wrong.yaml").write_text("fields:\n  - {name: a}\n")
    key = {"header": "x-api-key", "value_file": "nowhere.key"}
    for config, name in (
        ({"routes": [route(schema="Wrong")]}, "Wrong"),
        ({"routes": [route(schema="Empty")]}, "Empty"),
        ({"routes": [route(schema="Nowhere")]}, "Nowhere"),
        ({"routes": [route(transform="wrong.yaml")]}, "wrong.yaml:2: fields[0]: "),
        ({"routes": [route(transform="nowhere.yaml")]}, "nowhere.yaml"),
        ({"auth": {"api_keys": [key]}}, "nowhere.key"),
    ):
        result = command("check", "-c", conf(config))
        assert result.returncode == 1
        assert name in result.stdout + result.stderr


def test_no_sink_writes_to_the_secret_of_a_transform(command, conf, folder):
    (folder / "pepper").write_text("secret")
    (folder / "secret.yaml").write_text(
        "fields: [ { name: a, from: /x, as: { hmac_sha256: pepper } } ]"
    )
    sink = {"name": "f", "kind": "file", "path": "pepper"}
    path = conf({"routes": [route(transform="secret.yaml")], "sinks": [sink]})
    for name in ("check", "serve"):
        result = command(name, "-c", path)
        assert result.returncode in (1, 3)
        assert "pepper: records cannot be written here: " in result.stdout + result.stderr


def test_beyond_loopback_needs_a_credential(command, conf):
    bare = conf({"http": {"listen": "0.0.0.0:0"}})
    assert command("check", "-c", bare).returncode == 1
    served = command("serve", "-c", bare)
    assert (served.returncode, served.stdout) == (3, "")
    assert "auth" in served.stderr


# The environment.


def test_variables_fill_scalars(command, conf):
    path = conf("http:\n  listen: ${WHERE:-127.0.0.1:0}\n  threads: ${COUNT}\n")
    assert command("check", "-c", path, env={"COUNT": "2"}).returncode == 0
    result = command("check", "-c", path, env={"COUNT": "many"})
    assert result.returncode == 1
    assert f"{path}:3: http.threads: " in result.stdout + result.stderr


def test_the_shipped_configuration_takes_its_address_from_outside(command):
    wide = {"SLUICE_LISTEN": "0.0.0.0:0"}
    assert run("check", "-c", "conf/sluice.yaml", cwd=ROOT, env=wide).returncode == 1
    wide["SLUICE_AUTH_OPEN"] = "true"
    assert run("check", "-c", "conf/sluice.yaml", cwd=ROOT, env=wide).returncode == 0


def test_the_environment_names_the_file(command, conf):
    path = conf("http:\n  nope: 1\n")
    result = command("check", env={"SLUICE_CONFIG": str(path)})
    assert result.returncode == 1
    assert f"{path}:2: http.nope: unknown key" in result.stdout + result.stderr


# explain


def test_explain_goes_step_by_step(command, conf, event, folder):
    file = folder / "event.json"
    file.write_text(json.dumps(event))
    result = command("explain", "-c", conf({}), file)
    assert (result.returncode, result.stderr) == (0, "")
    for word in (REGISTRY, SCHEMA, "200"):
        assert word in result.stdout
    result = command("explain", "-c", conf({}), "--json", file)
    assert (result.returncode, result.stderr) == (0, "")
    assert isinstance(json.loads(result.stdout), dict)
    assert "inter-98765432-1234-5678-90ab-cdefEXAMPLE" in result.stdout


def test_explain_says_where_it_stops(command, conf):
    path = conf({})
    for body, word in (
        ("{", "Invalid JSON"),
        ("{}", "missing 'detail' key"),
        (
            '{"detail":{"interaction":{"id":1,"start_time":"x"}}}',
            "/properties/interaction/properties/id/type",
        ),
        ('{"detail":{"interaction":{"id":"","start_time":"x"}}}', "missing interaction.id"),
    ):
        result = command("explain", "-c", path, "-", stdin=body)
        assert result.returncode == 1
        assert word in result.stdout
        assert json.loads(command("explain", "-c", path, "--json", "-", stdin=body).stdout)


def test_explain_shows_routes_fields_and_sinks(command, conf, event, folder):
    one = {"transform": TRANSFORM, "sinks": ["b"]}
    outputs = route(name="two", outputs=[one, one | {"sinks": []}])
    del outputs["transform"]
    path = conf(
        {
            "routes": [
                route(name="glob", match={"source": ["a*", 5]}),
                route(name="pattern", match={}, pattern={"detail": {"interaction": {"id": ["x"]}}}),
                route(name="noise", match={"source": "noise"}, drop=True),
                outputs,
            ],
            "sinks": [{"name": n, "kind": "file", "path": str(folder / n)} for n in ("a", "b")],
        }
    )
    result = command("explain", "--json", "-c", path, stdin=json.dumps(event))
    steps = json.loads(result.stdout)["steps"]
    taken, record = steps[1], steps[4]
    assert taken["missed"] == [
        {"route": "glob", "key": "source", "expected": ["a*", 5], "found": "string"},
        {"route": "pattern", "key": "/detail/interaction/id", "expected": ["x"], "found": "string"},
        {"route": "noise", "key": "source", "expected": "noise", "found": "string"},
    ]
    assert {"field": "queue_id", "from": "/interaction/routing/queue_id"} in record["fields"]
    assert {"field": "processed_at", "from": "now", "output": 2} in record["fields"]
    assert record["sinks"] == [["b"], ["a", "b"]]
    text = command("explain", "-c", path, stdin=json.dumps(event)).stdout
    assert '           no     glob: source is string, expected ["a*",5]\n' in text
    assert "record 1 to b\n" in text and "record 2 to a,b\n" in text and "\033" not in text
    text = command("explain", "-c", path, stdin=json.dumps([event, {"source": "noise"}, 7])).stdout
    assert re.findall(r"(?m)^event \d$", text) == ["event 1", "event 2", "event 3"]
    assert "route 3: drops its events" in text


def test_explain_has_colours_on_a_terminal_only(conf, event, folder):
    (folder / "event.json").write_text(json.dumps(event))
    master, slave = pty.openpty()
    run_on = [BINARY, "explain", "-c", str(conf({})), "event.json"]
    assert subprocess.run(run_on, stdout=slave, cwd=folder, check=False).returncode == 0
    os.close(slave)
    with open(master, "rb", buffering=0) as screen:
        assert b"\033[32mok" in screen.read(1000)


def test_explain_without_its_file_is_3(command, conf):
    assert command("explain", "-c", conf({}), "nowhere.json").returncode == 3


# health


def test_health_asks_the_server(sluice, folder):
    server = sluice()
    listen = f"127.0.0.1:{server.address[1]}"
    config = folder / "health.yaml"
    config.write_text(yaml.safe_dump({"http": {"listen": listen}}))
    assert run("health", "-c", config, cwd=folder).returncode == 0
    server.stop()
    assert run("health", "-c", config, cwd=folder).returncode == 1


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "127.0.0.2:0"])
@pytest.mark.parametrize("tls", [False, True])
def test_health_finds_the_server_where_it_listens(sluice, folder, listen, tls):
    """IPv4, IPv6, TLS with an expired certificate, and a port that the system chose."""
    http = {"listen": listen} | ({"tls": make_pair(folder, days=-1)} if tls else {})
    server = sluice(http=http, store={"path": "var/sluice.db"})
    assert health(server.file, folder) == 0
    host, port = listen.rsplit(":", 1)[0], server.address[1]
    url = f"http{'s' if tls else ''}://{host}:{port}"
    assert run("health", "--url", url, cwd="/").returncode == 0
    config = folder / "health.yaml"
    config.write_text(
        yaml.safe_dump({"http": http | {"listen": f"{host}:{port}"}, "store": {"path": ""}})
    )
    assert health(config, folder) == 0
    server.stop()
    assert health(server.file, folder) == health(config, folder) == 1
    assert run("health", "--url", url, cwd="/").returncode == 1


@pytest.mark.parametrize("listen", ["0.0.0.0", "[::]", "[0:0::0]"])
def test_health_asks_a_server_that_listens_everywhere_on_loopback(folder, listen):
    family = socket.AF_INET if listen == "0.0.0.0" else socket.AF_INET6
    with socket.socket(family) as listener:  # a socket instead of a server, which all hosts could reach
        listener.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        config = folder / "health.yaml"
        config.write_text(
            f"http: {{ listen: '{listen}:{port}' }}\nauth: {{ open: true }}\nstore: {{ path: '' }}\n"
        )
        asking = threading.Thread(target=answer_once, args=(listener,))
        asking.start()
        assert health(config, folder) == 0
        asking.join()


def answer_once(listener):
    connection, _ = listener.accept()
    with connection:
        assert connection.recv(4096).startswith(b"GET /healthz ")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def test_health_without_a_place_to_ask_says_so(folder):
    config = folder / "health.yaml"
    config.write_text("http: { listen: 127.0.0.1:0 }\nstore: { path: '' }\n")
    asked = run("health", "-c", config, cwd=folder)
    assert asked.returncode == 1 and "--url" in asked.stderr


def health(config, folder):
    return run("health", "-c", config, cwd=folder).returncode


# check --print


def test_print_shows_what_is_in_force(command, conf):
    path = conf(
        {
            "http": {"max_body": "1MiB"},
            "sinks": [
                {"name": "hook", "kind": "http", "url": "http://127.0.0.1:1/", "headers": {"x-token": "sesame"}},
                {"name": "queue", "kind": "sqs", "queue_url": "https://sqs.eu-west-1.amazonaws.com/1/q"},
            ],
        }
    )
    result = command("check", "--offline", "--print", "-c", path)
    assert result.returncode == 0, result
    assert "sesame" not in result.stdout
    printed = json.loads(result.stdout)
    assert printed["http"]["max_body"] == "1MiB"  # of the file
    assert printed["http"]["max_batch"] == 500  # a default
    hook, queue = printed["sinks"]
    assert hook["headers"] == {"x-token": "(hidden)"}
    assert "url" not in queue and "queue_url" not in hook
    # It is a configuration.
    again = command("check", "--offline", "--print", "-c", conf(result.stdout))
    assert (again.returncode, json.loads(again.stdout)) == (0, printed)


def test_print_shows_nothing_of_a_wrong_configuration(command, conf):
    result = command("check", "--offline", "--print", "-c", conf("htp: {}\n"))
    assert result.returncode == 1
    assert "unknown key, is http meant?" in result.stdout + result.stderr
    assert "max_batch" not in result.stdout


def test_check_notes_what_comes_from_the_record(command, conf):
    aws = {"region": "eu-west-1"}
    bus = {"source": "sluice", "detail_type": "record of {/queue_id}"}
    sinks = [
        {"name": "orders", "kind": "kinesis", "stream": "orders", "partition_key": "/queue_id"} | aws,
        {"name": "bus", "kind": "eventbridge", "bus": "bus"} | bus | aws,
        {"name": "table", "kind": "dynamodb", "table": "items", "hash_key": {"id": ""}} | aws,
        {"name": "other", "kind": "dynamodb", "table": "items", "hash_key": {"id": "/interaction_id"}} | aws,
    ]
    routes = [route(match={"source": "other"})]  # not what the bus may send back
    path = conf({"store": {"path": "var/sluice.db"}, "sinks": sinks, "routes": routes})
    result = command("check", "-c", path)
    assert result.returncode == 0, result.stdout
    assert [re.sub(r"^note: \S+:\d+: ", "", line) for line in result.stderr.splitlines()] == [
        "sinks[0].partition_key: orders: comes from the record: /queue_id",
        "sinks[1].detail_type: bus: comes from the record: record of {/queue_id}",
        "sinks[3].hash_key.id: other: comes from the record: /interaction_id",
    ]
    found = [json.loads(line) for line in command("check", "--json", "-c", path).stdout.splitlines()]
    assert {(one["finding"], one["what"]) for one in found} == {("ok", "event_field")}
