"""Sinks without a store: a 200 means that every sink has the record. Nothing is kept on disk."""

import json
import select
import signal
import threading

import pytest

from client import encode, request
from server import PATIENCE, SLOW, furnish, run, wait_for
from test_sinks import ARCHIVE, counters, hook, ids, lines, name

NONE = {"path": ""}
DEADLINE = {"deadline": f"{400 * min(SLOW, 6)}ms"}
QUIET = 0.2  # seconds to wait for an answer that must not arrive


class Gate:
    """A plan for the receiver: every answer waits for open()."""

    def __init__(self, there):
        self.there = there
        self.reached = threading.Event()
        self.opened = threading.Event()
        there.plan = self

    def __call__(self, records):
        self.reached.set()
        self.opened.wait(PATIENCE)
        return 200, {}

    def await_record(self):
        assert self.reached.wait(PATIENCE)

    def open(self):
        self.there.plan = lambda records: (200, {})
        self.opened.set()


def send(server, body):
    """Send a POST; do not wait for the answer."""
    connection = server.connect()
    connection.send(request("POST", "/events", encode(body)))
    return connection


def is_silent(connection):
    return not select.select([connection.socket], [], [], QUIET)[0]


def numbers(enqueued, delivered, dropped):
    return {
        "enqueued": enqueued,
        "delivered": delivered,
        "pending": enqueued - delivered - dropped,
        "dead": 0,
        "dropped": dropped,
    }


def refused(details):
    return {"error": "Service unavailable", "details": details}


def named(event, name):
    """A copy of the event with this id."""
    copy = json.loads(json.dumps(event))
    copy["id"] = copy["detail"]["interaction"]["id"] = name
    return copy


# 200


def test_the_file_has_the_line_when_200_is_read(sluice, folder, event):
    server = sluice(store=NONE, sinks=[ARCHIVE])
    for i in range(20):
        answer = server.post(named(event, f"e{i}"))
        assert answer.status == 200
        assert lines(folder / "out/records.ndjson")[i] == answer.json
    assert counters(server, "archive") == numbers(20, 20, 0)


def test_200_waits_for_the_sinks_answer(sluice, event, receiver):
    there = receiver()
    gate = Gate(there)
    server = sluice(store=NONE, sinks=[hook(there)], http={"deadline": "60s"})
    with send(server, event) as connection:
        gate.await_record()
        assert is_silent(connection)
        assert counters(server, "hook") == numbers(1, 0, 0)
        gate.open()
        answer = connection.answer()
    assert answer.status == 200
    assert there.records == [answer.json]
    assert there.requests[0][0]["Idempotency-Key"] == event["id"]
    assert counters(server, "hook") == numbers(1, 1, 0)


def test_200_waits_for_the_slower_of_two(sluice, folder, event, receiver):
    there = receiver()
    gate = Gate(there)
    server = sluice(store=NONE, sinks=[ARCHIVE, hook(there)], http={"deadline": "60s"})
    with send(server, event) as connection:
        gate.await_record()
        wait_for(lambda: counters(server, "archive") == numbers(1, 1, 0))
        assert is_silent(connection)
        gate.open()
        assert connection.answer().status == 200
    assert len(lines(folder / "out/records.ndjson")) == 1


def test_nothing_is_known_as_a_duplicate(sluice, event, receiver):
    there = receiver()
    server = sluice(store=NONE, sinks=[hook(there)])
    for _ in range(2):
        answer = server.post(event)
        assert (answer.status, answer.header("Sluice-Duplicate")) == (200, None)
    assert len(there.records) == 2


# 503


