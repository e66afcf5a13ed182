"""sluice rehearse: the calls of an API destination, what a bus retries, and what it gives up."""

import collections
import email.utils
import json
import time
import urllib.parse

import pytest

from http_peer import HttpPeer, HttpPeerHandler
from receiver import Receiver
from server import run


class Destination(Receiver):
    """Answers by the `kind` of the first event of a call: a list of answers, the last one for ever."""

    def __init__(self, answers):
        super().__init__()
        self.answers, self.tries = answers, collections.Counter()
        self.plan = self.by_kind

    def by_kind(self, records):
        kind = records[0]["kind"]
        answers = self.answers[kind]
        self.tries[kind] += 1
        return answers[min(self.tries[kind], len(answers)) - 1]


@pytest.fixture
def destination():
    made = []

    def make(answers):
        made.append(Destination(answers))
        return made[-1]

    yield make
    for one in made:
        one.close()


def rehearse(folder, url, kinds, *words):
    events = folder / "events.ndjson"
    events.write_text("".join(json.dumps({"kind": kind}) + "\n" for kind in kinds))
    dlq = folder / "dlq.ndjson"
    result = run("rehearse", url, "--json", "--speed", "2000", "--dlq", dlq, *words, events, cwd=folder)
    dead = [json.loads(line) for line in dlq.read_text().splitlines()] if dlq.exists() else []
    by_kind = {json.loads(one["body"])["kind"]: one["attributes"] for one in dead if one["body"].startswith("{")}
    return result, json.loads(result.stdout) if result.stdout else None, by_kind


OK, BUSY = (200, {}), (503, {"Retry-After": "1"})


def test_a_classic_bus_retries_what_can_change(tmp_path, destination):
    there = destination(
        {
            "ok": [OK],
            "created": [(201, {})],
            "busy": [BUSY, (429, {}), (401, {}), (407, {}), (409, {}), (500, {}), OK],
            "silent": [None, OK],  # no answer for 5 seconds
            "malformed": [(400, {})],
            "missing": [(404, {})],
            "moved": [(302, {"Location": "/"})],
            "stop": [(503, {"Retry-After": "-1"})],
        }
    )
    result, told, dead = rehearse(tmp_path, there.url, there.answers)
    assert result.returncode == 1
    # A call that a busy machine delays for 5 seconds is made again, so there may be more of them.
    assert (told["delivered"], told["dead"], told["left"]) == (4, 4, 0)
    assert told["calls"] >= 15
    assert there.tries["busy"] >= 7
    assert told["statuses"]["0"] >= 1
    assert set(dead) == {"malformed", "missing", "moved", "stop"}
    assert (dead["malformed"]["ERROR_CODE"], dead["malformed"]["ERROR_MESSAGE"]) == ("SDK_CLIENT_ERROR", "HTTP status 400")
    assert told["p99_us"] >= 4_900_000  # timers of milliseconds may end a little early


def test_calls_are_those_of_an_api_destination(tmp_path, destination):
    there = destination({"ok": [OK]})
    secret = tmp_path / "key"
    secret.write_text("sesame\n")
    result, told, _ = rehearse(tmp_path, there.url, ["ok"], "--auth", "api-key", "--secret-file", secret)
    assert (result.returncode, told["delivered"]) == (0, 1)
    headers = there.requests[0][0]
    assert {name: headers.get(name) for name in headers if name not in ("Host", "Content-Length")} == {
        "User-Agent": "Amazon/EventBridge/ApiDestinations",
        "Content-Type": "application/json; charset=utf-8",
        "Range": "bytes=0-1048575",
        "Accept-Encoding": "gzip,deflate",
        "Connection": "close",
        "x-api-key": "sesame",
    }
    result, _, _ = rehearse(tmp_path, there.url, ["ok"], "--auth", "basic", "--user", "u", "--secret-file", secret)
    assert result.returncode == 0
    assert there.requests[1][0]["Authorization"] == "Basic dTpzZXNhbWU="


