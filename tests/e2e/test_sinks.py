"""Delivery: accepted records arrive, and a failing sink does not affect the senders."""

import json
import os
import signal
import socket
import stat
import subprocess
import time

import pytest
import yaml

from server import PATIENCE, defaults, furnish, merge, run, wait_for
from test_metrics import scrape

STORE = {"path": "var/sluice.db"}
ARCHIVE = {"name": "archive", "kind": "file", "path": "out/records.ndjson"}


def hook(receiver, **changes):
    return {"name": "hook", "kind": "http", "url": receiver.url, "max_backoff": "20ms"} | changes


def post(server, event, names):
    """Post one event per name, which is its id and its interaction's id. Each must be answered 200."""
    for name in names:
        event["id"] = event["detail"]["interaction"]["id"] = name
        assert server.post(event).status == 200


def name(prefix, count):
    return [f"{prefix}{i}" for i in range(count)]


def ids(records):
    return [record["interaction_id"] for record in records]


def lines(path):
    """The lines of a file, parsed."""
    text = path.read_bytes() if path.exists() else b""
    assert text == b"" or text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]




def counters(server, sink):
    """The sink's counters of one scrape; their sum must be consistent."""
    samples, _ = scrape(server)
    found = {
        key.removeprefix("sluice_sink_").removesuffix("_total"): value
        for (key, labels), value in samples.items()
        if labels == frozenset({("sink", sink)})
    }
    names = ("enqueued", "delivered", "pending", "dead", "dropped")
    found = {name: int(found[name]) for name in names}
    assert found["enqueued"] == sum(
        found[key] for key in ("delivered", "pending", "dead", "dropped")
    ), found
    return found


def look(folder, sink, env=None):
    """The exit status of doctor, and what it says about the sink."""
    path = folder / "doctor.yaml"
    path.write_text(yaml.safe_dump(merge(defaults(), {"store": STORE, "sinks": [sink]})))
    told = run("doctor", "-c", path, "--json", cwd=folder, env=env)
    (found,) = [line for line in map(json.loads, told.stdout.splitlines()) if line["what"] == "sink"]
    return told.returncode, found["finding"], found["text"]


def arrives(server, sink):
    """Wait until nothing is pending. Returns the counters."""
    wait_for(lambda: counters(server, sink)["pending"] == 0, f"an empty backlog of {sink}")
    return counters(server, sink)


def outbox_status(server, options=("--json",)):
    said = run("outbox", "status", "-c", server.file, *options, cwd=server.folder).stdout
    return json.loads(said) if options else said


# The file sink.


def test_a_file_has_the_record_that_was_answered(sluice, folder, event):
    server = sluice(store=STORE, sinks=[ARCHIVE])
    answers = [server.post(event | {"id": f"e{i}"}).body for i in range(20)]
    assert arrives(server, "archive") == {
        "enqueued": 20,
        "delivered": 20,
        "pending": 0,
        "dead": 0,
        "dropped": 0,
    }
    path = folder / "out/records.ndjson"
    assert path.read_bytes() == b"".join(answer + b"\n" for answer in answers)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_duplicate_and_a_refused_event_are_not_delivered(sluice, folder, event):
    server = sluice(store=STORE, sinks=[ARCHIVE])
    post(server, event, ["a", "a"])
    assert server.post({"id": "b", "detail": {}}).status == 400
    assert arrives(server, "archive")["delivered"] == 1
    assert ids(lines(folder / "out/records.ndjson")) == ["a"]


def test_files_rotate_by_size_and_lose_nothing(sluice, folder, event):
    server = sluice(store=STORE, sinks=[ARCHIVE | {"rotate_size": 2000}])
    post(server, event, name("e", 30))
    arrives(server, "archive")
    files = sorted(folder.glob("out/records.*.ndjson"))
    files.append(folder / "out/records.ndjson")
    assert len(files) >= 5
    assert all(path.stat().st_size <= 2000 for path in files)
    assert ids(sum(map(lines, files), [])) == name("e", 30)


