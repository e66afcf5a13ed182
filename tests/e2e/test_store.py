"""The store: accepted events are durable, refused events are kept, each once."""

import contextlib
import copy
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import threading
import time

import pytest

from server import Server, defaults, merge, put_schema, route, run, wait_for

STORE = "var/sluice.db"
VERSION = 8  # version of the store's tables
DETAIL = {"interaction": {"id": "i", "start_time": "2024-01-15T10:30:00Z", "channel_type": "v"}}


def make(identity, **changes):
    """A valid event with the current time and these changes."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"id": identity, "time": now, "source": "s", "detail-type": "t", "detail": DETAIL} | changes


@pytest.fixture
def stored(sluice):
    """Start servers that have a store."""

    def start(**changes):
        return sluice(**merge({"store": {"path": STORE}}, changes))

    return start


def again(server, **changes):
    """Start a server in the folder of `server`, which has ended."""
    config = merge(merge(defaults(), {"store": {"path": STORE}}), changes)
    return Server(server.folder, config).wait_ready()


def rows(server, query):
    """The rows of a query on a server's store."""
    with sqlite3.connect(f"file:{server.folder / STORE}?mode=ro", uri=True) as store:
        return store.execute(query).fetchall()


def test_answers_a_duplicate_with_the_first_record(stored, event):
    server = stored()
    first = server.post(event)
    second = server.post(event)
    assert (first.status, second.status) == (200, 200)
    assert first.header("Sluice-Duplicate") is None
    assert second.header("Sluice-Duplicate") == "true"
    assert second.body == first.body
    other = copy.deepcopy(event)
    other["detail"]["interaction"]["channel_type"] = "chat"
    third = server.post(other)
    assert (third.status, third.header("Sluice-Duplicate")) == (200, None)
    assert server.wait_log(event="event_id_reused")["event_id"] == event["id"]
    assert server.metric("sluice_store_accepted_total") == 2
    assert server.metric("sluice_store_duplicates_total") == 1
    assert server.metric('sluice_events_total{route="route-1",outcome="duplicate"}') == 1
    assert server.metric("sluice_store_commit_duration_seconds_count") == 3
    assert server.wait_log(event="request", outcome="duplicate")["status"] == 200


def test_white_space_and_arrays_make_no_other_event(stored):
    server = stored()
    body = json.dumps(make("a")).encode()
    assert server.post(body).status == 200
    assert server.post(b" \n" + body + b"\t").header("Sluice-Duplicate") == "true"
    results = server.post(b"[ " + body + b" , " + json.dumps(make("b")).encode() + b" ]").json
    assert results["results"] == [
        {"id": "a", "status": 200, "duplicate": True},
        {"id": "b", "status": 200},
    ]


STRICTER = {"type": "object", "required": ["what no event has"]}


@pytest.mark.parametrize("quarantine", [True, False])
def test_a_known_event_is_a_duplicate_whatever_the_schema_says(stored, quarantine):
    server = stored()
    event = make("a")
    first = server.post(event)
    server.stop()
    put_schema(server.folder, "InteractionStartedSchema", STRICTER)
    server = again(server, store={"quarantine": {"enabled": quarantine}})
    other = server.post(make("b"))
    assert (other.status, other.json["error"]) == (400, "Schema validation failed")
    second = server.post(event)
    assert (second.status, second.header("Sluice-Duplicate")) == (200, "true")
    assert second.body == first.body
    assert server.metric("sluice_store_quarantine_rows") == quarantine
    server.stop()


def test_junk_does_not_push_out_what_is_to_be_posted_again(stored):
    server = stored(store={"quarantine": {"max_rows": 20}}, routes=[route(), route(
        match={"source": "later"}, schema="Later")][::-1])
    waiting = [make(f"w{number}", source="later") for number in range(10)]
    for event in waiting:
        assert server.post(event).status == 400
    for number in range(30):
        assert server.post(json.dumps([number] * 100)).status == 400
        assert server.post(b"{%d" % number).status == 400
    kept = rows(server, "SELECT registry_kind, count(*) FROM refused GROUP BY 1 ORDER BY 1")
    assert kept == [(0, 10), (1, 10)]
    assert server.wait_log(event="quarantine_overflow")["level"] == "warn"


