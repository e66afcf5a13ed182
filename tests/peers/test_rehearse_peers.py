"""sluice rehearse beside the API destinations of MiniStack: the same requests, the same judgement of answers.

A recorder takes the requests of both. rehearse sends the bodies that MiniStack has sent.

Where MiniStack differs from AWS's documentation, rehearse follows the documentation:

- MiniStack drops an event that a bus would retry, and writes nothing to a dead-letter queue.
- It takes the status before the body of the answer is complete; AWS's 5 seconds are for the whole call.
- It repeats a call with a new token at once; for AWS it is a retry, after a pause.
- It has no custom buses (eventsv2), so arrays cannot be compared.
"""

import collections
import json
import re
import time
import types
import urllib.parse

import pytest
from emulators import Ministack
from http_peer import HttpPeer, HttpPeerHandler
from server import PATIENCE, run, wait_for

pytestmark = pytest.mark.skipif(bool(Ministack.missing()), reason=Ministack.missing() or "-")
KEY = "alpha-alpha-alpha: a+b&c=d%25"
OAUTH = "OAUTH_CLIENT_CREDENTIALS"
SILENT, TRICKLE = 0, 1  # in the place of a status
ENOUGH = 4.9  # seconds; timers of milliseconds may end a little early


class Recorder(HttpPeer):
    """Notes each request. A body {"status": 503} or {"detail": {"status": 503}} is answered so the first time, then 200;
    with `refuses_odd_tokens`, the first token and every second one after it with 401. Bodies are told apart by "number"."""

    def __init__(self):
        super().__init__()
        self.seen, self.tokens, self.refuses_odd_tokens = collections.Counter(), 0, False

    class handler(HttpPeerHandler):
        def do_POST(self):
            body = self.body()
            headers = {name.lower(): value for name, value in self.headers.items()}
            assert len(headers) == len(self.headers), self.headers
            call = types.SimpleNamespace(
                line=self.requestline, headers=headers, body=body, port=self.client_address[1],
                begun=time.monotonic(), ended=None,
            )  # fmt: skip
            with self.peer.changed:
                self.peer.calls.append(call)
                self.peer.changed.notify_all()
            if self.path.startswith("/token"):
                self.grant()
                return
            status = self.peer.status_of(call)
            if status in (SILENT, TRICKLE):
                self.stall(status == TRICKLE)
            else:
                self.send(status, {"Location": "/elsewhere"} if status in (301, 302, 307, 308) else {}, b"" if status == 204 else b"{}")
            call.ended = time.monotonic()

        def grant(self):
            with self.peer.changed:
                self.peer.tokens += 1
                token = f"token{self.peer.tokens}"
            answer = {"access_token": token, "token_type": "bearer", "expires_in": 3600}
            self.send(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

        def stall(self, trickles):
            """Never answer completely; wait until the client has left."""
            self.close_connection = True
            if trickles:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            self.connection.settimeout(0.5)
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                try:
                    if trickles:
                        self.wfile.write(b" ")
                    if not self.connection.recv(1):
                        return
                except TimeoutError:
                    pass

    def status_of(self, call):
        if self.refuses_odd_tokens and call.headers["authorization"][-1] in "13579":
            return 401
        try:
            event = json.loads(call.body)
        except ValueError:
            return 200
        event = event.get("detail", event) if isinstance(event, dict) else {}
        with self.changed:
            self.seen[(event.get("number"), event.get("status"))] += 1
            first = self.seen[(event.get("number"), event.get("status"))] == 1
        return event.get("status", 200) if first else 200

    def take(self, count):
        """The next `count` requests."""
        wait_for(lambda: len(self.calls) >= count, f"request {count}", 3 * PATIENCE)
        with self.changed:
            taken = self.calls[:]
            del self.calls[:]
        assert len(taken) == count, taken
        return taken


@pytest.fixture
def recorder():
    with Recorder() as recorder:
        yield recorder


@pytest.fixture(scope="module")
def ministack(tmp_path_factory):
    with Ministack(tmp_path_factory.mktemp("ministack")) as peer:
        peer.events = peer.client("events")
        yield peer


AUTH = {
    "API_KEY": {"ApiKeyAuthParameters": {"ApiKeyName": "X-Custom-Key", "ApiKeyValue": KEY}},
    "BASIC": {"BasicAuthParameters": {"Username": "event bridge", "Password": KEY}},
    OAUTH: {
        "OAuthParameters": {
            "HttpMethod": "POST",
            "ClientParameters": {"ClientID": "the client", "ClientSecret": KEY},
            "OAuthHttpParameters": {
                "BodyParameters": [
                    {"Key": "grant_type", "Value": "client_credentials", "IsValueSecret": False},
                    {"Key": "scope", "Value": "events/write b", "IsValueSecret": False},
                ]
            },
        }
    },
}


def words_of(kind, recorder, secret):
    """The options of rehearse that say the same as a connection."""
    words = ["--secret-file", secret(KEY)]
    return words + {
        "API_KEY": ["--auth", "api-key", "--header", "X-Custom-Key"],
        "BASIC": ["--auth", "basic", "--user", "event bridge"],
        OAUTH: ["--auth", "oauth", "--user", "the client", "--scope", "events/write b",
                                     "--token-url", recorder.url + "/token"],
    }[kind]  # fmt: skip


def connect(ministack, recorder, kind="API_KEY", path="/events", invocation=None, **target):
    """A rule on a bus of its own that calls the recorder. Returns its name."""
    name = ministack.name()
    auth = json.loads(json.dumps(AUTH[kind]))
    if "OAuthParameters" in auth:
        auth["OAuthParameters"]["AuthorizationEndpoint"] = recorder.url + "/token"
    if invocation:
        auth["InvocationHttpParameters"] = invocation
    events = ministack.events
    connection = events.create_connection(Name=name, AuthorizationType=kind, AuthParameters=auth)["ConnectionArn"]
    destination = events.create_api_destination(
        Name=name, ConnectionArn=connection, InvocationEndpoint=recorder.url + path, HttpMethod="POST"
    )["ApiDestinationArn"]
    events.create_event_bus(Name=name)
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["test"]}))
    role = "arn:aws:iam::000000000000:role/invoke"
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "one", "Arn": destination, "RoleArn": role} | target])
    return name