def test_sighup_lets_go_of_a_moved_file(sluice, folder, event):
    server = sluice(store=STORE, sinks=[ARCHIVE])
    post(server, event, ["a"])
    arrives(server, "archive")
    path, moved = folder / "out/records.ndjson", folder / "out/moved"
    path.rename(moved)

    def is_open():
        fds = f"/proc/{server.process.pid}/fd"
        return str(moved) in [os.path.realpath(f"{fds}/{fd}") for fd in os.listdir(fds)]

    server.signal(signal.SIGHUP)
    wait_for(lambda: not is_open(), "a closed file")
    post(server, event, ["b"])
    arrives(server, "archive")
    assert (ids(lines(moved)), ids(lines(path))) == (["a"], ["b"])


def test_a_file_that_cannot_be_written_delays_no_event(sluice, folder, event):
    (folder / "out/records.ndjson").mkdir(parents=True)
    server = sluice(store=STORE, sinks=[ARCHIVE | {"max_backoff": "10ms", "max_attempts": 1}])
    post(server, event, name("e", 5))
    server.wait_log(event="sink_failed", sink="archive")
    assert counters(server, "archive")["pending"] == 5
    assert server.get("/readyz").status == 200
    (folder / "out/records.ndjson").rmdir()
    assert arrives(server, "archive")["delivered"] == 5
    assert ids(lines(folder / "out/records.ndjson")) == name("e", 5)
    server.wait_log(event="sink_recovered", sink="archive")
    assert len([line for line in server.log() if line["event"] == "sink_failed"]) == 1


@pytest.mark.parametrize("path", ["var/./sluice.db", "soft", "hard", "var/sluice.db-wal", "stdout"])
def test_a_sink_on_the_servers_own_files_is_refused(sluice, folder, event, path):
    server = sluice(store=STORE, sinks=[ARCHIVE])
    post(server, event, ["a"])
    server.stop()
    (folder / "soft").symlink_to("var/sluice.db")
    (folder / "hard").hardlink_to(folder / "var/sluice.db")
    (folder / "stdout").symlink_to("/dev/stdout")
    before = (folder / "var/sluice.db").read_bytes()
    server.file.write_text(server.file.read_text().replace("out/records.ndjson", path))
    for command in ("check", "serve"):
        told = run(command, "-c", server.file, cwd=folder)
        assert told.returncode == (1 if command == "check" else 3)
        assert "records cannot be written here" in told.stdout + told.stderr
    assert (folder / "var/sluice.db").read_bytes() == before


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/null")])
def test_check_refuses_what_is_no_file(folder, make):
    furnish(folder)
    make(folder / "place")
    sink = {"name": "a", "kind": "file", "path": "place"}
    (folder / "sluice.yaml").write_text(json.dumps({"sinks": [sink]}))
    told = run("check", "-c", "sluice.yaml", cwd=folder)
    assert told.returncode == 1
    assert "sinks[0].path" in told.stdout and "not a regular file" in told.stdout


# Restarts; sinks that are added and removed.


def test_a_restart_goes_on_where_it_was(sluice, folder, event):
    config = {"store": STORE, "sinks": [ARCHIVE]}
    for run in range(3):
        server = sluice(**config) if run == 0 else again(server)
        post(server, event, name(f"run{run}-", 10))
        server.stop()
    assert ids(lines(folder / "out/records.ndjson")) == [
        one for run in range(3) for one in name(f"run{run}-", 10)
    ]


def again(server, text=None):
    """Start the server again in the same folder; `text` replaces its configuration."""
    new = type(server)(server.folder, None, text=text or server.file.read_text())
    return new.wait_ready()


def test_what_waited_for_a_sink_is_delivered_after_a_restart(sluice, event, receiver):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = {"name": "hook", "kind": "http", "url": f"http://127.0.0.1:{port}/"}
    server = sluice(store=STORE, sinks=[place | {"max_backoff": "20ms"}])
    post(server, event, name("e", 10))
    server.wait_log(event="sink_failed", sink="hook")
    server.stop()
    server = again(server)
    assert counters(server, "hook")["pending"] == 10
    there = receiver(port=port)
    assert arrives(server, "hook")["delivered"] == 10
    assert sorted(ids(there.records)) == name("e", 10)
    server.stop()