def test_a_refused_event_larger_than_the_quarantine_is_told(stored):
    server = stored(store={"quarantine": {"max_size": "1KiB"}})
    assert server.post(b'{"x":"' + b"x" * 2000).status == 400
    assert server.wait_log(event="quarantine_too_small", bound="store.quarantine.max_size")
    assert server.metric("sluice_store_quarantine_too_large_total") == 1
    assert server.metric("sluice_store_quarantine_rows") == 0


def test_replays_are_duplicates_by_their_bytes(stored):
    server = stored(store={"replays": "dedup"})
    event = make("a")
    assert server.post(event).status == 200
    assert server.post(event | {"replay-name": "r"}).header("Sluice-Duplicate") == "true"
    other = server.post(event | {"replay-name": "r", "region": "x"})
    assert (other.status, other.header("Sluice-Duplicate")) == (200, None)
    assert server.metric("sluice_store_ids_reused_total") == 0


def test_receipts_know_duplicates_too(stored):
    server = stored(http={"respond": "receipt"})
    event = make("a")
    for duplicate in (None, "true"):
        answer = server.post(event)
        assert answer.json == {"id": "a", "status": "accepted"}
        assert answer.header("Sluice-Duplicate") == duplicate


def test_what_was_acknowledged_survives_being_killed(stored):
    server = stored()
    acknowledged = []
    stop = threading.Event()

    def send(name):
        for number in range(100000):
            event = make(f"{name}-{number}")
            try:
                if stop.is_set() or server.post(event).status != 200:
                    return
            except Exception:  # the server was killed
                return
            acknowledged.append(event)

    senders = [threading.Thread(target=send, args=(name,)) for name in "abcd"]
    for sender in senders:
        sender.start()
    wait_for(lambda: len(acknowledged) >= 50)
    server.process.send_signal(signal.SIGKILL)
    stop.set()
    for sender in senders:
        sender.join()
    server.discard()
    server = again(server)
    for event in acknowledged:
        assert server.post(event).header("Sluice-Duplicate") == "true"
    server.stop()


def test_keeps_refused_events_and_why(stored):
    server = stored()
    bad = make("bad", detail={"interaction": {"id": 7}})
    for _ in range(3):
        assert server.post(bad).status == 400
    assert server.post(b"{").status == 400
    assert server.post(b"").status == 400
    kept = rows(
        server,
        "SELECT event_id, outcome, details, units, registry, schema, attempts, registry_kind"
        " FROM refused ORDER BY id",
    )
    assert [row[1] for row in kept] == ["schema_invalid", "malformed", "malformed"]
    identity, outcome, details, units, registry, schema, attempts, kind = kept[0]
    assert (identity, attempts, kind) == ("bad", 3, 0)
    assert (registry, schema) == ("GenesysInteractionRegistry", "InteractionStartedSchema")
    assert details == server.post(bad).json["details"]
    assert json.loads(units) == server.post(bad).json["errors"]
    assert server.metric('sluice_store_quarantined_total{outcome="schema_invalid"}') == 1
    assert server.metric('sluice_store_quarantined_total{outcome="malformed"}') == 2
    assert server.metric("sluice_store_quarantine_rows") == 3


def test_acceptance_resolves_a_refused_event(stored):
    server = stored()
    put_schema(server.folder, "InteractionStartedSchema", {"required": ["more"]})
    numbers = itertools.count()
    wait_for(lambda: server.post(make(f"probe{next(numbers)}")).status == 400)
    event = make("a")
    assert server.post(event).status == 400
    put_schema(server.folder, "InteractionStartedSchema", True)
    wait_for(lambda: server.post(event).status == 200)
    resolved = "SELECT resolved_us > 0 FROM refused WHERE event_id = 'a'"
    assert rows(server, resolved) == [(True,)]


