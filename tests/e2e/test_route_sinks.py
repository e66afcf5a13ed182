"""route.sinks: a record waits for the sinks of its route, and for no other."""

import json

import pytest

from server import TRANSFORM, Server, defaults, merge, put_transform, route, run, wait_for
from test_no_store import DEADLINE, NONE, named, refused
from test_reload import reload, rewrite
from test_sinks import counters, hook, ids, name

STORE = {"path": "var/sluice.db"}


def routes(**sinks):
    """A route for each source, with the names of its sinks."""
    return [
        route(name=source, match={"source": source}, sinks=names) for source, names in sinks.items()
    ]


def post(server, event, source, names):
    """Post one event for each name. Each must be answered 200."""
    for one in names:
        assert server.post(named(event, one) | {"source": source}).status == 200


def arrive(receiver, names):
    wait_for(lambda: sorted(ids(receiver.records)) == sorted(names), f"{names} at {receiver.url}")


@pytest.mark.parametrize("store", (STORE, NONE), ids=("store", "no store"))
def test_a_record_goes_to_the_sinks_of_its_route(sluice, event, receiver, store):
    left, right = receiver(), receiver()
    server = sluice(
        store=store,
        routes=routes(left=["left"], right=["right"], both=["left", "right"], all=[]),
        sinks=[hook(left, name="left"), hook(right, name="right")],
    )
    for source in ("left", "right", "both", "all"):
        post(server, event, source, name(source, 5))
    arrive(left, name("left", 5) + name("both", 5) + name("all", 5))
    arrive(right, name("right", 5) + name("both", 5) + name("all", 5))
    for sink in ("left", "right"):
        wait_for(lambda: counters(server, sink)["delivered"] == 15)
        assert counters(server, sink)["enqueued"] == 15


def test_a_sink_that_is_down_keeps_its_own_records_alone(sluice, event, receiver):
    left, right = receiver(), receiver()
    left.plan = lambda records: (503, {})
    server = sluice(
        store=STORE,
        routes=routes(left=["left"], right=["right"]),
        sinks=[hook(left, name="left", ordered=True), hook(right, name="right")],
    )
    for one in range(3):
        post(server, event, "left", [f"a{one}"])
        post(server, event, "right", name(f"b{one}-", 10))
    wait_for(lambda: counters(server, "right")["delivered"] == 30)
    post(server, event, "right", ["last"])
    wait_for(lambda: counters(server, "right")["delivered"] == 31)
    assert counters(server, "left")["pending"] == 3
    left.plan = lambda records: (200, {})
    arrive(left, name("a", 3))
    assert ids(left.records) == name("a", 3)
    wait_for(lambda: counters(server, "left")["pending"] == 0)


def test_without_a_store_200_waits_for_the_sinks_of_the_route(sluice, event, receiver):
    up, down = receiver(), receiver()
    down.plan = lambda records: (503, {})
    server = sluice(
        store=NONE,
        http=DEADLINE,
        routes=routes(up=["up"], down=["up", "down"]),
        sinks=[hook(up, name="up"), hook(down, name="down")],
    )
    post(server, event, "up", name("a", 3))
    answer = server.post(named(event, "b") | {"source": "down"})
    assert (answer.status, answer.json) == (503, refused("deadline"))
    post(server, event, "up", name("c", 3))
    assert counters(server, "down")["enqueued"] == 1


def test_a_reload_changes_who_gets_new_records(sluice, event, receiver):
    left, right = receiver(), receiver()
    sinks = [hook(left, name="left"), hook(right, name="right")]
    server = sluice(store=STORE, routes=routes(s=["left"]), sinks=sinks)
    assert server.wait_log(event="sink_never_reached")["sink"] == "right"
    post(server, event, "s", ["a"])
    rewrite(server, store=STORE, routes=routes(s=["right"]), sinks=sinks)
    reload(server)
    post(server, event, "s", ["b"])
    arrive(left, ["a"])
    arrive(right, ["b"])


def test_the_order_of_the_sinks_may_change(sluice, event, receiver):
    """Records that wait name their sinks, not places in the configuration."""
    left, right = receiver(), receiver()
    right.plan = lambda records: (503, {})
    sinks = [hook(left, name="left"), hook(right, name="right")]
    server = sluice(store=STORE, routes=routes(s=["right"]), sinks=sinks)
    post(server, event, "s", name("a", 3))
    server.stop()
    right.plan = lambda records: (200, {})
    config = {"store": STORE, "routes": routes(s=["right"]), "sinks": sinks[::-1]}
    successor = Server(server.folder, merge(defaults(), config)).wait_ready()
    arrive(right, name("a", 3))
    successor.stop()
    assert not left.records


def check(folder, **changes):
    config = merge(defaults(), changes)
    (folder / "check.yaml").write_text(json.dumps(config))
    return run("check", "-c", "check.yaml", cwd=folder)


def test_check_finds_names_that_do_not_fit(folder, receiver):
    sinks = [hook(receiver(), name="left"), hook(receiver(), name="right")]
    result = check(folder, routes=routes(a=["left", "write"], b=["right"]), sinks=sinks)
    assert result.returncode == 1
    assert "routes[0].sinks[1]: there is no sink write" in result.stdout + result.stderr
    result = check(folder, routes=routes(a=["left"], b=["left"]), sinks=sinks)
    assert result.returncode == 1
    assert "sinks[1].name: gets no records: no route names this sink" in result.stdout + result.stderr
    result = check(folder, routes=routes(a=["left"], b=[]), sinks=sinks)
    assert "sinks[1]" not in result.stdout + result.stderr
    twice = routes(a=[]) + routes(a=[])
    twice[1]["match"] = {"source": "b"}
    result = check(folder, routes=twice, sinks=sinks)
    assert "routes[1].name: another route has this name already" in result.stdout + result.stderr


def test_outputs_are_several_records_of_one_event(folder, sluice, event, receiver):
    """All of an event's records survive a kill, and a replay by route finds each."""
    one, two = receiver(), receiver()
    two.plan = lambda records: (503, {})
    short = put_transform(folder, "short", [{"name": "interaction_id", "from": "/interaction/id"}])
    outputs = [{"transform": TRANSFORM, "sinks": ["one"]}, {"transform": short, "sinks": ["two"]}]
    changed = route(name="r", outputs=outputs)
    del changed["transform"]
    config = {
        "store": STORE | {"history": "1h"},
        "routes": [changed],
        "sinks": [hook(one, name="one"), hook(two, name="two")],
    }
    server = sluice(**config)
    answers = [server.post(named(event, f"e{i}")) for i in (1, 2, 2)]
    assert [answer.json["interaction_id"] for answer in answers] == ["e1", "e2", "e2"]
    assert [answer.header("Sluice-Duplicate") for answer in answers] == [None, None, "true"]
    bad = named(event, "e3")
    bad["detail"]["interaction"]["id"] = 5
    assert server.post(bad).status == 400
    arrive(one, ["e1", "e2"])
    server.discard()  # by SIGKILL
    two.plan = lambda records: (200, {})
    server = Server(server.folder, merge(defaults(), config)).wait_ready()
    arrive(two, ["e1", "e2"])
    assert all(list(record) == ["interaction_id"] for record in two.records)
    wait_for(lambda: counters(server, "two")["pending"] == 0)
    order = ("outbox", "replay", "-c", "sluice.yaml", "--sink", "two", "--since", "1h")
    replay = run(*order, "--route", "r", cwd=server.folder)
    assert replay.returncode == 0, replay.stderr
    arrive(two, ["e1", "e2", "e1", "e2"])
    server.stop()
