"""store.history: delivered records stay, and `sluice outbox replay` delivers them again."""

import contextlib
import json
import sqlite3
import time

from server import Server, defaults, merge, route, run, wait_for
from test_route_sinks import routes
from test_no_store import named
from test_sinks import counters, hook, ids, name, post

STORE = {"path": "var/sluice.db", "history": "1h"}
QUIET = 0.3  # seconds in which nothing must arrive


def outbox(server, *args):
    return run("outbox", *args, "-c", server.file, cwd=server.folder)


def replay(server, *args, since="1h"):
    """How many records the command says that it found."""
    result = outbox(server, "replay", "--sink", "hook", "--since", since, *args)
    assert result.returncode == 0, result.stderr
    return int(result.stdout.split()[0])


def again(server, **changes):
    """Start a server in the folder of `server`, which has ended."""
    return Server(server.folder, merge(defaults(), changes)).wait_ready()


def settled(server, sink, count):
    wait_for(lambda: counters(server, sink)["delivered"] == count, f"{count} records at {sink}")


def history(server):
    return server.metric("sluice_store_history_bytes")


def corrections(server):
    return server.metric("sluice_store_counters_corrected_total")


def test_records_are_delivered_again(sluice, event, receiver):
    there = receiver()
    server = sluice(store=STORE, sinks=[hook(there)])
    post(server, event, name("a", 5))
    settled(server, "hook", 5)
    post(server, event, ["last"])  # what is passed becomes history with a later transaction
    settled(server, "hook", 6)
    assert replay(server, "--dry-run") == 6
    assert counters(server, "hook")["enqueued"] == 6
    first = {json.dumps(record) for record in there.records}
    assert replay(server) == 6
    settled(server, "hook", 12)
    assert counters(server, "hook")["enqueued"] == 12
    assert {json.dumps(record) for record in there.records} == first  # the same bytes
    wait_for(lambda: history(server) > 0 and server.metric("sluice_sink_pending{sink=\"hook\"}") == 0)
    status = json.loads(outbox(server, "status", "--json").stdout)
    assert status["history_bytes"] > 0
    assert "history " in outbox(server, "status").stdout
    assert server.post(event).header("Sluice-Duplicate") == "true"
    assert corrections(server) == 0


def test_the_time_bounds_a_replay(sluice, event, receiver):
    there = receiver()
    server = sluice(store=STORE, sinks=[hook(there)])
    post(server, event, ["old"])
    time.sleep(1.1)
    middle = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    post(server, event, ["new"])
    settled(server, "hook", 2)
    assert replay(server, "--dry-run", since=middle) == 1
    assert replay(server, "--dry-run", "--until", middle) == 1
    assert replay(server, "--until", middle) == 1
    settled(server, "hook", 3)
    assert ids(there.records) == ["old", "new", "old"]


def test_a_replay_survives_kill(sluice, event, receiver):
    there = receiver()
    sinks = [hook(there)]
    server = sluice(store=STORE, sinks=sinks)
    post(server, event, name("a", 5))
    settled(server, "hook", 5)
    assert outbox(server, "pause", "hook").returncode == 0
    assert replay(server) == 5
    server.discard()
    server = again(server, store=STORE, sinks=sinks)
    assert counters(server, "hook")["pending"] == 5
    assert outbox(server, "resume", "hook").returncode == 0
    settled(server, "hook", 10)
    server.stop()


def test_a_route_is_replayed_alone_and_a_sink_gets_its_routes(sluice, event, receiver):
    there, other = receiver(), receiver()
    sinks = [hook(there), hook(other, name="other")]
    server = sluice(store=STORE, routes=routes(a=["hook"], b=["hook"], c=["other"]), sinks=sinks)
    for source in "abc":
        for one in name(source, 3):
            assert server.post(named(event, one) | {"source": source}).status == 200
    settled(server, "hook", 6)
    settled(server, "other", 3)
    assert replay(server, "--dry-run") == 6
    assert replay(server, "--route", "a") == 3
    settled(server, "hook", 9)
    assert sorted(ids(there.records)[6:]) == name("a", 3)
    assert replay(server, "--route", "c") == 3  # an operator says so
    settled(server, "hook", 12)
    assert corrections(server) == 0


