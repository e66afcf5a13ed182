"""Sinks that a reload adds, changes and removes, while events and deliveries are under way."""

import json

import pytest

from certificates import make_pair, trusting
from load import Load
from server import run, wait_for
from test_admin import KEY, Admin
from test_no_store import NONE, Gate, named
from test_reload import reload, rewrite
from test_route_sinks import STORE, arrive, post, routes
from test_sinks import counters, hook, ids, name

CHANGES = ("sinks_added", "sinks_removed", "sinks_changed")


def change(server, **config):
    """Reload with this configuration. Returns what the log says of the sinks."""
    rewrite(server, **config)
    line = reload(server)
    return {key: line[key] for key in CHANGES if key in line}


def pumps(server):
    """The sinks whose pumps have series."""
    lines = server.get("/metrics").body.decode().splitlines()
    return {
        line.split('"')[1] for line in lines if line.startswith("sluice_sink_deliveries_in_flight{")
    }


def is_known(server, sink):
    return f'sluice_sink_pending{{sink="{sink}"}}' in server.get("/metrics").body.decode()


def post_until_at(server, event, receiver):
    """Post events until one of them has come there, and all are delivered. Returns their ids: the deliveries under
    way at a reload end with the settings of before."""
    sent = []

    def has_come():
        sent.append(f"c{len(sent)}")
        post(server, event, "s", sent[-1:])
        return receiver.records

    wait_for(has_come)
    wait_for(lambda: counters(server, "left")["pending"] == 0)
    return sent


@pytest.mark.parametrize("store", (STORE, NONE), ids=("store", "no store"))
def test_sinks_come_change_and_go(sluice, event, receiver, store):
    left, right, other = receiver(), receiver(), receiver()
    server = sluice(store=store, sinks=[hook(left, name="left")])
    post(server, event, "s", ["a"])
    both = [hook(right, name="right"), hook(left, name="left")]
    assert change(server, store=store, sinks=both) == {"sinks_added": "right"}
    post(server, event, "s", ["b"])
    arrive(left, ["a", "b"])
    arrive(right, ["b"])
    moved = [hook(right, name="right"), hook(other, name="left")]
    assert change(server, store=store, sinks=moved) == {"sinks_changed": "left"}
    sent = post_until_at(server, event, other)
    arrive(right, ["b", *sent])
    at_other = ids(other.records)
    assert pumps(server) == {"left", "right"}
    assert change(server, store=store, sinks=moved[1:]) == {"sinks_removed": "right"}
    assert change(server, store=store, sinks=moved[1:]) == {}
    post(server, event, "s", ["d"])
    arrive(other, [*at_other, "d"])
    assert {*ids(left.records), *ids(other.records)} == {"a", "b", *sent, "d"}
    assert "d" not in ids(right.records)
    assert pumps(server) == {"left"}
    if store == NONE:
        wait_for(lambda: not is_known(server, "right"))


def test_a_removed_sink_gets_its_backlog_when_it_is_back(sluice, event, receiver):
    keep, down = receiver(), receiver()
    down.plan = lambda records: (503, {})
    always, at_times = hook(keep, name="keep"), hook(down, name="down")
    server = sluice(store=STORE, sinks=[at_times, always])
    post(server, event, "s", name("a", 3))
    change(server, store=STORE, sinks=[always])
    assert server.wait_log(event="sink_removed", sink="down")["pending"] == 3
    post(server, event, "s", name("b", 3))
    arrive(keep, name("a", 3) + name("b", 3))
    assert counters(server, "down")["pending"] == 3
    down.plan = lambda records: (200, {})
    assert change(server, store=STORE, sinks=[always, at_times]) == {"sinks_added": "down"}
    post(server, event, "s", ["c"])
    arrive(down, name("a", 3) + ["c"])
    change(server, store=STORE, sinks=[always])
    wait_for(lambda: counters(server, "down")["pending"] == 0)
    wait_for(
        lambda: (
            run("outbox", "drop-sink", "down", "-c", server.file, cwd=server.folder).returncode == 0
        )
    )
    assert not is_known(server, "down")


def test_a_call_under_way_ends_before_the_change(sluice, event, receiver):
    before, after = receiver(), receiver()
    gate = Gate(before)
    server = sluice(store=STORE, sinks=[hook(before, ordered=True, batch=1)])
    post(server, event, "s", name("a", 3))
    gate.await_record()
    change(server, store=STORE, sinks=[hook(after, ordered=True, batch=1)])
    post(server, event, "s", ["b"])
    gate.open()
    # After five seconds the call would be interrupted, and its record delivered again.
    wait_for(lambda: ids(after.records)[-3:] == ["a1", "a2", "b"])
    assert "a0" in ids(before.records) + ids(after.records)
    wait_for(lambda: counters(server, "hook")["delivered"] == 4)