class TokenServer(HttpPeer):
    """Issues t1, t2, ...; `calls` has the forms and the credentials in headers."""

    class handler(HttpPeerHandler):
        def do_POST(self):
            form = urllib.parse.parse_qs(self.body().decode())
            self.peer.calls.append((form, self.headers.get("Authorization")))
            self.send(200, body=json.dumps({"access_token": f"t{len(self.peer.calls)}"}).encode())


def test_a_token_is_asked_for_as_eventbridge_does(tmp_path, destination):
    there = destination({"ok": [OK]})
    there.accept = lambda headers: 401 if headers["Authorization"] == "Bearer t1" else None
    secret = tmp_path / "secret"
    secret.write_text("a b&c\n")
    with TokenServer() as tokens:
        words = ["--auth", "oauth", "--user", "me", "--scope", "x y", "--secret-file", secret, "--token-url", tokens.url]
        result, told, _ = rehearse(tmp_path, there.url, ["ok"], *words)
    assert (result.returncode, told["delivered"], told["statuses"]["401"]) == (0, 1, 1)
    form = {"grant_type": ["client_credentials"], "scope": ["x y"], "client_id": ["me"], "client_secret": ["a b&c"]}
    assert tokens.calls == [(form, None)] * 2


def test_retry_after_lengthens_the_pause(tmp_path, destination):
    soon = email.utils.formatdate(time.time() + 3600, usegmt=True)
    there = destination({"seconds": [(503, {"Retry-After": "1800"}), OK], "date": [(503, {"Retry-After": soon}), OK]})
    result, told, _ = rehearse(tmp_path, there.url, there.answers)  # 2000 times faster
    assert (result.returncode, told["delivered"]) == (0, 2)
    for kind, pause in (("seconds", 1800), ("date", 3500)):
        times = [at for _, records, _, at in there.requests if records[0]["kind"] == kind]
        assert times[1] - times[0] >= pause / 2000 - 0.01


def test_without_a_connection_events_are_given_up(tmp_path):
    words = ["--bus", "custom", "--batch", "1", "--speed", "100000"]
    result, told, dead = rehearse(tmp_path, "http://127.0.0.1:1/", ["ok"], *words)
    assert (result.returncode, told["statuses"]) == (1, {"0": 6})
    assert dead["ok"]["ERROR_CODE"] == "CONNECTION_FAILURE"


def test_a_custom_bus_sends_arrays_and_gives_up_after_six_tries(tmp_path, destination):
    there = destination({"ok": [OK], "malformed": [(400, {})], "mended": [(400, {}), OK]})
    kinds = ["ok", "ok", "malformed", "ok", "mended"]
    result, told, _ = rehearse(tmp_path, there.url, kinds, "--bus", "custom", "--batch", "2")
    assert result.returncode == 1
    assert (told["delivered"], told["dead"]) == (2, 1)  # calls, not events
    assert there.tries["malformed"] == 6
    assert there.tries["mended"] >= 2
    assert all(json.loads(body)[0] for body in there.bodies)
    attributes = json.loads((tmp_path / "dlq.ndjson").read_text())["attributes"]
    assert (attributes["EXHAUSTED_RETRY_CONDITION"], attributes["RETRY_ATTEMPTS"]) == ("MaximumRetryAttempts", "5")


def test_the_server_takes_a_rehearsal(sluice, event, tmp_path):
    server = sluice()
    lines = [json.dumps(event | {"id": f"event-{i}"}) for i in range(200)]
    url = "http://{}:{}/events".format(*server.address)
    result = run("rehearse", url, "--rate", "10000", "-", cwd=tmp_path, stdin="\n".join(lines))
    assert result.returncode == 0, result
    assert result.stdout.startswith("delivered 200, dead 0, calls ")
    assert "delivered at try   1: " in result.stdout


def test_wrong_calls_are_refused(tmp_path):
    for words in ([], ["http://127.0.0.1:1", "--bus", "x"], ["u", "--auth", "api-key"], ["u", "--rate", "0"]):
        result = run("rehearse", *words, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (2, "")
    result = run("rehearse", "http://127.0.0.1:1", "missing.ndjson", cwd=tmp_path)
    assert result.returncode == 3
