"""The S3 sink against stores by others, for `make test-peers`."""

import gzip
import hashlib
import json
import signal

import pytest
from s3_peers import PEERS, Missing
from server import wait_for
from test_sinks import STORE, arrives, counters, name, post


@pytest.fixture(params=PEERS)
def peer(request, tmp_path_factory):
    try:
        with PEERS[request.param](tmp_path_factory.mktemp("peer")) as peer:
            yield peer
    except Missing as missing:
        pytest.skip(str(missing))


def records(peer):
    """The records in all objects; every object must fit its metadata."""
    found = []
    for key, (body, metadata) in peer.objects().items():
        text = gzip.decompress(body) if key.endswith(".gz") else body
        span, count, digest = metadata["sluice-range"].split(" ")
        lines = text.splitlines()
        assert (int(count), digest) == (len(lines), hashlib.sha256(text).hexdigest()), (key, metadata)
        found += [json.loads(line)["interaction_id"] for line in lines]
    return found


def test_records_are_in_objects(sluice, peer, event):
    keys = {"prefix": "dt={time:%Y-%m-%d}/{/queue_name}/", "time": "/start_time", "compression": "gzip"}
    server = sluice(env=peer.environment(), store=STORE, sinks=[peer.sink(**keys)])
    queues = ["Sales Support", "a+b", "é", "q=1/2", "100%"]
    for number in range(30):
        event["detail"]["interaction"]["routing"]["queue_name"] = queues[number % len(queues)]
        post(server, event, [f"e{number}"])
    assert arrives(server, "lake")["delivered"] == 30
    assert sorted(records(peer)) == sorted(name("e", 30))
    prefixes = {key.rpartition("/")[0] for key in peer.objects()}
    assert prefixes == {
        f"dt=2024-01-15/{one}" for one in ["Sales Support", "a+b", "é", "q%3D1%2F2", "100%25"]
    }


def test_a_wrong_secret_is_said_and_nothing_is_lost(sluice, peer, event):
    if not peer.checks_signatures:
        pytest.skip("it does not check signatures of this key")
    server = sluice(env=peer.environment(secret="wrong"), store=STORE, sinks=[peer.sink()])
    post(server, event, name("e", 3))
    assert "SignatureDoesNotMatch" in server.wait_log(event="sink_misconfigured", sink="lake")["reason"]
    found = counters(server, "lake")
    assert (found["pending"], found["dead"]) == (3, 0)


def test_a_wrong_bucket_is_said(sluice, peer, event):
    server = sluice(env=peer.environment(), store=STORE, sinks=[peer.sink(bucket="elsewhere")])
    post(server, event, ["e0"])
    assert "NoSuchBucket" in server.wait_log(event="sink_misconfigured", sink="lake")["reason"]
    assert counters(server, "lake")["pending"] == 1


def test_killed_again_and_again_each_record_is_in_one_object(sluice, peer, event):
    server = sluice(
        env=peer.environment(),
        store=STORE,
        sinks=[peer.sink(prefix="{/channel_type}/", max_bytes="8KiB", max_age="20ms")],
    )
    posted = 0
    for kill in range(20):
        for _ in range(15):
            event["detail"]["interaction"]["channel_type"] = ["voice", "chat", "mail"][posted % 3]
            post(server, event, [f"e{posted}"])
            posted += 1
        before = server.metric('sluice_sink_delivered_total{sink="lake"}')
        if kill % 2:
            wait_for(lambda b=before: server.metric('sluice_sink_delivered_total{sink="lake"}') > b, "an object")
        server.signal(signal.SIGKILL)
        server.discard()
        server = type(server)(server.folder, None, text=server.file.read_text(), env=server.env).wait_ready()
    arrives(server, "lake")
    assert sorted(records(peer)) == sorted(name("e", posted))
    server.stop()


def test_when_the_store_is_killed_again_and_again_each_record_is_in_one_object(sluice, peer, event):
    if not peer.has_files:
        pytest.skip("what it has taken is lost with its process")
    server = sluice(
        env=peer.environment(),
        http={"deadline": "60s"},
        store=STORE,
        sinks=[peer.sink(max_bytes="8KiB", max_age="20ms")],
    )
    for kill in range(20):
        post(server, event, name(f"e{kill}-", 10))
        if kill % 2:
            arrives(server, "lake")
        peer.kill()
        post(server, event, name(f"f{kill}-", 2))
        peer.start()
    arrives(server, "lake")
    posted = [one for kill in range(20) for one in [*name(f"e{kill}-", 10), *name(f"f{kill}-", 2)]]
    assert sorted(records(peer)) == sorted(posted)
    assert counters(server, "lake")["dead"] == 0


def test_an_object_that_is_there_is_not_written_again(sluice, peer, event):
    """A copy of the store delivers the same records a second time."""
    if not peer.keeps_promises:
        pytest.skip("it overwrites objects silently")
    server = sluice(env=peer.environment(), store=STORE, sinks=[peer.sink(max_age="200ms")])
    store = server.folder / STORE["path"]
    server.stop()
    empty = {path.name: path.read_bytes() for path in store.parent.iterdir() if path.is_file()}
    for again in range(2):
        for path in store.parent.iterdir():
            path.unlink()
        for file, text in empty.items():
            (store.parent / file).write_bytes(text)
        server = type(server)(server.folder, None, text=server.file.read_text(), env=server.env).wait_ready()
        post(server, event, name("e", 10 + again))
        assert arrives(server, "lake")["delivered"] == 10 + again
        server.stop()
        found = records(peer)
        assert set(found) == set(name("e", 10 + again))
