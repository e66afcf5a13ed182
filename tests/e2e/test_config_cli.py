"""The command line without a server: check, explain, status-map, version, help, errors' form."""

import json
import re
import socket
import threading

import pytest
import yaml

from certificates import make_pair
from server import REGISTRY, ROOT, SCHEMA, defaults, merge, put_schema, route, run

CONDITIONS = [
    ("valid", 200, None),
    ("duplicate", 200, None),
    ("malformed", 400, "Processing failed"),
    ("unrouted", 400, "Processing failed"),
    ("schema_invalid", 400, "Schema validation failed"),
    ("too_expensive", 400, "Processing failed"),
    ("transform_failed", 400, "Processing failed"),
    ("schema_not_found", 400, "Processing failed"),
    ("registry_denied", 400, "Processing failed"),
    ("registry_unreachable", 400, "Processing failed"),
    ("schema_unusable", 400, "Processing failed"),
    ("registry_unavailable", 500, "AWS Glue service unavailable"),
    ("internal", 500, "Internal server error"),
    ("unavailable", 503, "Service unavailable"),
]
REGISTRY_ROWS = {"schema_not_found", "registry_denied", "registry_unreachable", "schema_unusable"}


@pytest.fixture
def conf(folder):
    """Write a configuration; text as it is, a mapping over the defaults."""

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


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version_as_an_option(command, option):
    result = command(option)
    assert (result.returncode, result.stdout) == (0, "sluice 0.1.0\n")


def test_version(command):
    result = command("version")
    assert (result.returncode, result.stdout, result.stderr) == (0, "sluice 0.1.0\n", "")


@pytest.mark.parametrize(
    "args",
    [[], ["serve"], ["check"], ["explain"], ["validate"], ["status-map"], ["version"], ["health"]],
    ids=str,
)
def test_help_is_everywhere(command, args):
    result = command(*args, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert "sluice" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    "args",
    [
        ["nonsense"],
        ["--nonsense"],
        ["serve", "--nonsense"],
        ["check", "-x"],
        ["serve", "-c"],
        ["check", "surplus"],
        ["explain", "a", "b"],
        ["validate"],
        ["version", "surplus"],
    ],
    ids=str,
)
def test_wrong_usage_is_2(command, args):
    result = command(*args)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr


# status-map


def rows(command, *args):
    result = command("status-map", *args)
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_the_tutorial_map(command, conf):
    table = rows(command, "-c", conf({}))
    assert table["status_map"] == "tutorial"
    assert table["rows"] == [
        {"condition": name, "status": status, "error": error, "retry_after": status == 503}
        for name, status, error in CONDITIONS
    ]
    assert list(table["rows"][0]) == ["condition", "status", "error", "retry_after"]


def test_the_eventbridge_map(command, conf):
    table = rows(command, "-c", conf({"status_map": "eventbridge"}))
    assert table["status_map"] == "eventbridge"
    for row, (name, status, error) in zip(table["rows"], CONDITIONS, strict=True):
        if name in REGISTRY_ROWS:
            status, error = 503, "Service unavailable"
        assert row == {
            "condition": name,
            "status": status,
            "error": error,
            "retry_after": status == 503,
        }


def test_the_map_is_one_compact_line(command):
    out = command("status-map").stdout
    assert out.startswith(
        '{"status_map":"tutorial","rows":[{"condition":"valid","status":200,'
        '"error":null,"retry_after":false},'
    )
    assert out.count("\n") == 1


# check


def test_the_shipped_configuration_is_right(command):
    result = run("check", "-c", "conf/sluice.yaml", cwd=ROOT)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_defaults_are_right(command):
    assert command("check").returncode == 0


def test_an_empty_file_means_the_defaults(command, conf):
    assert command("check", "-c", conf("")).returncode == 0
    assert command("check", "-c", conf("# nothing\n")).returncode == 0


