"""The admin address: probes, metrics and the JSON API, and who may use it."""

import contextlib
import json
import select
import socket
import threading

import pytest

from client import Connection, encode, request
from server import PATIENCE, ROOT, put_schema, route, run, wait_for

KEY = {"x-api-key": "operator-key"}
CHANGES = {**KEY, "X-Sluice-Console": "1"}
SINKS = [{"name": "out", "kind": "file", "path": "var/out.ndjson"}]
SECRET = "do-not-show@example.com"


class Admin:
    """The admin address of a server."""

    def __init__(self, server):
        self.address = ("127.0.0.1", server.ready["admin_port"])
        self.host = f"127.0.0.1:{self.address[1]}"

    def raw(self, data, method="GET"):
        with Connection(self.address, PATIENCE) as connection:
            connection.send(data)
            return connection.answer(method)

    def request(self, method, path, body=None, headers=None, host=None):
        return self.raw(request(method, path, encode(body), headers, host or self.host), method)

    def get(self, path, headers=KEY, host=None):
        return self.request("GET", path, None, headers, host)

    def post(self, path, body, headers=CHANGES):
        return self.request("POST", path, body, headers)

    def replay(self, ids, **more):
        """The results. An order that takes longer than a second leaves the last ids for the next one."""
        results = []
        while len(results) < len(ids):
            answer = self.post("/api/v1/refused/replay", {"ids": ids[len(results) :]} | more).json
            assert len(answer["results"]) + answer["left"] == len(ids) - len(results)
            results += answer["results"]
        return results

    def ids(self, query=""):
        return [row["id"] for row in self.get("/api/v1/refused" + query).json["refused"]]


@pytest.fixture
def start(sluice, folder):
    def start(**changes):
        (folder / "key").write_text("operator-key\n")
        (folder / "password").write_text("pass\n")
        admin = {
            "listen": "127.0.0.1:0",
            "hosts": ["console.example.com"],
            "api_keys": [{"value_file": "key"}],
            "basic": [{"user": "ann", "password_file": "password"}],
        }
        server = sluice(**{"admin": admin, "store": {"path": "var/s.db"}, "sinks": SINKS} | changes)
        return server, Admin(server)

    return start


def console(server):
    return run("console", "-c", server.file, cwd=server.folder)


def token_link(server):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(server.folder / "var/s.db.control"))
        client.sendall(b'{"order":"console"}\n')
        return json.loads(client.makefile().readline())["url"]


def broken(event, number, **changes):
    """An event that the schema refuses, with a value that only a caller with a credential may see."""
    interaction = event["detail"]["interaction"] | {"start_time": number, "customer": {"email": SECRET}} | changes
    return event | {"id": f"e{number}", "detail": {**event["detail"], "interaction": interaction}}


