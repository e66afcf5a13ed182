"""The S3 sink: each record in exactly one object, in objects that others can read."""

import json
import signal
import time

import pytest

from s3_target import CONFIGURATION, FAULTS, RANGE, S3Target
from server import SLOW, run, wait_for
from test_sinks import STORE, arrives, counters, ids, name, post

SUFFIXES = {"none": ".ndjson", "gzip": ".ndjson.gz", "zstd": ".ndjson.zst"}


@pytest.fixture
def peer():
    with S3Target() as peer:
        yield peer


@pytest.fixture
def start(sluice, peer):
    """`start(prefix="a/")` starts a server with a sink that writes to the peer, with these keys."""

    def serve(**keys):
        return sluice(env=peer.environment(), store=STORE, sinks=[peer.sink(**keys)])

    return serve


def restart(server):
    return type(server)(server.folder, None, text=server.file.read_text(), env=server.env).wait_ready()


@pytest.mark.parametrize("compression", SUFFIXES)
def test_records_arrive_as_lines_of_objects(start, peer, event, compression):
    server = start(prefix="in/", compression=compression)
    post(server, event, name("e", 20))
    assert arrives(server, "lake")["delivered"] == 20
    assert sorted(ids(peer.records())) == sorted(name("e", 20))
    assert all(key.startswith("in/") and key.endswith(SUFFIXES[compression]) for key in peer.keys())


def test_a_prefix_comes_from_the_record(start, peer, event):
    server = start(
        prefix="{/channel_type}/dt={time:%Y-%m-%d}/hour={time:%H}/", time="/start_time", compression="none"
    )
    for number, (channel, time_) in enumerate(
        [("voice", "2026-03-04T05:06:07Z"), ("chat", "2026-03-04T05:06:07Z"), ("voice", "2026-03-04T23:59:59-02:00")]
    ):
        event["detail"]["interaction"]["channel_type"] = channel
        event["detail"]["interaction"]["start_time"] = time_
        post(server, event, [f"e{number}"])
    arrives(server, "lake")
    assert sorted(key.rpartition("/")[0] for key in peer.keys()) == [
        "chat/dt=2026-03-04/hour=05",
        "voice/dt=2026-03-04/hour=05",
        "voice/dt=2026-03-05/hour=01",
    ]


def test_what_senders_write_stays_in_its_place(start, peer, event):
    server = start(prefix="in/{/queue_name}/", compression="none")
    values = ["../../out", "..", ".", "a//b", "x\u0000\n\u0085y", "é/%2F", "q=1/dt=2"]
    for number, value in enumerate(values):
        event["detail"]["interaction"]["routing"]["queue_name"] = value
        post(server, event, [f"e{number}"])
    assert arrives(server, "lake")["delivered"] == len(values)
    assert all(key.startswith("in/") and key.count("/") == 2 for key in peer.keys())


def test_a_record_without_a_place_is_set_aside_alone(start, peer, event):
    server = start(prefix="{/customer_name}/", compression="none")
    names = {"good": "x", "long": "y" * 1500, "fine": "z"}
    for one, value in names.items():
        event["detail"]["interaction"]["customer"]["name"] = value
        post(server, event, [one])
    del event["detail"]["interaction"]["customer"]["name"]
    post(server, event, ["absent"])
    wait_for(lambda: counters(server, "lake")["dead"] == 2, "two dead records")
    arrives(server, "lake")
    assert sorted(ids(peer.records())) == ["fine", "good"]


def test_objects_are_as_large_and_as_old_as_they_may_be(start, peer, event):
    server = start(compression="none", max_age="60s", max_bytes="64KiB")
    count = 0
    while count < 600:  # about 300 bytes each
        post(server, event, [f"e{count}"])
        count += 1
    peer.wait(lambda peer: len(peer.objects) >= 2)
    sizes = [len(one.body) for one in peer.objects.values()]
    assert all(60 * 1024 < size <= 64 * 1024 for size in sizes), sizes
    assert counters(server, "lake")["pending"] > 0
    server.stop()  # the drain writes the rest
    assert sorted(ids(peer.records())) == sorted(name("e", count))


def test_many_prefixes_come_one_after_the_other(start, peer, event):
    server = start(prefix="{/interaction_id}/", compression="none", max_age="300ms")
    post(server, event, name("e", 150))
    assert arrives(server, "lake")["delivered"] == 150
    assert sorted(ids(peer.records())) == sorted(name("e", 150))
    assert len(peer.keys()) == 150


# Failures.


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_is_not_about_records_is_waited_out(start, peer, event, fault):
    server = start(max_attempts=1)
    peer.plan = lambda method, key: fault
    post(server, event, name("e", 5))
    peer.wait(lambda peer: len(peer.calls) > 3)
    found = counters(server, "lake")
    assert (found["dead"], found["pending"]) == (0, 5)
    said = "sink_misconfigured" if fault in CONFIGURATION else "sink_failed"
    line = server.wait_log(event=said, sink="lake")
    assert FAULTS[fault][1] in line["reason"] and "told by the test" in line["reason"]
    assert ("eu-south-1" in line["reason"]) == (fault in ("moved", "region"))
    attempts = 'sluice_sink_attempts_total{sink="lake",result="misconfigured"}'
    assert (server.metric(attempts) > 0) == (fault in CONFIGURATION)
    peer.plan = None
    assert arrives(server, "lake")["delivered"] == 5
    assert sorted(ids(peer.records())) == sorted(name("e", 5))


