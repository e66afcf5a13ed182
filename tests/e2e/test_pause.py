"""`sluice outbox pause` and `resume`: a paused sink gets nothing and keeps its backlog."""

import json
import time

from server import Server, defaults, merge, run, wait_for
from test_sinks import counters, hook, ids, name, post

STORE = {"path": "var/sluice.db"}
QUIET = 0.3  # seconds in which nothing must arrive


def outbox(server, *args):
    return run("outbox", *args, "-c", server.file, cwd=server.folder)


def status(server, sink):
    sinks = json.loads(outbox(server, "status", "--json").stdout)["sinks"]
    return next(one for one in sinks if one["name"] == sink)


def test_a_paused_sink_keeps_its_backlog(sluice, event, receiver):
    there, other = receiver(), receiver()
    sinks = [hook(there), hook(other, name="other")]
    server = sluice(store=STORE, sinks=sinks)
    post(server, event, ["before"])
    wait_for(lambda: ids(there.records) == ["before"])
    assert outbox(server, "pause", "hook").returncode == 0
    assert server.wait_log(event="sink_paused")["sink"] == "hook"
    post(server, event, name("a", 5))
    wait_for(lambda: len(other.records) == 6)
    time.sleep(QUIET)
    assert ids(there.records) == ["before"]
    assert counters(server, "hook")["pending"] == 5
    assert server.metric('sluice_sink_paused{sink="hook"}') == 1
    assert server.metric('sluice_sink_paused{sink="other"}') == 0
    assert status(server, "hook")["paused"] and not status(server, "other")["paused"]
    assert "paused" in outbox(server, "status").stdout
    server.stop()

    config = merge(defaults(), {"store": STORE, "sinks": sinks})
    server = Server(server.folder, config).wait_ready()
    time.sleep(QUIET)
    assert ids(there.records) == ["before"]
    assert outbox(server, "resume", "hook").returncode == 0
    wait_for(lambda: sorted(ids(there.records)) == sorted(["before", *name("a", 5)]))
    assert server.metric('sluice_sink_paused{sink="hook"}') == 0
    server.stop()


def test_retries_wait_too(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (400, {})
    server = sluice(store=STORE, sinks=[hook(there, max_attempts=0)])
    post(server, event, ["a"])
    wait_for(lambda: len(there.requests) > 1)
    assert outbox(server, "pause", "hook").returncode == 0
    time.sleep(QUIET)  # what was under way has ended
    count = len(there.requests)
    time.sleep(QUIET)
    assert len(there.requests) == count
    there.plan = lambda records: (200, {})
    assert outbox(server, "resume", "hook").returncode == 0
    wait_for(lambda: ids(there.records) == ["a"])


def test_a_sink_is_paused_without_a_server(sluice, event, receiver):
    there = receiver()
    sinks = [hook(there)]
    server = sluice(store=STORE, sinks=sinks)
    post(server, event, ["a"])
    wait_for(lambda: counters(server, "hook")["delivered"] == 1)
    server.stop()
    assert outbox(server, "pause", "hook").returncode == 0
    assert status(server, "hook")["paused"]
    assert outbox(server, "resume", "hook").returncode == 0
    assert not status(server, "hook")["paused"]


def test_only_sinks_of_the_store_can_be_paused(sluice):
    server = sluice(store=STORE)
    result = outbox(server, "pause", "nowhere")
    assert result.returncode == 1 and "the store has no sink nowhere" in result.stderr
    assert outbox(server, "pause").returncode == 2
    assert outbox(server, "resume", "a", "b").returncode == 2