def put(ministack, bus, *details):
    entries = [{"EventBusName": bus, "Source": "test", "DetailType": "interaction", "Detail": json.dumps(one)} for one in details]
    assert ministack.events.put_events(Entries=entries)["FailedEntryCount"] == 0


def rehearse(recorder, folder, path, bodies, words, may_be_silent=False):
    """Each body is a file. Returns the result, what was given up, and the recorded calls."""
    paths = [folder / f"event{i}.json" for i in range(len(bodies))]
    for file, body in zip(paths, bodies):
        file.write_bytes(body)
    for _ in range(3):  # a call that a busy machine delays for 5 seconds is made again
        dlq = folder / "dlq"
        dlq.unlink(missing_ok=True)
        recorder.seen.clear()
        recorder.calls.clear()
        url = recorder.url + path
        result = run("rehearse", url, "--json", "--speed", "100", "--dlq", dlq, *words, *paths, cwd=folder, timeout=3 * PATIENCE)
        told = json.loads(result.stdout)
        if may_be_silent or "0" not in told["statuses"]:
            break
    return told, [json.loads(line) for line in dlq.read_text().splitlines()], recorder.calls[:]


SHAPES = {
    "event": {},
    "part": {"InputPath": "$.detail"},
    "constant": {"Input": '"a text"'},
    "object": {
        "InputTransformer": {
            "InputPathsMap": {"detail": "$.detail", "id": "$.id"},
            "InputTemplate": '{\n  "id": <id>,\n  "detail": <detail>\n}',
        }
    },
    "not JSON": {"InputTransformer": {"InputPathsMap": {"n": "$.detail.text"}, "InputTemplate": "the text is <n>\nand é"}},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", AUTH)
def test_requests_are_the_same(ministack, recorder, folder, secret, kind, shape):
    bus = connect(ministack, recorder, kind, **SHAPES[shape])
    put(ministack, bus, {"text": "é€😀", "number": 1})
    [*token, theirs] = recorder.take(1 + (kind == OAUTH))
    told, _, [*our_token, ours] = rehearse(recorder, folder, "/events", [theirs.body], words_of(kind, recorder, secret))
    assert told["tries"] == {"1": 1}
    if kind == OAUTH:  # the next token
        assert theirs.headers.pop("authorization") != ours.headers.pop("authorization")
    assert (ours.line, ours.headers, ours.body) == (theirs.line, theirs.headers, theirs.body)
    for mine, other in zip(our_token, token, strict=True):
        assert (mine.line, mine.headers["content-type"]) == (other.line, other.headers["content-type"])
        assert "authorization" not in mine.headers | other.headers
        assert urllib.parse.parse_qs(mine.body.decode()) == urllib.parse.parse_qs(other.body.decode())


def test_queries_and_body_parameters_are_a_part_of_url_and_event(ministack, recorder, folder, secret):
    invocation = {
        "QueryStringParameters": [{"Key": "code", "Value": "ä b&c", "IsValueSecret": False}],
        "BodyParameters": [{"Key": "team", "Value": "blue", "IsValueSecret": False}],
    }
    parameters = {"QueryStringParameters": {"more": "1"}}
    bus = connect(ministack, recorder, path="/events?a=b", invocation=invocation, HttpParameters=parameters)
    put(ministack, bus, {"number": 1})
    [theirs] = recorder.take(1)
    assert json.loads(theirs.body)["team"] == "blue"
    path = theirs.line.split()[1]
    assert urllib.parse.parse_qs(path.partition("?")[2]) == {"a": ["b"], "code": ["ä b&c"], "more": ["1"]}
    _, _, [ours] = rehearse(recorder, folder, path, [theirs.body], words_of("API_KEY", recorder, secret))
    assert (ours.line, ours.headers, ours.body) == (theirs.line, theirs.headers, theirs.body)


def test_each_call_has_a_connection_of_its_own(ministack, recorder, folder, secret):
    bus = connect(ministack, recorder)
    put(ministack, bus, *({"number": i} for i in range(10)))
    theirs = recorder.take(10)
    _, _, ours = rehearse(recorder, folder, "/events", [one.body for one in theirs], words_of("API_KEY", recorder, secret))
    assert sorted(one.body for one in ours) == sorted(one.body for one in theirs)
    assert len({one.port for one in theirs}) == len({one.port for one in ours}) == 10


def test_a_refused_token_is_replaced(ministack, recorder, folder, secret):
    recorder.refuses_odd_tokens = True
    bus = connect(ministack, recorder, OAUTH)
    put(ministack, bus, {"number": 1})
    theirs = recorder.take(4)
    told, _, ours = rehearse(recorder, folder, "/events", [theirs[-1].body], words_of(OAUTH, recorder, secret))
    assert told["tries"] == {"2": 1}
    assert [one.line.split()[1] for one in ours] == ["/token", "/events"] * 2 == [one.line.split()[1] for one in theirs]
    for calls in (theirs, ours):
        assert [one.headers["authorization"][-1] in "13579" for one in calls[1::2]] == [True, False]


STATUSES = [200, 201, 202, 204, 206, 300, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411,
            412, 413, 414, 415, 418, 421, 422, 423, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 511, 599]  # fmt: skip


def judged_by_ministack(ministack, name):
    """What its log says about the answers of an API destination: "delivered", "retried" or "final"."""
    log = (ministack.folder / "emulator.log").read_text(errors="replace")
    words = {"": "delivered", "retryable": "retried", "not retryable": "final"}
    found = re.findall(rf"API destination {name}: (retryable )?HTTP (\d+)(?: \((not retryable))?", log)
    return {int(status): words[before.strip() or after] for before, status, after in found}


def test_answers_are_judged_the_same(ministack, recorder, folder, secret):
    bus = connect(ministack, recorder)
    for i in range(0, len(STATUSES), 10):
        put(ministack, bus, *({"number": status, "status": status} for status in STATUSES[i : i + 10]))
    bodies = [one.body for one in recorder.take(len(STATUSES))]
    wait_for(lambda: len(judged_by_ministack(ministack, bus)) == len(STATUSES), "the log", 3 * PATIENCE)
    theirs = judged_by_ministack(ministack, bus)
    _, dead, calls = rehearse(recorder, folder, "/events", bodies, words_of("API_KEY", recorder, secret))
    ours = dict.fromkeys(STATUSES, "delivered")
    ours |= {status: "retried" for (_, status), count in recorder.seen.items() if count > 1}
    ours |= {json.loads(one["body"])["detail"]["number"]: "final" for one in dead}
    assert ours == theirs
    assert set(theirs.values()) == {"delivered", "retried", "final"}
    assert not any(one.line.split()[1] == "/elsewhere" for one in calls)  # no redirect is followed


def test_a_call_takes_five_seconds_at_most(ministack, recorder, folder, secret):
    bus = connect(ministack, recorder)
    put(ministack, bus, {"number": 1, "status": SILENT})
    [theirs] = recorder.take(1)
    body = [theirs.body, theirs.body.replace(b'"status": 0', b'"status": 1')]
    told, _, calls = rehearse(recorder, folder, "/events", body, words_of("API_KEY", recorder, secret), may_be_silent=True)
    ours = [calls[[one.body for one in calls].index(one)] for one in body]  # the first call of each
    assert told["delivered"] == 2
    assert told["statuses"]["0"] >= 2
    wait_for(lambda: theirs.ended, "the end of the connection", 3 * PATIENCE)
    assert all(one.ended - one.begun >= ENOUGH for one in [theirs, *ours])