def test_a_sink_that_cannot_be_made_changes_nothing(sluice, event, receiver):
    there = receiver()
    sinks = [hook(there)]
    server = sluice(store=STORE, sinks=sinks)
    bad = {
        "sinks[1].ca_file": hook(there, name="b", ca_file="nowhere.pem"),
        "sinks[1].path": {"name": "b", "kind": "file", "path": "var/sluice.db"},
        "sink b: ": {"name": "b", "kind": "sqs", "queue_url": "http://127.0.0.1:1/1/q"},
    }
    for i, (key, sink) in enumerate(bad.items()):
        rewrite(server, store=STORE, sinks=[*sinks, sink])
        assert key in reload(server, "reload_failed")["error"]
        post(server, event, "s", [f"a{i}"])
    arrive(there, name("a", len(bad)))
    assert not is_known(server, "b")
    assert change(server, store=STORE, sinks=sinks) == {}


def test_a_certificate_that_cannot_be_used_adds_no_sink(sluice, folder, receiver):
    pair, other = make_pair(folder, "pair"), make_pair(folder, "other")
    sinks = [hook(receiver())]
    server = sluice(store=STORE, sinks=sinks, http={"tls": pair})
    server.context = trusting(pair)
    added = [*sinks, hook(receiver(), name="b")]
    rewrite(server, store=STORE, sinks=added, http={"tls": pair | {"key_file": other["key_file"]}})
    assert "http.tls" in reload(server, "reload_failed")["error"]
    assert not is_known(server, "b")
    assert change(server, store=STORE, sinks=added, http={"tls": pair}) == {"sinks_added": "b"}
    assert is_known(server, "b")


def test_without_a_store_there_must_be_sinks_from_the_start(sluice, event, receiver):
    server = sluice(store=NONE)
    rewrite(server, store=NONE, sinks=[hook(receiver())])
    assert "sinks: without a store" in reload(server, "reload_failed")["error"]
    assert server.post(event).status == 200


def test_a_new_sink_can_start_with_the_history(sluice, event, receiver):
    left, right = receiver(), receiver()
    store = STORE | {"history": "1h"}
    server = sluice(store=store, routes=routes(s=[], t=["left"]), sinks=[hook(left, name="left")])
    post(server, event, "s", name("a", 3))
    post(server, event, "t", ["other"])
    wait_for(lambda: counters(server, "left")["delivered"] == 4)
    change(
        server,
        store=store,
        routes=routes(s=[], t=["left"]),
        sinks=[hook(left, name="left"), hook(right, name="right", start="history")],
    )
    post(server, event, "s", ["b"])
    arrive(right, name("a", 3) + ["b"])


def test_explain_names_the_sinks_after_a_reload(sluice, folder, event, receiver):
    (folder / "key").write_text("operator-key\n")
    common = {
        "store": STORE,
        "admin": {"listen": "127.0.0.1:0", "api_keys": [{"value_file": "key"}]},
        "routes": routes(s=["left"], t=["right"]),
    }
    sinks = [hook(receiver(), name="left"), hook(receiver(), name="right")]
    server = sluice(**common, sinks=sinks)
    change(server, **common, sinks=sinks[::-1])  # now no sink has its index as its slot
    told = Admin(server).post("/api/v1/explain", event | {"source": "s"}, KEY).json["explanation"]
    assert [step["sinks"] for step in told["steps"] if "sinks" in step] == [[["left"]]]


@pytest.mark.parametrize("store", (STORE, NONE), ids=("store", "no store"))
def test_nothing_is_lost_while_sinks_come_and_go(sluice, event, receiver, store):
    """One sink stays, one is changed by each reload, one comes and goes."""
    there, guest = receiver(), receiver()
    archive = {"name": "archive", "kind": "file", "path": "var/records.ndjson"}
    server = sluice(store=store, sinks=[archive, hook(there, batch=1)])
    with Load(server.connect, event, clients=3) as load:
        for i in range(6):
            extra = [hook(guest, name="guest")] if i % 2 == 0 else []
            changed = hook(there, batch=1 + (i + 1) % 2)
            change(server, store=store, sinks=[*extra, archive, changed])
            accepted = load.accepted
            wait_for(lambda: load.accepted > accepted + 10 or load.faults)
    assert not load.faults
    assert set(load.statuses) == {200}
    assert guest.records
    for sink in ("archive", "hook"):
        wait_for(lambda: counters(server, sink)["delivered"] == load.accepted)
    lines = (server.folder / "var/records.ndjson").read_text().splitlines()
    assert len([json.loads(line) for line in lines]) == load.accepted
    assert len(there.records) >= load.accepted


def test_a_request_under_way_keeps_its_sinks(sluice, event, receiver):
    """It began under a configuration whose route names a sink that is gone when its body arrives."""
    left, right = receiver(), receiver()
    common = {"store": STORE, "http": {"deadline": "60s"}}
    server = sluice(**common, routes=routes(s=["left"]), sinks=[hook(left, name="left")])
    body = json.dumps(named(event, "late") | {"source": "s"}).encode()
    with server.connect() as connection:
        connection.send(
            b"POST /events HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
        )
        connection.more()  # 100 Continue: the server has read the head
        change(server, **common, routes=routes(s=["right"]), sinks=[hook(right, name="right")])
        post(server, event, "s", ["new"])
        connection.send(body)
        assert connection.answer().status == 200
    arrive(right, ["new"])
    waits = server.wait_log(event="sink_removed", sink="left")["pending"]
    assert waits + len(left.records) >= counters(server, "left")["enqueued"] == 1
    assert counters(server, "right")["enqueued"] == 1