def test_one_process_has_the_store(stored):
    """The lock is on the database, not on a separate lock file."""
    server = stored()
    (server.folder / (STORE + ".lock")).unlink()
    second = run("serve", "-c", server.file, cwd=server.folder)
    assert second.returncode == 3
    assert "in use by another process" in second.stderr
    assert run("check", "-c", server.file, cwd=server.folder).returncode == 0
    event = make("a")
    assert server.post(event).status == 200
    server.stop()
    server = again(server)
    assert server.post(event).header("Sluice-Duplicate") == "true"
    server.stop()


@pytest.mark.parametrize("empty", [False, True], ids=["missing", "empty"])
def test_a_log_without_its_database_is_not_deleted(stored, empty):
    server = stored()
    events = [make(f"e{i}") for i in range(3)]
    assert [server.post(event).status for event in events] == [200] * 3
    server.process.kill()
    server.discard()
    place, aside = server.folder / STORE, server.folder / "aside"
    log = server.folder / (STORE + "-wal")
    length = log.stat().st_size
    assert length > 0
    place.rename(aside)
    if empty:
        place.write_bytes(b"")
    for command, status in (("check", 1), ("serve", 3)):
        result = run(command, "-c", server.file, cwd=server.folder)
        assert result.returncode == status
        assert "put the database back" in result.stdout + result.stderr
    assert log.stat().st_size == length
    assert place.exists() == empty
    aside.rename(place)
    server = again(server)
    for event in events:
        assert server.post(event).header("Sluice-Duplicate") == "true"
    server.stop()


@pytest.mark.parametrize("part", ["", "-wal"], ids=["database", "log"])
def test_nothing_is_taken_once_a_file_was_cut(stored, part):
    server = stored()
    assert [server.post(make(f"e{i}")).status for i in range(3)] == [200] * 3
    os.truncate(server.folder / (STORE + part), 4096)
    answer = server.post(make("later"))
    assert (answer.status, answer.json["details"]) == (503, "store failing")
    assert "cut from" in server.wait_log(event="store_failing")["reason"]
    wait_for(lambda: not server.get("/readyz").json["ready"])
    server.discard()


def test_a_successor_waits_for_the_store(stored):
    server = stored()
    config = merge(defaults(), {"store": {"path": STORE}})
    successor = Server(server.folder, config)
    server.stop()
    successor.wait_ready()
    assert successor.post(make("a")).status == 200
    successor.stop()


def test_refuses_what_it_does_not_understand(stored):
    server = stored()
    server.stop()
    with sqlite3.connect(server.folder / STORE) as store:
        store.execute("PRAGMA user_version = 1000")
    store.close()
    for command, status in (("check", 1), ("serve", 3)):
        result = run(command, "-c", server.file, cwd=server.folder)
        assert result.returncode == status
        assert "written by a newer sluice" in result.stdout + result.stderr
    (server.folder / STORE).write_bytes(b"something else " * 1000)
    result = run("serve", "-c", server.file, cwd=server.folder)
    assert result.returncode == 3 and "not a database" in result.stderr


def make_store(folder, extra="", version=3):
    """Make a store with that version of the tables, whose rows are a few moments old."""
    today = int(time.time()) // 86400
    script = (pathlib.Path(__file__).parent / f"store_{version}.sql").read_text()
    (folder / "var").mkdir(mode=0o700)
    with contextlib.closing(sqlite3.connect(folder / STORE)) as store:
        store.executescript(
            "PRAGMA journal_mode = WAL;" + re.sub(r"\b20786\b", str(today), script) + extra
        )


def test_brings_an_older_store_up_to_date(folder):
    make_store(folder, "DROP TABLE recent; DROP INDEX refused_registry; PRAGMA user_version = 1;")
    server = Server(folder, merge(defaults(), {"store": {"path": STORE}})).wait_ready()
    event = make("a")
    assert server.post(event).status == 200
    assert server.post(event).header("Sluice-Duplicate") == "true"
    assert rows(server, "PRAGMA user_version") == [(VERSION,)]
    server.stop()