@pytest.mark.parametrize("fault", ["lost", "reset", "hang", "overwrite"])
def test_an_unknown_outcome_repeats_no_record(start, peer, event, fault):
    server = start(timeout="300ms", prefix="{/channel_type}/")
    hits = []

    def plan(method, key):
        if method == "PUT" and len(hits) < 3:
            hits.append(key)
            return fault
        return "overwrite" if fault == "overwrite" else None

    peer.plan = plan
    for number in range(12):
        event["detail"]["interaction"]["channel_type"] = ["voice", "chat", "mail"][number % 3]
        post(server, event, [f"e{number}"])
    assert arrives(server, "lake")["delivered"] == 12
    assert sorted(ids(peer.records())) == sorted(name("e", 12))


def test_a_foreign_object_is_left_alone(start, peer, event):
    server = start(compression="none")
    post(server, event, ["e0"])
    arrives(server, "lake")
    first = peer.keys()[0]
    store, number = first.split(".")[0].split("-")
    taken = f"{store}-{int(number) + 1:012}.ndjson"
    with peer.changed:
        peer.objects[taken] = type(peer.objects[first])(b"theirs\n", {})
    post(server, event, ["e1"])
    arrives(server, "lake")
    beside = [key for key in peer.keys() if key not in (first, taken)]
    assert len(beside) == 1 and beside[0].startswith(taken.removesuffix(".ndjson") + "-")
    assert peer.objects[taken].body == b"theirs\n"
    assert json.loads(peer.objects[beside[0]].body)["interaction_id"] == "e1"


def test_a_bucket_that_does_not_let_look_has_every_record(start, peer, event):
    server = start(compression="none")
    lost = []

    def plan(method, key):
        if method == "HEAD":
            return "denied"
        if not lost:
            lost.append(key)
            return "lost"
        return None

    peer.plan = plan
    post(server, event, ["e0"])
    arrives(server, "lake")
    assert set(ids(peer.records())) == {"e0"}


# Start, stop and kill.


def test_a_hanging_bucket_does_not_hold_the_server(start, peer, event):
    server = start(timeout="600s")
    peer.plan = lambda method, key: "hang"
    post(server, event, name("e", 3))
    peer.wait(lambda peer: peer.calls)
    assert server.get("/readyz").status == 200
    before = time.monotonic()
    server.stop()
    assert time.monotonic() - before < 8 * SLOW
    peer.plan = None
    server = restart(server)
    arrives(server, "lake")
    assert sorted(ids(peer.records())) == name("e", 3)
    server.stop()


def test_killed_again_and_again_each_record_is_in_one_object(start, peer, event):
    """Twenty times: the server is killed while it writes, some answers are lost, and prefixes mix."""
    server = start(prefix="{/channel_type}/", max_age="20ms", max_bytes="8KiB", compression="none", timeout="1s")
    posted = 0
    peer.delay = 0.005

    def plan(method, key):
        return [None, None, "lost", None, "busy"][len(peer.calls) % 5]

    peer.plan = plan
    for kill in range(20):
        for _ in range(15):
            event["detail"]["interaction"]["channel_type"] = ["voice", "chat", "mail"][posted % 3]
            post(server, event, [f"e{posted}"])
            posted += 1
        calls = len(peer.calls)
        peer.wait(lambda peer, calls=calls, kill=kill: len(peer.calls) > calls + kill % 4)
        server.signal(signal.SIGKILL)
        server.discard()
        server = restart(server)
    peer.plan = None
    arrives(server, "lake")
    found = sorted(ids(peer.records()))
    assert found == sorted(name("e", posted))
    server.stop()
    firsts = [int(one.headers[RANGE].split("-")[0]) for one in peer.objects.values()]
    assert len(set(firsts)) == len(firsts)


# The configuration.


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"bucket": "a"}, "sinks[0].bucket: expected a bucket's name"),
        ({"bucket": "fast--use1-az4--x-s3"}, "sinks[0].bucket: a directory bucket is not supported"),
        ({"bucket": "arn:aws:s3::123456789012:accesspoint/a.mrap"}, "sinks[0].bucket: a multi-Region access point"),
        ({"prefix": "/a"}, "sinks[0].prefix: has a /"),
        ({"prefix": "{time:%q}"}, "sinks[0].prefix: {time:%q}"),
        ({"prefix": "{/a"}, "sinks[0].prefix: a { without }"),
        ({"time": "start"}, "sinks[0].time: expected a JSON Pointer"),
    ],
)
def test_check_says_what_is_wrong(folder, peer, keys, text):
    (folder / "sluice.yaml").write_text(json.dumps({"store": STORE, "sinks": [peer.sink(**keys)]}))
    done = run("check", "--offline", "-c", "sluice.yaml", cwd=folder)
    assert done.returncode == 1 and text in done.stdout + done.stderr, done


def test_without_a_store_it_is_refused(folder, peer):
    (folder / "sluice.yaml").write_text(json.dumps({"store": {"path": ""}, "sinks": [peer.sink()]}))
    done = run("check", "--offline", "-c", "sluice.yaml", cwd=folder)
    assert done.returncode == 1
    assert "sinks[0].kind: an s3 sink needs a store" in done.stdout + done.stderr, done