def test_a_new_sink_starts_with_the_history(sluice, event, receiver):
    there, late, later = receiver(), receiver(), receiver()
    sinks = [hook(there)]
    config = {"store": STORE, "routes": routes(a=[], b=["hook"])}
    server = sluice(sinks=sinks, **config)
    for source in "ab":
        for one in name(source, 50):
            assert server.post(named(event, one) | {"source": source}).status == 200
    settled(server, "hook", 100)
    server.stop()
    sinks += [hook(late, name="late", start="history"), hook(later, name="later", start="now")]
    server = again(server, sinks=sinks, **config)
    settled(server, "late", 50)
    assert sorted(ids(late.records)) == sorted(name("a", 50))
    post(server, event | {"source": "a"}, ["after"])
    settled(server, "late", 51)
    settled(server, "later", 1)
    server.stop()
    server = again(server, sinks=sinks, **config)  # it is not new any more
    post(server, event | {"source": "a"}, ["more"])
    settled(server, "late", 52)
    assert counters(server, "late")["enqueued"] == 52
    assert replay(server, "--dry-run") == 102
    server.stop()


def test_the_history_is_bounded(sluice, event, receiver):
    there = receiver()
    server = sluice(store=STORE | {"history_max_size": "10KiB"}, sinks=[hook(there)])
    for part in range(10):
        post(server, event, name(f"{part}-", 10))
    settled(server, "hook", 100)
    post(server, event, ["last"])
    wait_for(lambda: 0 < history(server) <= 10240)
    count = replay(server)
    assert 5 < count < 30
    settled(server, "hook", 101 + count)
    assert "last" in ids(there.records)[101:]  # the oldest are deleted first
    assert "0-0" not in ids(there.records)[101:]
    assert corrections(server) == 0


def test_old_records_leave_the_history(sluice, event, receiver):
    there = receiver()
    sinks = [hook(there)]
    server = sluice(store=STORE, sinks=sinks)
    post(server, event, name("a", 10))
    settled(server, "hook", 10)
    server.stop()
    with contextlib.closing(sqlite3.connect(server.folder / "var/sluice.db")) as store:
        store.execute("UPDATE record SET accepted_us = accepted_us - 7200000000 WHERE seq <= 6")
        store.commit()
    server = again(server, store=STORE, sinks=sinks)
    wait_for(lambda: replay(server, "--dry-run", since="3h") == 4)
    assert corrections(server) == 0
    server.stop()
    server = again(server, store=STORE | {"history": "0s"}, sinks=sinks)
    wait_for(lambda: history(server) == 0)
    post(server, event, ["b"])
    settled(server, "hook", 11)
    assert replay(server) == 0
    assert corrections(server) == 0
    server.stop()


def test_dead_records_and_the_history(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (400, {})
    server = sluice(store=STORE, sinks=[hook(there, max_attempts=1)])
    post(server, event, name("a", 3))
    wait_for(lambda: counters(server, "hook")["dead"] == 3)
    there.plan = lambda records: (200, {})
    assert run("dead", "replay", "-c", server.file, cwd=server.folder).returncode == 0
    settled(server, "hook", 3)
    assert replay(server) == 3
    settled(server, "hook", 6)
    assert server.metric("sluice_store_dead_bytes") == 0
    assert corrections(server) == 0


def test_a_wrong_call_says_what_is_missing(sluice, receiver):
    server = sluice(store=STORE, sinks=[hook(receiver())])
    assert outbox(server, "replay", "--sink", "hook").returncode == 2
    assert outbox(server, "replay", "--since", "1h").returncode == 2
    assert outbox(server, "status", "--since", "1h").returncode == 2
    assert outbox(server, "replay", "--sink", "hook", "--since", "1h", "--route", 'a"').returncode == 2
    result = outbox(server, "replay", "--sink", "nowhere", "--since", "1h")
    assert result.returncode == 1 and "no configured sink nowhere" in result.stderr
    result = outbox(server, "replay", "--sink", "hook", "--since", "1h", "--route", "gone")
    assert result.returncode == 0 and "no route has this name now" in result.stderr


def test_without_a_server_records_wait_for_its_start(sluice, event, receiver):
    there = receiver()
    sinks = [hook(there)]
    server = sluice(store=STORE, sinks=sinks, routes=[route(name="r")])
    post(server, event, name("a", 3))
    settled(server, "hook", 3)
    server.stop()
    assert replay(server) == 3
    server = again(server, store=STORE, sinks=sinks, routes=[route(name="r")])
    settled(server, "hook", 6)
    server.stop()