@pytest.mark.parametrize("version", (3, 5))
def test_an_older_store_keeps_everything(folder, receiver, version):
    """Three records: pending for one sink, in retry rows for the second, dead for the third.
    In version 5, one of three recent events is moved, and another one was remembered twice."""
    make_store(folder, version=version)
    sinks = {name: receiver() for name in ("behind", "refuses", "buries")}
    config = {
        "store": {"path": STORE, "quarantine": {"keep": "3650d"}},
        "sinks": [{"name": name, "kind": "http", "url": to.url} for name, to in sinks.items()],
    }
    server = Server(folder, merge(defaults(), config)).wait_ready()
    assert rows(server, "PRAGMA user_version") == [(VERSION,)]
    for name in ("behind", "refuses"):
        wait_for(lambda: server.metric(f'sluice_sink_delivered_total{{sink="{name}"}}') == 3)
    assert server.metric('sluice_sink_dead{sink="buries"}') == 3
    assert run("dead", "list", "-c", server.file, cwd=folder).stdout.count("answered 400") == 3
    assert rows(server, "SELECT body FROM refused JOIN refused_body USING (id)") == [
        (b'{"id":"bad","source":"s","detail-type":"t","detail":{"interaction":{"id":1}}}',)
    ]
    assert rows(server, "SELECT count(*) FROM seen UNION ALL SELECT value FROM state"
                        " WHERE name = 'seen_rows'") == [(3,), (3,)]
    again = {"id": "plain", "source": "s", "detail-type": "t"}
    detail = {**DETAIL, "interaction": {**DETAIL["interaction"], "id": "plain"}}
    raw = json.dumps({**again, "detail": detail}, separators=(",", ":")).encode()
    assert server.post(raw).header("Sluice-Duplicate") == "true"
    assert run("dead", "replay", "-c", server.file, cwd=folder).returncode == 0
    wait_for(lambda: server.metric('sluice_sink_delivered_total{sink="buries"}') == 3)
    for to in sinks.values():
        assert {one["interaction_id"] for one in to.records} == {"plain", "é€😀", "nul\0behind"}
    wait_for(lambda: rows(server, "SELECT * FROM record") == [])
    server.stop()
    state = dict(rows(server, "SELECT * FROM state"))
    assert (state["waiting_bytes"], state["dead_bytes"]) == (0, 0)
    assert not [line for line in server.log() if line["event"] == "store_counter_corrected"]


def test_finds_retries_by_their_order_key_without_a_scan(stored):
    server = stored()
    query = "SELECT seq FROM retry WHERE sink = 1 AND order_key = 5 AND order_key != 0 AND seq < 9"
    plan = rows(server, f"EXPLAIN QUERY PLAN {query}")
    assert "COVERING INDEX retry_key (sink=? AND order_key=? AND seq<?)" in plan[0][3]


def test_wrong_counters_are_found_and_corrected(stored, receiver):
    there = receiver()
    there.plan = lambda records: (503, {})
    sink = {"name": "hook", "kind": "http", "url": there.url, "max_backoff": "20ms"}
    server = stored(sinks=[sink])
    for number in range(20):
        assert server.post(make(f"e{number}")).status == 200
    assert server.post(make("bad", detail={})).status == 400
    server.stop()
    with contextlib.closing(sqlite3.connect(server.folder / STORE)) as store:
        store.execute("UPDATE state SET value = value + 2000000000 WHERE name = 'waiting_bytes'")
        store.execute("UPDATE sink SET pending = pending + 7, enqueued = enqueued + 7")
        store.execute("UPDATE state SET value = value + 9 WHERE name = 'refused_rows'")
        store.execute("UPDATE state SET value = value - 3 WHERE name = 'seen_rows'")
        store.commit()
    there.plan = lambda records: (200, {})
    server = again(server, sinks=[sink])
    assert server.wait_log(event="store_counter_corrected", counter="waiting_bytes")
    line = server.wait_log(event="store_counter_corrected", counter="pending")
    assert line["was"] - line["rows"] == 7
    wait_for(lambda: server.metric('sluice_sink_pending{sink="hook"}') == 0)
    assert server.metric('sluice_sink_dropped_total{sink="hook"}') == 7
    wait_for(lambda: server.metric("sluice_store_quarantine_rows") == 1)
    wait_for(lambda: server.metric("sluice_store_dedup_rows") == 20)
    assert server.metric("sluice_store_counters_corrected_total") == 5
    wait_for(lambda: server.post(make("late")).status == 200)  # the store has room again
    server.stop()