def test_probes_and_metrics_are_open_and_nothing_else_is(start, event):
    server, admin = start()
    assert server.post(broken(event, 1)).status == 400
    for path in ("/healthz", "/readyz", "/metrics"):
        assert admin.get(path, {}).status == 200, path
        assert admin.get(path, {}, host="10.1.2.3:9090").status == 200, path
    assert server.get("/metrics").status == 404
    assert server.get("/readyz").status == 200
    for path in ("/api/v1/state", "/events", "/api/v1/refused"):
        assert server.get(path, KEY).status in (404, 405), path
    assert admin.post("/events", event).status == 404
    assert admin.get("/api/v1/other").status == 404
    assert admin.get("/api/v1/refused/replay").status == 405

    paths = [
        "/api/v1/state", "/api/v1/history", "/api/v1/schemas", "/api/v1/refused", "/api/v1/refused/groups",
        "/api/v1/refused/event?id=1", "/api/v1/dead", "/api/v1/dead/record?id=1", "/api/v1/shadows",
        "/api/v1/schemas/texts?registry=x&schema=y",
    ]  # fmt: skip
    origin = f"http://{admin.host}"
    cases = [
        ("no credential", {}, None, 401),
        ("a wrong key", {"x-api-key": "x"}, None, 401),
        ("a wrong token", {"Authorization": "Bearer " + "0" * 64}, None, 401),
        ("a foreign host", KEY, "evil.example", 403),
        ("a foreign address", KEY, "10.1.2.3", 403),
        ("a host that begins as ours", KEY, "127.0.0.1.evil.example", 403),
        ("another origin", KEY | {"Origin": "http://evil.example"}, None, 403),
        ("no origin", KEY | {"Origin": "null"}, None, 403),
        ("another port's origin", KEY | {"Origin": "http://127.0.0.1:1"}, None, 403),
        ("another site", KEY | {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, None, 403),
        ("a body", KEY | {"Content-Length": "1"}, None, 400),
        ("chunks", KEY | {"Transfer-Encoding": "chunked"}, None, 400),
        ("a key", KEY, None, 200),
        ("localhost, at another port", KEY, "localhost:1", 200),
        ("IPv6", KEY, "[::1]:9090", 200),
        ("a configured name", KEY, "Console.example.com", 200),
        ("its own origin", KEY | {"Origin": origin, "Sec-Fetch-Site": "same-origin"}, None, 200),
        ("Basic", {"Authorization": "Basic YW5uOnBhc3M="}, None, 200),
    ]
    for name, headers, host, status in cases:
        for path in paths if status == 401 else paths[:1]:
            sent = request("GET", path, None, headers, host or admin.host)
            if "Content-Length" in headers:
                sent += b"x"
            elif "Transfer-Encoding" in headers:
                sent += b"0\r\n\r\n"
            answer = admin.raw(sent)
            assert answer.status == status, (name, path, answer)
            assert SECRET.encode() not in answer.body
            assert answer.header("cache-control") == "no-store"
            if status == 401:
                assert answer.header("www-authenticate")
    assert admin.raw(b"GET /api/v1/state HTTP/1.0\r\nx-api-key: operator-key\r\n\r\n").status == 403

    for headers, status in [(KEY, 403), ({"X-Sluice-Console": "1"}, 401), (CHANGES | {"Origin": "http://a"}, 403)]:
        assert admin.post("/api/v1/refused/discard", {"ids": [1]}, headers).status == status
    plain = admin.post("/api/v1/refused/discard", {"ids": [1]}, CHANGES | {"Content-Type": "text/plain"})
    assert plain.status == 415
    assert admin.ids() == [1]


def test_a_link_has_a_token(start):
    server, admin = start()
    link = token_link(server)
    base, token = link.split("/console?token=")
    assert (base, len(token)) == (f"http://{admin.host}", 64)
    assert admin.get("/api/v1/state", {"Authorization": f"Bearer {token}"}).status == 200
    assert admin.get("/api/v1/state", {"Authorization": f"Bearer {token[:-1]}"}).status == 401
    for _ in range(32):  # the oldest is forgotten
        token_link(server)
    assert admin.get("/api/v1/state", {"Authorization": f"Bearer {token}"}).status == 401
    wait_for(lambda: len([line for line in server.log() if line.get("order") == "console"]) == 33)
    assert not [line for line in server.log() if token in json.dumps(line)]


def test_the_console_is_one_page_that_a_link_opens(start):
    server, admin = start()
    done = console(server)
    assert (done.returncode, done.stderr) == (0, "")
    path = done.stdout.strip().removeprefix(f"http://{admin.host}")
    assert admin.get("/console", {}).status == 401
    assert admin.get("/console", {}).header("content-security-policy")
    assert admin.get("/console?token=" + "0" * 64, {}).status == 401
    assert admin.get(path, {}, host="evil.example").status == 403
    # A link in a page of another site may open it, but not load it as anything else.
    from_a_chat = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert admin.get(path, from_a_chat | {"Sec-Fetch-Mode": "no-cors"}).status == 403
    page = admin.get(path, from_a_chat)
    assert (page.status, page.header("content-type")) == (200, "text/html; charset=utf-8")
    rules = dict(rule.strip().split(" ", 1) for rule in page.header("content-security-policy").split(";"))
    assert rules["default-src"] == "'none'" and rules["script-src"] == rules["connect-src"] == "'self'"
    assert page.header("x-frame-options") == "DENY" and page.header("referrer-policy") == "no-referrer"
    cookie, *flags = page.header("set-cookie").split("; ")
    assert flags == ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"]

    signed = {"Cookie": f"a=b; {cookie}; c=d"}
    assert admin.get("/api/v1/state", signed).status == 200
    assert admin.post("/api/v1/refused/discard", {"ids": [1]}, signed).status == 403
    assert admin.post("/api/v1/refused/discard", {"ids": [1]}, signed | {"X-Sluice-Console": "1"}).status == 200
    assert server.wait_log(event="operator", order="discard")["by"] == "token"
    files = sorted(path.name for path in (ROOT / "server/console").iterdir())
    size = len(page.body)
    for name in set(files) - {"index.html"}:
        assert admin.get(f"/console/{name}", {}).status == 401
        file = admin.get(f"/console/{name}", signed)
        assert (file.status, file.header("set-cookie")) == (200, None), name
        assert file.body == (ROOT / "server/console" / name).read_bytes()
        size += len(file.body)
    assert size < 150_000
    assert b"<script>" not in page.body and b"style=" not in page.body and b"onclick" not in page.body


def test_a_link_needs_an_address_and_a_server(sluice):
    server = sluice(store={"path": "var/s.db"})
    done = console(server)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "sluice console: the server has no admin address (admin.listen)\n"
    server.stop()
    assert console(server).returncode == 3


def test_refused_events_by_the_api(start, event):
    server, admin = start()
    for number in range(1, 6):
        assert server.post(broken(event, number)).status == 400
    assert server.post(b"{").status == 400
    assert server.post(b"\xff{\x00").status == 400

    listed = admin.get("/api/v1/refused?limit=3").json
    assert [row["id"] for row in listed["refused"]] == [7, 6, 5] and listed["more"] is True
    assert SECRET not in json.dumps(listed)
    rule = listed["refused"][2]["rule"]
    assert rule.endswith("/start_time/type")
    assert admin.ids("?before=5&limit=10") == [4, 3, 2, 1]
    assert admin.ids("?event_id=e3") == [3]
    assert admin.ids(f"?outcome=schema_invalid&rule={rule.replace('/', '%2F')}&since=1h&route=route-1") == [5, 4, 3, 2, 1]
    assert admin.ids("?until=1h&route=") == []
    assert admin.ids("?outcome=registry") == []
    for query in ("outcome=x", "since=x", "limit=0", "limit=x", "before=-1", "color=red", "route=%ff", "route=a%00b"):
        answer = admin.get(f"/api/v1/refused?{query}")
        assert answer.status == 400 and answer.json["details"], query

    groups = admin.get("/api/v1/refused/groups").json["groups"]
    assert [(g["count"], g["outcome"], g["example"]) for g in groups] == [(5, "schema_invalid", 5), (2, "malformed", 7)]

    shown = admin.get("/api/v1/refused/event?id=5").json["event"]
    assert json.loads(shown["body"]) == broken(event, 5)
    assert shown["errors"][0]["instanceLocation"] == "/interaction/start_time"
    assert "body_base64" in admin.get("/api/v1/refused/event?id=7").json["event"]
    assert admin.get("/api/v1/refused/event?id=99").status == 404
    assert admin.get("/api/v1/refused/event").status == 400

    tried = admin.replay([1, 99], dry_run=True)
    assert (tried[0]["status"], tried[0]["rule"], tried[0]["reason"]) == (400, rule, "<integer> is not of type 'string'")
    assert tried[1] == {"id": 99, "error": "no refused event 99"}
    before = admin.get("/metrics").body
    schema = server.folder / "conf/schemas/GenesysInteractionRegistry/InteractionStartedSchema.json"
    widened = json.loads(schema.read_text())
    widened["properties"]["interaction"]["properties"]["start_time"] = {}
    schema.write_text(json.dumps(widened))
    wait_for(lambda: admin.post("/api/v1/refused/replay", {"ids": [1], "dry_run": True}).json["results"][0]["status"] == 200)
    assert admin.ids()[-1] == 1 and not (server.folder / "var/out.ndjson").exists()
    assert b'sluice_replays_total{outcome="schema_invalid"}' in before
    assert server.get("/healthz").status == 200

    done = admin.replay([1, 2])
    assert [(row["id"], row["status"], row["outcome"]) for row in done] == [(1, 200, "valid"), (2, 200, "valid")]
    wait_for(lambda: (server.folder / "var/out.ndjson").read_text().count("\n") == 2)
    assert admin.ids() == [7, 6, 5, 4, 3] and admin.ids("?all=1")[-2:] == [2, 1]
    wait_for(lambda: len({admin.get("/api/v1/refused/groups").json["as_of"] for _ in range(2)}) == 1)
    assert admin.post("/api/v1/refused/discard", {"ids": [3, 99]}).json == {"gone": 1}
    assert [g["count"] for g in admin.get("/api/v1/refused/groups").json["groups"]] == [2, 2]
    assert admin.ids() == [7, 6, 5, 4]
    for body in ({}, {"ids": [0]}, {"ids": ["1"]}, {"ids": [1] * 501}, [], b"{"):
        assert admin.post("/api/v1/refused/discard", body).status == 400, body

    server.wait_log(event="operator", order="discard")
    acts = [(line["order"], line["rows"], line["by"]) for line in server.log() if line["event"] == "operator"]
    assert ("replay", "[1,2]", "credential") in acts and acts[-1] == ("discard", "[3,99]", "credential")
    assert not [line for line in server.log() if SECRET in json.dumps(line)]


def test_state_sinks_and_explanations_by_the_api(start, event):
    server, admin = start()
    assert server.post(event).status == 200
    wait_for(lambda: admin.get("/api/v1/state").json["top"]["sinks"][0]["delivered"] == 1)
    state = admin.get("/api/v1/state").json["top"]
    assert state["ready"] and state["routes"][1] == {"name": "route-1", "outcomes": {"valid": 1}}
    assert admin.get("/api/v1/schemas").json["schemas"][0]["usable"] is True
    history = admin.get("/api/v1/history").json["history"]
    assert history["step_s"] == 10 and len(history["routes"][1]["accepted"]) == history["count"]

    assert admin.post("/api/v1/sinks/pause", {"name": "out"}).json == {}
    assert admin.get("/api/v1/state").json["top"]["sinks"][0]["paused"] is True
    assert admin.post("/api/v1/sinks/resume", {"name": "out"}).status == 200
    missing = admin.post("/api/v1/sinks/pause", {"name": "gone"})
    assert (missing.status, missing.json["error"]) == (404, "Not Found")

    assert admin.get("/api/v1/shadows").json == {"shadows": []}
    explained = admin.post("/api/v1/explain", event, KEY).json["explanation"]
    assert explained["status"] == 200 and explained["steps"][0]["step"] == "parse"
    assert explained["body"]["interaction_id"] == event["detail"]["interaction"]["id"]
    assert admin.post("/api/v1/explain", b"{", KEY).json["explanation"]["status"] == 400
    assert admin.get("/metrics").body.count(b'outcome="valid"} 1\n') == 1  # explaining counts nothing
    assert admin.get("/api/v1/dead").json == {"dead": [], "more": False}
    assert admin.get("/api/v1/dead/record?id=1").status == 404
    assert admin.post("/api/v1/dead/replay", {"ids": [1]}).json["results"][0]["error"]
    assert admin.post("/api/v1/dead/discard", {"ids": [1]}).json == {"gone": 0}
    server.signal(1)
    server.wait_log(event="reloaded")
    assert admin.get("/api/v1/state").json["top"]["routes"][1]["outcomes"] == {"valid": 1}


def test_without_a_store_the_api_has_no_rows(start, event):
    server, admin = start(store={"path": ""}, sinks=[])
    assert server.post(event).status == 200
    assert "valid" in admin.get("/api/v1/state").json["top"]["routes"][1]["outcomes"]
    answer = admin.get("/api/v1/refused")
    assert (answer.status, answer.json["details"]) == (404, "the server has no store (store.path)")


def test_an_address_for_metrics_and_one_for_operators_exclude_each_other(folder):
    (folder / "sluice.yaml").write_text('http: {metrics_listen: "127.0.0.1:1"}\nadmin: {listen: "127.0.0.1:2"}\n')
    done = run("check", "-c", "sluice.yaml", cwd=folder)
    assert done.returncode == 1 and "http.metrics_listen: cannot be set together with admin.listen" in done.stdout


def test_what_shadows_would_decide_by_the_api(start, event, folder):
    """The same as `sluice schema shadow --json`, without any value of an event."""
    (folder / "next.json").write_text(json.dumps({"required": ["nowhere"]}))
    server, admin = start(routes=[route(name="main", shadow={"file": "next.json"})])
    assert server.post(event).status == 200
    (shadow,) = admin.get("/api/v1/shadows").json["shadows"]
    assert (shadow["route"], shadow["events"]["would_refuse"], shadow["rules"][0]["rule"]) == ("main", 1, "/required")
    told = run("schema", "shadow", "--json", "-c", server.file, cwd=folder)
    assert json.loads(told.stdout) == shadow


def test_strangers_do_not_crowd_the_address(start):
    """They hold all connections and ask without a credential again and again: an operator gets in."""
    _, admin = start()
    ask = request("GET", "/api/v1/state", host=admin.host)
    strangers = [socket.create_connection(admin.address, PATIENCE, (f"127.0.0.{2 + n // 32}", 0)) for n in range(64)]
    ended = threading.Event()

    def crowd_once():
        for stranger in strangers:
            with contextlib.suppress(OSError):
                stranger.sendall(ask)
                stranger.recv(4096)

    def crowd():
        while not ended.wait(0.35):
            crowd_once()

    crowd_once()
    crowding = threading.Thread(target=crowd)
    crowding.start()
    try:
        assert admin.get("/api/v1/state").status == 200
    finally:
        ended.set()
        crowding.join()
        for stranger in strangers:
            stranger.close()


def test_one_address_has_half_of_the_connections(start):
    _, admin = start()
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(admin.address, PATIENCE)) for _ in range(33)]
        for one in sockets:
            one.sendall(b"G")  # a connection counts from its first byte on
        assert len(select.select(sockets, [], [], PATIENCE)[0]) == 1