def test_a_sink_that_hangs_is_a_503_until_it_recovers(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: None
    server = sluice(store=NONE, sinks=[hook(there, timeout="600s")], http=DEADLINE)
    for i in range(3):
        answer = server.post(named(event, f"lost{i}"))
        assert (answer.status, answer.json) == (503, refused("deadline"))
        assert int(answer.header("Retry-After")) >= 1
    there.plan = lambda records: (200, {})
    wait_for(lambda: server.post(named(event, "new")).status == 200, "a recovery")
    assert set(ids(there.records)) == {"new"}
    wait_for(lambda: counters(server, "hook")["pending"] == 0)  # of the attempts before
    found = counters(server, "hook")
    assert found["dead"] == 0 and found["dropped"] >= 3


def test_an_innocent_event_waits_for_its_own_attempt_alone(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (500 if "poison" in ids(records) else 200, {})
    sinks = [hook(there, batch=8, max_backoff="1h")]
    server = sluice(store=NONE, sinks=sinks, http={"deadline": "60s"})
    with send(server, named(event, "poison")) as waiting:
        there.wait(lambda there: there.requests, PATIENCE)
        for one in name("e", 20):
            assert server.post(named(event, one)).status == 200
        assert is_silent(waiting)
    assert ids(there.records) == name("e", 20)
    server.discard()  # a drain would wait for the refused event


def test_after_a_503_the_record_is_dropped(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (500, {})
    server = sluice(store=NONE, sinks=[hook(there)], http=DEADLINE)
    assert server.post(named(event, "lost")).status == 503
    wait_for(lambda: counters(server, "hook") == numbers(1, 0, 1), "a dropped record")
    count = len(there.requests)
    assert count > 1  # it was retried as long as its sender waited
    there.plan = lambda records: (200, {})
    assert server.post(named(event, "new")).status == 200
    assert len(there.requests) == count + 1
    assert ids(there.records) == ["new"]


def test_one_sink_of_two_that_fails_is_a_503(sluice, folder, event, receiver):
    there = receiver()
    there.plan = lambda records: (500, {})
    server = sluice(store=NONE, sinks=[ARCHIVE, hook(there)], http=DEADLINE)
    assert server.post(event).json == refused("deadline")
    wait_for(lambda: counters(server, "hook") == numbers(1, 0, 1))
    assert counters(server, "archive") == numbers(1, 1, 0)
    there.plan = lambda records: (200, {})
    assert server.post(event).status == 200
    assert len(lines(folder / "out/records.ndjson")) == 2  # delivery is at least once: the retry is a second record
    assert len(there.records) == 1


def test_a_record_that_a_sink_gives_up_is_a_503_at_once(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (422, {})
    server = sluice(store=NONE, sinks=[hook(there, max_attempts=2)], http={"deadline": "60s"})
    answer = server.post(event)
    assert (answer.status, answer.json) == (503, refused("a sink refused the record"))
    assert int(answer.header("Retry-After")) >= 1
    assert len(there.requests) == 2
    assert counters(server, "hook") == numbers(1, 0, 1)
    server.wait_log(event="sink_record_dead", sink="hook", reason="answered 422")
    assert server.wait_log(event="request", status=503)["outcome"] == "unavailable"


def test_a_sink_that_is_not_there_is_a_503(sluice, folder, event):
    (folder / "out/records.ndjson").mkdir(parents=True)
    server = sluice(store=NONE, sinks=[ARCHIVE], http=DEADLINE)
    assert server.post(event).status == 503
    assert server.get("/readyz").status == 200  # still ready: only the next event can show that the sink works again
    (folder / "out/records.ndjson").rmdir()
    wait_for(lambda: server.post(event).status == 200, "a recovery")


def test_a_400_does_not_wait(sluice, event, receiver):
    there = receiver()
    gate = Gate(there)
    server = sluice(store=NONE, sinks=[hook(there)], http={"deadline": "60s"})
    with send(server, event) as waiting:
        gate.await_record()
        assert server.post({"id": "b", "detail": {}}).status == 400
        assert server.post("nonsense").status == 400
        assert server.post([]).status == 200
        assert server.post([{"id": "bad", "detail": {}}, 7]).status == 400
        gate.open()
        assert waiting.answer().status == 200


# Arrays


def mixed(event):
    return [named(event, "good"), {"id": "bad", "detail": {}}, named(event, "poison")]


def test_each_element_has_its_own_status(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (422 if "poison" in ids(records) else 200, {})
    server = sluice(
        store=NONE,
        sinks=[hook(there, batch=8, max_attempts=1)],
        http={"deadline": "60s"},
    )
    answer = server.post(mixed(event))
    assert answer.status == 503
    assert [(one["id"], one["status"]) for one in answer.json["results"]] == [
        ("good", 200),
        ("bad", 400),
        ("poison", 503),
    ]
    assert answer.json["results"][2]["details"] == "a sink refused the record"
    assert answer.json["batchItemFailures"] == [{"itemIdentifier": "poison"}]
    assert ids(there.records) == ["good"]
    assert counters(server, "hook") == numbers(2, 1, 1)


def test_at_the_deadline_what_has_arrived_is_200(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: None if {"slow", "c"} & set(ids(records)) else (200, {})
    server = sluice(store=NONE, sinks=[hook(there)], http=DEADLINE)
    answer = server.post([named(event, one) for one in ("a", "b", "slow", "c")])
    assert answer.status == 503
    assert [one["status"] for one in answer.json["results"]] == [200, 200, 503, 503]
    assert answer.json["results"][3]["details"] == "deadline"
    assert answer.json["batchItemFailures"] == [
        {"itemIdentifier": "slow"},
        {"itemIdentifier": "c"},
    ]
    wait_for(lambda: counters(server, "hook") == numbers(4, 2, 2), "two dropped records")
    assert server.post(named(event, "d")).status == 200
    assert sorted(ids(there.records)) == ["a", "b", "d"]  # several deliveries at a time: in any order


# Stop, restart and reload


def test_sigterm_answers_waiting_requests(sluice, event, receiver):
    there = receiver()
    gate = Gate(there)
    server = sluice(store=NONE, sinks=[hook(there)], http={"deadline": "60s"})
    with send(server, event) as connection:
        gate.await_record()
        server.signal(signal.SIGTERM)
        server.asked = True
        server.wait_log(event="stopping")
        assert is_silent(connection)
        gate.open()
        answer = connection.answer()
    assert (answer.status, answer.header("Connection")) == (200, "close")
    server.stop()
    assert len(there.records) == 1


def test_sigterm_while_a_sink_hangs_is_a_503(sluice, event, receiver):
    there = receiver()
    gate = Gate(there)
    server = sluice(store=NONE, sinks=[hook(there)], http=DEADLINE)
    with send(server, event) as connection:
        gate.await_record()
        server.signal(signal.SIGTERM)
        server.asked = True
        assert connection.answer().json == refused("deadline")
    server.stop()
    assert server.wait_log(event="stopped")["drained"] is True
    gate.open()


def test_a_reload_leaves_waiting_requests(sluice, event, receiver):
    there = receiver()
    gate = Gate(there)
    server = sluice(store=NONE, sinks=[hook(there)], http={"deadline": "60s"})
    with send(server, event) as connection:
        gate.await_record()
        server.signal(signal.SIGHUP)
        server.wait_log(event="reloaded")
        assert is_silent(connection)
        with send(server, named(event, "after")) as another:
            wait_for(lambda: counters(server, "hook")["pending"] == 2)
            gate.open()
            assert (connection.answer().status, another.answer().status) == (200, 200)
    server.file.write_text(server.file.read_text().replace("name: hook", "name: other"))
    server.signal(signal.SIGHUP)
    assert server.wait_log(event="reloaded", sinks_added="other")["sinks_removed"] == "hook"
    assert server.post(named(event, "still")).status == 200
    assert ids(there.records)[2:] == ["still"]


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_ever_on_the_disk(sluice, folder, event, receiver, end):
    there = receiver()
    gate = Gate(there)
    temporary = folder / "tmp"
    temporary.mkdir()
    server = sluice(
        store=NONE, sinks=[hook(there)], http={"deadline": "60s"}, env={"TMPDIR": str(temporary)}
    )
    before = files(folder)
    with send(server, event):
        gate.await_record()
        assert files(folder) == before
        gate.open()
    if end == signal.SIGKILL:
        server.discard()
    else:
        server.stop()
    assert files(folder) == before


# The command line


def test_commands_about_a_store_say_that_there_is_none(sluice, folder):
    server = sluice(store=NONE, sinks=[ARCHIVE])
    for words in (
        ["outbox", "status"],
        ["outbox", "drop-sink", "archive"],
        ["rejected", "list"],
        ["rejected", "replay"],
        ["dead", "list"],
        ["dead", "replay"],
    ):
        told = run(*words, "-c", server.file, cwd=folder)
        assert (told.returncode, told.stdout) == (3, ""), words
        assert "the configuration has no store (store.path)" in told.stderr, words


@pytest.mark.parametrize(
    "sinks, words",
    [([ARCHIVE], "200 waits for every sink"), ([], "200 promises nothing about delivery")],
)
def test_check_and_doctor_know_of_it(folder, sinks, words):
    furnish(folder)
    config = {"http": {"listen": "127.0.0.1:0"}, "store": NONE, "sinks": sinks}
    (folder / "sluice.yaml").write_text(json.dumps(config))
    checked = run("check", "-c", "sluice.yaml", cwd=folder)
    assert (checked.returncode, checked.stderr) == (0, "")
    told = run("doctor", "-c", "sluice.yaml", cwd=folder)
    assert told.returncode == 0
    assert any(line.startswith("warn  store") and words in line for line in told.stdout.splitlines())


def test_a_long_outage_does_not_make_the_recovery_long(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (503, {"Retry-After": "3600"})
    server = sluice(store=NONE, sinks=[hook(there, max_backoff="1h")], http=DEADLINE)
    for _ in range(2):
        assert server.post(event).status == 503
    there.plan = lambda records: (200, {})
    wait_for(lambda: server.post(event).status == 200, "a recovery")