def test_a_new_sink_starts_at_now_and_a_removed_one_keeps_its_backlog(sluice, folder, event):
    blocked = folder / "blocked"
    blocked.mkdir()
    old = {"name": "old", "kind": "file", "path": "blocked", "max_backoff": "10ms"}
    server = sluice(store=STORE, sinks=[old])
    post(server, event, ["a", "b"])
    server.stop()
    text = server.file.read_text()
    server = again(server, text.replace("name: old", "name: new").replace("path: blocked", "path: new"))
    post(server, event, ["c"])
    assert arrives(server, "new")["delivered"] == 1
    assert ids(lines(folder / "new")) == ["c"]
    assert counters(server, "old")["pending"] == 2  # records accepted while it was removed do not count
    server.stop()
    blocked.rmdir()
    server = again(server, text)
    post(server, event, ["d"])
    arrives(server, "old")
    assert ids(lines(blocked)) == ["a", "b", "d"]
    server.stop()


# The HTTP sink.


def test_a_url_gets_each_record(sluice, event, receiver, secret):
    there = receiver()
    token = secret("Bearer one")
    server = sluice(
        store=STORE,
        sinks=[hook(there, headers={"X-Team": "blue"}, secret_headers={"authorization": token})],
    )
    answer = server.post(event | {"id": "first"}).json
    arrives(server, "hook")
    headers, records, _, _ = there.requests[0]
    assert records == [answer]
    assert headers["Idempotency-Key"] == "first"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "sluice/0.1.0"
    assert (headers["X-Team"], headers["authorization"]) == ("blue", "Bearer one")
    with open(token, "w") as file:
        file.write("Bearer two\n")
    post(server, event, ["second"])
    arrives(server, "hook")
    assert there.requests[1][0]["authorization"] == "Bearer two"
    assert "Bearer" not in json.dumps(server.log())