def test_an_admin_address_beyond_loopback_is_warned_of(sluice, folder):
    server = sluice(admin={"listen": "127.0.0.2:0"})
    warning = "admin.listen is reachable from other machines, and credentials and events travel in clear text"
    done = run("check", "-c", server.file, cwd=folder)
    assert done.returncode == 0 and warning not in done.stdout + done.stderr
    path = server.folder / server.file
    path.write_text(path.read_text().replace("127.0.0.2:0", "0.0.0.0:0"))
    done = run("check", "-c", server.file, cwd=folder)
    assert warning in done.stdout + done.stderr


def test_the_texts_of_a_schema_by_the_api(start, event, folder):
    """The version before stays known over a reload; one that the guard holds back does not go live."""
    registry, schema = "GenesysInteractionRegistry", "Own"
    first, second, narrow = ('{"title":"first"}', '{"title":"second"}', '{"required":["nowhere"]}')
    put_schema(folder, schema, first.encode())
    server, admin = start(
        routes=[route(name="main", schema=schema)],
        registry={"refresh": "50ms", "guard": "enforce", "cache_dir": "cache"},
    )
    path = f"/api/v1/schemas/texts?registry={registry}&schema={schema}"

    def texts():
        found = admin.get(path).json["texts"]
        return [one and one["text"] for one in (found["live"], found["previous"], found["held_back"])]

    assert server.post(event).status == 200
    assert texts() == [first, None, None]
    since = admin.get("/api/v1/schemas").json["schemas"][0]["since"]
    put_schema(folder, schema, second.encode())
    wait_for(lambda: texts() == [second, first, None])
    put_schema(folder, schema, narrow.encode())
    wait_for(lambda: texts() == [second, first, narrow])
    (found,) = admin.get("/api/v1/schemas").json["schemas"]
    assert found["guard"]["held"] and found["since"] > since and found["looked_ms"] >= 0
    server.signal(1)
    server.wait_log(event="reloaded")
    assert texts() == [second, first, narrow]
    assert admin.get("/api/v1/schemas").json["schemas"][0]["since"] == found["since"]
    put_schema(folder, schema, second.encode())
    wait_for(lambda: texts() == [second, first, None])
    gone = admin.get("/api/v1/schemas/texts?registry=x&schema=y")
    assert (gone.status, gone.json["details"]) == (404, "no route has this schema")
