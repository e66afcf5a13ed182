"""docs/openapi.yaml: the server's paths are its paths, and each answer that it describes is given as described."""

import json
import re

import jsonschema
import pytest
import yaml

from client import Connection, encode, request
from server import PATIENCE, ROOT, route, wait_for

API = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
KEY = {"x-api-key": "operator-key"}
CHANGES = {**KEY, "X-Sluice-Console": "1"}


def paths_of(file, pattern):
    return set(re.findall(pattern, (ROOT / file).read_text()))


def test_the_paths_are_those_of_the_server():
    """Of the tables in the sources: each with its method."""
    served = {(path, method.lower()) for path, method in paths_of("server/api.c", r'\{ "(/api/v1/[^"]*)",\s+[^,]+,\s+HANDLER_(\w+)')}
    assert len(served) == len(re.findall(r'"/api/v1/', (ROOT / "server/api.c").read_text()))
    served |= {(path, "get") for path in paths_of("server/console.c", r'\{ "(/console[^"]*)"')}
    for file in ("events", "health", "metrics"):
        found = paths_of(f"handlers/{file}.c", r'\.path = "(/[^"]*)",\s+\.method = HANDLER_(\w+)')
        found |= {(path, method) for path, method in paths_of(f"handlers/{file}.c", r'\.path = "(/[^"]*)".*\s+\.method = HANDLER_(\w+)')}
        assert found, file
        served |= {(path, method.lower()) for path, method in found}
    described = {(path, method) for path, item in API["paths"].items() for method in item}
    assert described == served