def test_a_batch_is_an_array(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (503, {})
    server = sluice(store=STORE, sinks=[hook(there, batch=4)])
    post(server, event, name("e", 10))
    there.plan = lambda records: (200, {})
    arrives(server, "hook")
    assert sorted(ids(there.records)) == name("e", 10)
    assert max(len(records) for _, records, _, _ in there.requests) == 4
    for headers, records, _, _ in there.requests:
        assert headers["Idempotency-Keys"].split(",") == ids(records)


@pytest.mark.parametrize(
    ("status", "ordered", "said"), [(401, False, "sink_misconfigured"), (503, True, "sink_failed")]
)
def test_a_status_about_the_sink_postpones(sluice, event, receiver, status, ordered, said):
    there = receiver()
    there.plan = lambda records: (status, {})
    there.words = b"\x1b[2J gone" + 500 * b"\xc3\xa9"
    server = sluice(store=STORE, sinks=[hook(there, ordered=ordered, max_attempts=2)])
    post(server, event, name("e", 5))
    there.wait(lambda there: len(there.requests) > 5, PATIENCE)
    assert counters(server, "hook")["pending"] == 5
    [sink] = outbox_status(server)["sinks"]
    error = sink["last_error"]
    assert (error["reason"], error["said"][:9]) == (f"answered {status}", "\x1b[2J gone")
    assert error["in_a_row"] > 1 and error["at"] and len(error["said"].encode()) in (499, 500)
    assert sink["state"] == "configuration" if status == 401 else sink["state"] in ("waiting", "running")
    text = outbox_status(server, ())
    assert f"in a row\n  reason: answered {status} \n  the target answered: \\u001b[2J gone" in text
    there.plan = lambda records: (200, {})
    assert arrives(server, "hook")["delivered"] == 5
    assert ids(there.records) == name("e", 5) or not ordered and sorted(ids(there.records)) == name("e", 5)
    wait_for(lambda: outbox_status(server)["sinks"][0]["last_error"]["in_a_row"] == 0)
    [sink] = outbox_status(server)["sinks"]
    assert (sink["state"], sink["waits_until"]) == ("running", None)
    assert sink["last_error"]["reason"] == f"answered {status}"  # it stays known
    reasons = [line["reason"] for line in server.log() if line["event"] == said]
    assert reasons == [f"answered {status}"]


def test_a_silent_sink_delays_no_event_and_the_end_comes(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: None
    server = sluice(store=STORE, sinks=[hook(there, timeout="600s")])
    post(server, event, name("e", 20))
    there.wait(lambda there: there.requests, PATIENCE)
    assert server.get("/readyz").status == 200
    assert counters(server, "hook")["pending"] == 20
    before = time.monotonic()
    server.stop()
    assert time.monotonic() - before < PATIENCE


def test_a_refused_record_dies_alone(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (400 if "poison" in ids(records) else 200, {})
    server = sluice(store=STORE, sinks=[hook(there, batch=8, max_attempts=3)])
    post(server, event, [*name("e", 10), "poison", *name("f", 10)])
    wait_for(lambda: counters(server, "hook")["dead"] == 1, "a dead record")
    assert arrives(server, "hook")["delivered"] == 20
    assert sorted(ids(there.records)) == sorted(name("e", 10) + name("f", 10))
    alone = [records for _, records, status, _ in there.requests if status == 400]
    assert [ids(records) for records in alone].count(["poison"]) >= 1
    assert server.wait_log(event="sink_record_dead", sink="hook", reason="answered 400")["records"] == 1


def test_dead_records_beyond_their_bound_are_dropped_and_logged(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (400, {})
    store = STORE | {"dead_max_size": "4KiB"}
    server = sluice(store=store, sinks=[hook(there, max_attempts=1)])
    post(server, event, name("e", 40))
    wait_for(lambda: counters(server, "hook")["pending"] == 0, "an empty backlog")
    found = counters(server, "hook")
    assert found["dead"] < 10 and found["dead"] + found["dropped"] == 40
    line = server.wait_log(event="dead_records_dropped", bound="store.dead_max_size")
    assert line["level"] == "warn" and 1 <= line["count"] <= 40


@pytest.mark.parametrize(("plan", "batch"), [((500, {}), 8), (None, 1)], ids=["500", "hangs"])
def test_a_record_that_fails_the_sink_is_set_aside(sluice, event, receiver, plan, batch):
    there = receiver()
    there.plan = lambda records: plan if "poison" in ids(records) else (200, {})
    times = {"timeout": "100ms" if plan is None else "30s"}
    place = hook(there, batch=batch, in_flight=1, max_attempts=2, **times)
    server = sluice(store=STORE, sinks=[place])
    post(server, event, [*name("e", 5), "poison", *name("f", 5)])
    wait_for(lambda: counters(server, "hook")["dead"] == 1, "a dead record")
    arrives(server, "hook")
    arrived = ids(there.records)
    assert set(name("e", 5) + name("f", 5)) <= set(arrived) and "poison" not in arrived
    assert len(arrived) == len(set(arrived))
    for event_name in ("sink_record_failing", "sink_record_dead"):
        line = server.wait_log(event=event_name, sink="hook")
        assert (line["key"], line["sequence"]) == ("poison", 6)


def test_in_order_it_is_named_and_can_be_moved_aside(sluice, folder, event, receiver):
    there = receiver()
    there.plan = lambda records: (500 if "poison" in ids(records) else 200, {})
    server = sluice(store=STORE, sinks=[hook(there, ordered=True, batch=4), ARCHIVE])
    post(server, event, [*name("e", 5), "poison", *name("f", 5)])
    line = server.wait_log(event="sink_blocked", sink="hook")
    assert (line["key"], line["sequence"], line["reason"]) == ("poison", 6, "answered 500")
    assert ids(there.records) == name("e", 5)

    def sluice_says(*words):
        return run(*words, "-c", server.file, cwd=folder)

    def blocked():
        told = json.loads(sluice_says("outbox", "status", "--json").stdout)
        return {sink["name"]: sink.get("blocked") for sink in told["sinks"]}

    wait_for(lambda: blocked()["hook"], "a sink that is known to be blocked")
    assert blocked() == {"hook": {"sequence": 6, "key": "poison"}, "archive": None}
    assert "waits for record 6 (key poison)" in sluice_says("outbox", "status").stdout
    for words, status, text in (
        (["7"], 1, "no sink waits for record 7"),
        (["6", "--sink", "archive"], 1, "sink archive does not wait for record 6"),
        (["6", "--sink", "nobody"], 2, "--sink nobody: there is no such sink"),
        (["6"], 0, ""),
        (["6"], 1, "no sink waits for record 6"),
    ):
        told = sluice_says("dead", "move", *words)
        assert (told.returncode, text in told.stderr) == (status, True), (words, told)
    arrives(server, "hook")
    assert ids(there.records) == name("e", 5) + name("f", 5)
    assert counters(server, "hook")["dead"] == 1 and blocked()["hook"] is None
    dead = json.loads(sluice_says("dead", "list", "--json").stdout)
    assert (dead["sink"], dead["sequence"], dead["reason"]) == ("hook", 6, "moved by an operator")
    there.plan = lambda records: (200, {})
    assert sluice_says("dead", "replay").returncode == 0
    wait_for(lambda: "poison" in ids(there.records), "the replayed record")
    assert server.wait_log(event="sink_record_moved", sink="hook")["sequence"] == 6


def test_ordered_holds_its_order_through_failures(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: ([500, 200, 400, 503, 200][len(there.requests) % 5], {})
    server = sluice(store=STORE, sinks=[hook(there, ordered=True, batch=3)])
    post(server, event, name("e", 40))
    arrives(server, "hook")
    assert ids(there.records) == name("e", 40)


def test_only_a_trusted_certificate_is_spoken_to(sluice, folder, event, receiver):
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    there = receiver(certificate=(cert, key))
    server = sluice(store=STORE, sinks=[hook(there)])
    post(server, event, ["a"])
    line = server.wait_log(event="sink_misconfigured", sink="hook")
    assert line["reason"] == "the server's certificate is not trusted"
    assert (there.requests, counters(server, "hook")["pending"]) == ([], 1)
    assert [sink["misconfigured"] for sink in outbox_status(server)["sinks"]] == [True]
    assert "misconfigured" in outbox_status(server, ())
    server.stop()
    assert "misconfigured" not in outbox_status(server)["sinks"][0]  # only the server knows
    place = "kind: http"
    server = again(server, server.file.read_text().replace(place, f"{place}\n  ca_file: {cert}"))
    assert arrives(server, "hook")["delivered"] == 1
    server.stop()


def test_sinks_do_not_wait_for_each_other(sluice, folder, event, receiver):
    there = receiver()
    there.plan = lambda records: (500, {})
    server = sluice(store=STORE, sinks=[hook(there), ARCHIVE])
    post(server, event, name("e", 10))
    assert arrives(server, "archive")["delivered"] == 10
    assert counters(server, "hook")["pending"] == 10
    there.plan = lambda records: (200, {})
    assert arrives(server, "hook")["delivered"] == 10


def test_attempts_are_counted_by_what_came_of_them(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: ([500, 400, 200][min(len(there.requests), 2)], {})
    server = sluice(store=STORE, sinks=[hook(there)])
    post(server, event, ["a"])
    arrives(server, "hook")
    samples, types = scrape(server)
    found = {
        dict(labels)["result"]: value
        for (key, labels), value in samples.items()
        if key == "sluice_sink_attempts_total"
    }
    assert found == {"delivered": 1, "refused": 1, "failed": 1, "misconfigured": 0, "impossible": 0}
    assert types["sluice_sink_dead"] == "gauge" and types["sluice_sink_enqueued_total"] == "counter"
