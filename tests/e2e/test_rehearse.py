"""sluice rehearse: the calls of an API destination, what a bus retries, and what it gives up."""

import collections
import json

import pytest

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
    assert {name: headers.get(name) for name in headers if name not in ("Host", "Content-Length", "Accept")} == {
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