def test_the_store_is_for_its_owner_alone(stored):
    server = stored()
    server.post(make("a"))
    assert (server.folder / "var").stat().st_mode & 0o777 == 0o700
    for file in (server.folder / "var").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


def test_a_foreign_lock_is_a_503_and_passes(stored):
    server = stored()
    event = make("a")
    other = sqlite3.connect(server.folder / STORE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = server.post(event)
    assert answer.status == 503
    assert answer.json == {"error": "Service unavailable", "details": "store failing"}
    assert int(answer.header("Retry-After")) >= 1
    wait_for(lambda: not server.get("/readyz").json["ready"])
    assert server.get("/readyz").json["checks"]["store"] == {"ok": False, "reason": "failing"}
    assert server.get("/healthz").status == 200
    other.execute("ROLLBACK")
    other.close()
    wait_for(lambda: server.get("/readyz").json["ready"])
    assert server.post(event).status == 200
    assert server.wait_log(event="store_recovered")


@pytest.mark.parametrize("gone", [[""], ["-wal"], ["", "-wal", "-shm"]], ids=str)
def test_nothing_is_taken_into_files_that_are_gone(stored, gone):
    server = stored()
    before = [make(f"before-{i}") for i in range(3)]
    assert [server.post(event).status for event in before] == [200] * 3
    for name in gone:
        (server.folder / (STORE + name)).unlink()
    event = make("after")
    for _ in range(3):
        answer = server.post(event)
        assert (answer.status, answer.json["details"]) == (503, "store failing")
    wait_for(lambda: not server.get("/readyz").json["ready"])
    assert "No such file" in server.wait_log(event="store_failing")["reason"]
    if gone != ["-wal"]:
        server.discard()
        return

    def tries():
        return sum(line["event"] == "store_failing" for line in server.log())

    wait_for(lambda: tries() > 1)  # SQLite has moved the log into the database by then
    server.discard()
    server = again(server)
    for event in before:
        assert server.post(event).header("Sluice-Duplicate") == "true"
    assert server.post(make("new")).status == 200
    server.stop()


def test_a_store_that_was_moved_may_come_back(stored):
    server = stored()
    event = make("a")
    assert server.post(event).status == 200
    place, aside = server.folder / STORE, server.folder / "aside"
    place.rename(aside)
    assert server.post(make("b")).status == 503
    shutil.copy(aside, place)  # a copy is another file
    server.wait_text(lambda line: "replaced by another file" in line)
    assert server.post(make("c")).status == 503
    aside.rename(place)
    server.wait_log(event="store_recovered")
    assert server.post(event).header("Sluice-Duplicate") == "true"
    assert server.post(make("b")).status == 200


def test_nothing_is_taken_once_a_sink_finds_no_database(stored):
    server = stored(sinks=[{"name": "archive", "kind": "file", "path": "records.ndjson"}])
    with open(server.folder / STORE, "r+b") as store:
        head = store.read(100)
        store.seek(0)
        store.write(bytes(len(head)))
        store.flush()
        events = [make(f"e{i}") for i in range(5)]
        taken = [event for event in events if server.post(event).status == 200]
        wait_for(lambda: not server.get("/readyz").json["ready"])
        answer = server.post(make("later"))
        assert (answer.status, answer.json["details"]) == (503, "store failing")
        store.seek(0)
        store.write(head)
    wait_for(lambda: server.get("/readyz").json["ready"])
    for event in taken:
        assert server.post(event).header("Sluice-Duplicate") == "true"
    assert server.post(make("later")).status == 200
    delivered = 'sluice_sink_delivered_total{sink="archive"}'
    accepted = server.metric("sluice_store_accepted_total")
    assert accepted >= len(taken) + 1
    wait_for(lambda: server.metric(delivered) == accepted)


def test_explain_leaves_the_store_alone(stored, event):
    server = stored()
    result = run(
        "explain", "-c", server.file, cwd=server.folder, stdin=json.dumps(event)
    )
    assert result.returncode == 0
    assert server.metric("sluice_store_accepted_total") == 0