WRONG = [
    ("http:\n  max_bodyy: 1\n", 2, "http.max_bodyy", "unknown key"),
    ("htttp: {}\n", 1, "htttp", "unknown key"),
    ("log: {level: info}\n\nhttp:\n\n  max_body: 1\n  nope: 2\n", 6, "http.nope", "unknown key"),
    ("http:\n  max_body: many\n", 2, "http.max_body", ""),
    ("http:\n  max_body: 1 MiB x\n", 2, "http.max_body", ""),
    ("http:\n  max_body: -1\n", 2, "http.max_body", ""),
    ("http:\n  deadline: 4\n", 2, "http.deadline", ""),
    ("http:\n  deadline: 4 weeks\n", 2, "http.deadline", ""),
    ("http:\n  threads: two\n", 2, "http.threads", ""),
    ("http:\n  respond: all\n", 2, "http.respond", ""),
    ("http:\n  listen: 8080\n", 2, "http.listen", ""),
    ("http:\n  listen: 127.0.0.1:99999\n", 2, "http.listen", ""),
    ("http:\n  listen: example.com\n", 2, "http.listen", ""),
    ("status_map: other\n", 1, "status_map", ""),
    ("registry:\n  kind: s3\n", 2, "registry.kind", ""),
    ("log:\n  level: loud\n", 2, "log.level", ""),
    ("validation:\n  redact_values: maybe\n", 2, "validation.redact_values", ""),
    ("http: 5\n", 1, "http", ""),
    ("routes:\n  - match: {source: a}\n    schemma: X\n", 3, "routes[0].schemma", "unknown key"),
]


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    WRONG,
    ids=[f"{row[2]} {number}" for number, row in enumerate(WRONG)],
)
def test_a_wrong_setting_is_named_with_its_line(command, conf, text, line, key, message):
    path = conf(text)
    result = command("check", "-c", path)
    assert result.returncode == 1
    found = result.stdout + result.stderr
    assert re.search(
        rf"^{re.escape(str(path))}:{line}: {re.escape(key)}: .*{message}", found, re.MULTILINE
    ), found
    served = command("serve", "-c", path)
    assert (served.returncode, served.stdout) == (3, "")
    assert f"{path}:{line}: {key}: " in served.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("http: {}\nhttp: {}\n", 2),
        ("a: &x 1\nb: *x\n", None),
        ("log: {level: info}\n---\nlog: {}\n", None),
        ("http: [\n", None),
        ("\thttp: {}\n", None),
        ("- 1\n", None),
        ("text\n", None),
        ('http:\n  listen: "\\ud800"\n', None),
        ("\x00", None),
    ],
    ids=[
        "duplicate key",
        "alias",
        "two documents",
        "unclosed",
        "tab",
        "a list",
        "a scalar",
        "surrogate",
        "NUL",
    ],
)
def test_dubious_yaml_is_refused(command, conf, text, line):
    path = conf(text)
    result = command("check", "-c", path)
    assert result.returncode == 1
    assert re.search(rf"{re.escape(str(path))}:{line or '[0-9]+'}: ", result.stdout + result.stderr)


def test_check_reports_every_problem(command, conf):
    path = conf("http:\n  max_bodyy: 1\nlog:\n  level: loud\n")
    result = command("check", "-c", path)
    found = result.stdout + result.stderr
    assert f"{path}:2: http.max_bodyy: unknown key" in found
    assert f"{path}:4: log.level: " in found


def test_a_missing_file_is_named(command):
    for args in (["check"], ["serve"]):
        result = command(*args, "-c", "nowhere.yaml")
        assert result.returncode in (1, 3)
        assert "nowhere.yaml" in result.stdout + result.stderr
    assert command("serve", "-c", "nowhere.yaml").returncode == 3


def test_check_compiles_the_schemas(command, conf, folder):
    put_schema(folder, "Wrong", {"type": "strin"})
    put_schema(folder, "Empty", b"")
    for name in ("Wrong", "Empty", "Nowhere"):
        result = command("check", "-c", conf({"routes": [route(schema=name)]}))
        assert result.returncode == 1
        assert name in result.stdout + result.stderr