def resolve(node):
    """Follow a reference; keywords beside it count, too."""
    while "$ref" in node:
        target = API
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def test_it_is_a_description():
    """Each reference leads somewhere, each schema is a schema, each operation has a name of its own."""
    names = []

    def walk(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                resolve(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(API)
    for schema in API["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for item in API["paths"].values():
        for operation in item.values():
            names.append(operation["operationId"])
            assert operation["summary"] and operation["tags"] and "security" in operation
    assert len(names) == len(set(names)) and API["openapi"].startswith("3.1.")
    used = set(re.findall(r"#/components/([\w/]+)", json.dumps(API)))
    parts = {f"{kind}/{name}" for kind, all_ in API["components"].items() for name in all_ if kind != "securitySchemes"}
    assert used == parts


def validate(value, schema):
    jsonschema.Draft202012Validator(schema | {"components": API["components"]}).validate(value)


def check(method, path, answer):
    """Status, headers, content type and body are what the description says of this operation."""
    operation = API["paths"][path.split("?")[0]][method.lower()]
    assert str(answer.status) in operation["responses"], (path, answer)
    response = resolve(operation["responses"][str(answer.status)])
    for name, header in response["headers"].items():
        header = resolve(header)
        value = answer.header(name)
        assert value or not header.get("required"), (path, name)
        if value:
            validate(int(value) if header["schema"].get("type") == "integer" else value, header["schema"])
    kind = answer.header("content-type").split(";")[0]
    assert kind in response["content"], (path, kind)
    validate(answer.json if kind == "application/json" else answer.body.decode(), response["content"][kind]["schema"])
    return answer


class Place:
    """The two addresses of a server; each answer is checked."""

    def __init__(self, server):
        self.server = server
        self.seen = set()

    def ask(self, method, path, body=None, headers=None, sent=None):
        admin = path.startswith(("/api", "/console", "/metrics"))
        port = self.server.ready["admin_port"] if admin else self.server.address[1]
        sent = sent or request(method, path, encode(body), headers, f"127.0.0.1:{port}")
        with Connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.send(sent)
            answer = check(method, path, connection.answer(method))
        self.seen.add((path.split("?")[0], method.lower(), str(answer.status)))
        return answer

    def get(self, path, headers=KEY):
        return self.ask("GET", path, None, headers)

    def post(self, path, body, headers=CHANGES):
        return self.ask("POST", path, body, headers)


@pytest.fixture
def place(sluice, folder, receiver):
    """With an HTTP sink that has refused a record, a shadow, and refused events of several kinds."""
    (folder / "key").write_text("operator-key\n")
    (folder / "next.json").write_text('{"required":["nowhere"]}')
    there = receiver()
    there.plan = lambda records: (400, {})
    server = sluice(
        http={"max_body": "64KiB"},
        admin={"listen": "127.0.0.1:0", "api_keys": [{"value_file": str(folder / "key")}]},
        store={"path": "var/s.db"},
        routes=[
            route(name="noise", match={"source": "noise"}, drop=True),
            route(name="main", match={"source": "genesys*"}, shadow={"file": str(folder / "next.json")}),
            route(name="lost", match={"source": "lost"}, schema="Nowhere"),
        ],
        sinks=[{"name": "hook", "kind": "http", "url": there.url, "max_attempts": 1}],
    )
    return Place(server)


def test_every_answer_is_as_described(place, event):
    wrong = event | {"id": "wrong", "detail": {"interaction": 1}}
    # Senders.
    assert place.post("/events", event).status == 200
    assert place.post("/events", event).header("sluice-duplicate") == "true"
    assert place.post("/events", event | {"source": "noise"}).json == {"status": "dropped"}
    for body in (wrong, b"{", b"\xff{\x00", {}, event | {"source": "other"}, event | {"source": "lost"}):
        assert place.post("/events", body).status == 400
    results = place.post("/events", [event | {"id": "b1"}, wrong, event | {"source": "noise"}, event | {"id": "b1"}])
    assert results.status == 200 and len(results.json["results"]) == 4
    assert place.post("/events", [wrong, {}]).status == 400
    assert place.post("/events", [event | {"id": "b2"}]).status == 200
    assert place.post("/events", {"a": "b" * 70_000}).status == 413
    assert place.post("/events", event, {"Content-Type": "text/plain"}).status == 415
    assert place.ask("POST", "/events", sent=b"POST /events HTTP/1.1\r\nHost: a\r\n\r\n").status == 411
    long = b"POST /" + b"a" * 8001 + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    assert place.ask("POST", "/events", sent=long).status == 414
    lines = {f"X-{number:02}": "a" * 150 for number in range(90)} | {"X": "a" * 3000}
    assert place.post("/events", event, lines).status == 431
    coded = b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"
    assert place.ask("POST", "/events", sent=coded).status in (400, 501)

    # Probes.
    for path in ("/", "/healthz", "/metrics"):
        assert place.get(path, {}).status == 200
    assert place.get("/metrics", {"Accept": "application/openmetrics-text"}).status == 200
    assert place.get("/readyz", {}).status == 503  # the schema of `lost`

    # Operators: all that can be read.
    wait_for(lambda: len(place.get("/api/v1/dead").json["dead"]) >= 2)
    dead = place.get("/api/v1/dead?sink=hook&limit=1").json["dead"][0]["id"]
    assert place.get(f"/api/v1/dead/record?id={dead}").json["record"]["sink"] == "hook"
    for path in ("state", "history", "schemas", "shadows", "refused/groups", "refused?all=1&since=1h"):
        assert place.get(f"/api/v1/{path}").status == 200
    live = place.get("/api/v1/schemas").json["schemas"][0]
    texts = place.get(f"/api/v1/schemas/texts?registry={live['registry']}&schema={live['schema']}").json["texts"]
    assert json.loads(texts["live"]["text"]) and texts["previous"] is None
    rows = place.get("/api/v1/refused").json["refused"]
    assert len(rows) >= 6
    shown = [place.get(f"/api/v1/refused/event?id={row['id']}").json["event"] for row in rows]
    assert any("body_base64" in one for one in shown) and any(one["errors"] for one in shown)
    for body in (event, wrong, b"{", [event, wrong], event | {"source": "noise"}, event | {"source": "other"}):
        assert place.post("/api/v1/explain", body, KEY).status == 200

    # All that changes something.
    ids = [row["id"] for row in rows]
    assert len(place.post("/api/v1/refused/replay", {"ids": [*ids, 999], "dry_run": True}).json["results"]) == len(ids) + 1
    assert place.post("/api/v1/refused/replay", {"ids": ids[:2]}).status == 200
    assert place.post("/api/v1/refused/discard", {"ids": ids}).json["gone"] > 0
    assert len(place.post("/api/v1/dead/replay", {"ids": [dead, 999]}).json["results"]) == 2
    assert place.post("/api/v1/dead/discard", {"ids": [999]}).json == {"gone": 0}
    for what in ("pause", "resume"):
        assert place.post(f"/api/v1/sinks/{what}", {"name": "hook"}).json == {}
        assert place.post(f"/api/v1/sinks/{what}", {"name": "nowhere"}).status == 404
        assert place.post(f"/api/v1/sinks/{what}", {}).status == 400

    # What is refused.
    operations = [(path, method) for path, item in API["paths"].items() for method in item if path.startswith(("/api", "/console"))]
    for path, method in operations:
        body = {"ids": [1], "name": "hook"} if method == "post" else None
        assert place.ask(method.upper(), path, body, {}).status == 401, path
        foreign = CHANGES | {"Origin": "http://evil.example"}
        assert place.ask(method.upper(), path, body, foreign).status == 403, path
        if method == "post":
            for wrong_body in (b"{", []):
                status = place.post(path, wrong_body).status
                assert status == (200 if path.endswith("explain") else 400), path
            assert place.post(path, {"a": "b" * 70_000}).status == 413, path
            assert place.post(path, body, CHANGES | {"Content-Type": "text/plain"}).status == 415, path
        elif path.startswith("/console"):
            assert place.get(path).status == 200, path
        else:
            assert place.get(f"{path}?color=red").status == 400, path
    for path in ("/api/v1/refused/event", "/api/v1/dead/record"):
        assert place.get(f"{path}?id=999").status == 404
    assert place.get("/api/v1/schemas/texts?registry=no&schema=no").status == 404
    accepted = {(path, method) for path, method, status in place.seen if status == "200"}
    described = {(path, method) for path, item in API["paths"].items() for method in item}
    assert described - accepted == {("/readyz", "get")}  # the schema of `lost` is not there


def test_senders_without_a_credential_and_too_many_requests(sluice, folder, event):
    (folder / "key").write_text("k\n")
    server = sluice(http={"rate_limit": 1, "respond": "receipt"}, auth={"api_keys": [{"value_file": str(folder / "key")}]})
    place = Place(server)
    accepted = place.post("/events", event, {"x-api-key": "k"})
    assert accepted.json == {"id": event["id"], "status": "accepted"}
    wait_for(lambda: place.post("/events", event, {"x-api-key": "k"}).status == 429)
    wait_for(lambda: place.post("/events", event, {}).status == 401)
    assert place.get("/readyz", {}).status == 200


def test_answers_without_a_registry(sluice, event):
    keys = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret"}
    server = sluice(
        env=keys, status_map="eventbridge", registry={"kind": "glue"},
        aws={"region": "eu-central-1", "endpoint_url": "http://127.0.0.1:1"},
    )  # fmt: skip
    place = Place(server)
    answer = place.post("/events", event)
    assert (answer.status, answer.json["error"]) == (503, "Service unavailable")
    assert place.get("/readyz", {}).status == 503