@pytest.mark.parametrize(
    "fields",
    [
        "fields: 5",
        "fields:\n  - {name: a}",
        "fields:\n  - {name: a, from: /x, value: 1}",
        "fields:\n  - {name: a, from: x}",
        "fields:\n  - {name: a, from: /x, as: purple}",
        "fields:\n  - {name: a, value: 1, default: 2}",
        "felds: []",
        "fields:\n  - {from: /x}",
        "fields:\n  - {name: a, now: false}",
    ],
)
def test_check_reads_the_transforms(command, conf, folder, fields):
    (folder / "conf/transforms/wrong.yaml").write_text(fields + "\n")
    path = conf({"routes": [route(transform="conf/transforms/wrong.yaml")]})
    result = command("check", "-c", path)
    assert result.returncode == 1
    assert "wrong.yaml" in result.stdout + result.stderr


def test_check_misses_a_missing_transform(command, conf):
    result = command("check", "-c", conf({"routes": [route(transform="nowhere.yaml")]}))
    assert result.returncode == 1
    assert "nowhere.yaml" in result.stdout + result.stderr


def test_check_misses_a_missing_secret(command, conf):
    result = command(
        "check",
        "-c",
        conf({"auth": {"api_keys": [{"header": "x-api-key", "value_file": "nowhere.key"}]}}),
    )
    assert result.returncode == 1
    assert "nowhere.key" in result.stdout + result.stderr


# Listening beyond loopback.


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
def test_beyond_loopback_needs_a_credential(command, conf, secret, listen):
    bare = conf({"http": {"listen": listen}})
    assert command("check", "-c", bare).returncode == 1
    served = command("serve", "-c", bare)
    assert (served.returncode, served.stdout) == (3, "")
    assert "auth" in served.stderr
    assert (
        command(
            "check", "-c", conf({"http": {"listen": listen}, "auth": {"open": True}})
        ).returncode
        == 0
    )
    assert (
        command(
            "check",
            "-c",
            conf(
                {
                    "http": {"listen": listen},
                    "auth": {"api_keys": [{"header": "x-api-key", "value_file": secret("alpha")}]},
                },
            ),
        ).returncode
        == 0
    )


# Variables.


def test_variables_fill_scalars(command, conf):
    path = conf("http:\n  listen: ${WHERE:-127.0.0.1:0}\n  threads: ${COUNT}\n")
    assert command("check", "-c", path, env={"COUNT": "2"}).returncode == 0
    result = command("check", "-c", path)
    assert result.returncode == 1
    assert "COUNT" in result.stdout + result.stderr
    result = command("check", "-c", path, env={"COUNT": "many"})
    assert result.returncode == 1
    assert f"{path}:3: http.threads: " in result.stdout + result.stderr


def test_variables_cannot_add_structure(command, conf):
    path = conf("http:\n  listen: ${WHERE}\n")
    result = command("check", "-c", path, env={"WHERE": "127.0.0.1:0\n  threads: 1"})
    assert result.returncode == 1


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


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("{", "Invalid JSON"),
        ("{}", "missing 'detail' key"),
        (
            '{"detail":{"interaction":{"id":1,"start_time":"x"}}}',
            "/properties/interaction/properties/id/type",
        ),
        ('{"detail":{"interaction":{"id":"","start_time":"x"}}}', "missing interaction.id"),
    ],
    ids=["not JSON", "no detail", "schema", "transform"],
)
def test_explain_says_where_it_stops(command, conf, body, word):
    result = command("explain", "-c", conf({}), "-", stdin=body)
    assert result.returncode == 1
    assert word in result.stdout


def test_explain_as_json(command, conf, event):
    path = conf({})
    result = command("explain", "-c", path, "--json", "-", stdin=json.dumps(event))
    assert (result.returncode, result.stderr) == (0, "")
    assert isinstance(json.loads(result.stdout), dict)
    assert "inter-98765432-1234-5678-90ab-cdefEXAMPLE" in result.stdout
    result = command("explain", "-c", path, "--json", "-", stdin="{}")
    assert result.returncode == 1
    assert isinstance(json.loads(result.stdout), dict)


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
    """Its own address, IPv6, TLS with a certificate that has expired, and the port it was given."""
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
    with socket.socket(family) as listener:  # in place of a server, which would be open to all
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
