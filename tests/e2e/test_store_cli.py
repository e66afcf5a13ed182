"""`sluice rejected`, `dead` and `outbox`, with and without a running server."""

import json
import os
import pty
import re
import signal
import subprocess
from datetime import datetime, timezone

import pytest
import yaml

from server import BINARY, PATIENCE, REGISTRY, SCHEMA, environment, put_schema, route, run, wait_for

STORE = {"path": "var/sluice.db"}
SINKS = [{"name": "archive", "kind": "file", "path": "var/records.ndjson"}]
ANYTHING = {"type": "object"}
WORDS = '{"error":"no such customer"}' + "." * 3000  # of a receiver


def cli(server, *args, **more):
    return run(*args, "-c", server.file, cwd=server.folder, **more)


def rows(server, *args):
    done = cli(server, *args, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(event, number, **changes):
    """The sample with this id, without a member that the schema requires."""
    event = json.loads(json.dumps(event)) | {"id": f"event-{number}"} | changes
    del event["detail"]["interaction"]["id"]
    return event


def records(server):
    path = server.folder / "var/records.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_lists_what_was_refused_without_its_values(sluice, event):
    server = sluice(store=STORE)
    assert server.post(refused(event, 1)).status == 400
    assert server.post(b'{"detail":01}').status == 400
    assert server.post(event | {"id": "not an identifier: secret"} | {"detail": 7}).status == 400
    listed = rows(server, "rejected", "list")
    assert [row["id"] for row in listed] == [3, 2, 1]
    listed.reverse()
    assert [row["outcome"] for row in listed] == ["schema_invalid", "malformed", "schema_invalid"]
    assert [row["event_id"] for row in listed] == ["event-1", None, None]
    assert [row["route"] for row in listed] == ["route-1", None, "route-1"]
    assert [row["reason"] for row in listed] == [
        "'id' is a required property",
        "Invalid JSON at byte 11: a number must not begin with 0",
        "<integer> is not of type 'object'",
    ]
    assert listed[0]["rule"] == "/properties/interaction/required"
    assert listed[0]["schema"] == SCHEMA and listed[0]["registry"] == REGISTRY
    assert listed[0]["attempts"] == 1 and listed[0]["resolved"] is None
    assert listed[1]["schema"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", listed[0]["last"])
    text = cli(server, "rejected", "list").stdout
    assert "event-1" in text and "malformed" in text
    assert "secret" not in text + json.dumps(listed)


def test_filters_what_it_lists(sluice, event):
    routes = [
        route(match={"source": "one"}, schema="One"),
        route(match={"source": "two"}, schema="Two"),
    ]
    server = sluice(store=STORE, routes=routes)
    put_schema(server.folder, "One", {"type": "string"})
    put_schema(server.folder, "Two", {"type": "string"})
    for source in ("one", "two"):
        wait_for(lambda: server.post(event | {"source": source}).json["error"].startswith("Schema val"))
    assert server.post({"detail": {}, "source": "three"}).status == 400

    def ids(*args):
        return len(rows(server, "rejected", "list", *args))

    assert ids("--outcome", "schema_invalid") == 2
    assert ids("--outcome", "unrouted") == 1
    assert ids("--outcome", "registry") == 0
    assert ids("--route", "1") == ids("--route", "2") == 1
    assert ids("--since", "1h") == ids("--until", "2100-01-01") >= 3
    assert ids("--since", "2100-01-01T00:00:00Z") == ids("--until", "1h") == 0
    assert ids("--limit", "1") == 1
    assert ids("--schema-version", "no such") == 0


def test_refused_events_are_a_work_queue(sluice, event):
    """Groups, filters, export, and discarding: by ids, by filters, and all."""
    routes = [
        route(name="main", match={"source": event["source"]}),
        route(name="other", match={"source": "other"}),
    ]
    server = sluice(store=STORE, routes=routes)
    for number in range(3):
        assert server.post(refused(event, number)).status == 400
    assert server.post(refused(event, 3, source="other")).status == 400
    assert server.post(event | {"detail": {"interaction": {"id": "SECRET", "start_time": 5}}}).status == 400
    assert server.post(b'{"SECRET":').status == 400
    required = "/properties/interaction/required"
    groups = rows(server, "rejected", "groups")
    assert [(one["count"], one["route"], one["outcome"], one["rule"], one["example"]) for one in groups] == [
        (3, "main", "schema_invalid", required, 3),
        (1, None, "malformed", None, 6),
        (1, "main", "schema_invalid", "/properties/interaction/properties/start_time/type", 5),
        (1, "other", "schema_invalid", required, 4),
    ]
    assert "main" in cli(server, "rejected", "groups").stdout

    def ids(*args):
        return [row["id"] for row in rows(server, "rejected", "list", *args)]

    assert ids() == [6, 5, 4, 3, 2, 1] and ids("--limit", "2") == [6, 5]
    assert ids("--id", "event-1") == [2] and ids("--id", "none") == []
    assert ids("--rule", required) == [4, 3, 2, 1] and ids("--rule", required, "--route", "main") == [3, 2, 1]
    for wrong in (["--route", "nowhere"], ["--outcome", "bad"], ["--rule", "required"]):
        refusal = cli(server, "rejected", "list", *wrong)
        assert refusal.returncode == 2 and wrong[1] in refusal.stderr + " required"

    exported = [json.loads(line) for line in cli(server, "rejected", "export").stdout.splitlines()]
    assert [row["id"] for row in exported] == [1, 2, 3, 4, 5, 6]
    assert json.loads(exported[0]["body"]) == refused(event, 0) and exported[0]["errors"]
    text = cli(server, "rejected", "export", "--redact").stdout
    assert "SECRET" not in text and event["detail"]["interaction"]["customer"]["email"] not in text
    redacted = [json.loads(line) for line in text.splitlines()]
    assert redacted[4]["body"]["detail"]["interaction"] == {"id": "<string>", "start_time": "<integer>"}
    assert redacted[5]["body"] is None and "details" not in redacted[0]

    assert cli(server, "rejected", "discard").returncode == 2
    assert cli(server, "rejected", "discard", "--route", "main", "--dry-run").stdout == '{"would_discard":4}\n'
    assert cli(server, "rejected", "discard", "1", "2").stdout == '{"discarded":2}\n'
    assert cli(server, "rejected", "discard", "1").returncode == 1
    line = server.wait_log(event="operator", order="discard")
    assert (line["rows"], line["uid"]) == ("[1,2]", os.getuid())
    assert cli(server, "rejected", "discard", "--route", "other").stdout == '{"discarded":1}\n'
    assert ids() == [6, 5, 3]
    assert server.metric("sluice_store_quarantine_open") == 3
    server.stop()
    assert cli(server, "rejected", "discard", "--all").stdout == '{"discarded":3}\n'
    assert ids("--all") == []


def test_dead_records_can_be_discarded(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (422, {})
    hook = {"name": "hook", "kind": "http", "url": there.url, "max_attempts": 1}
    server = sluice(store=STORE, sinks=[hook])
    for number in range(3):
        assert server.post(event | {"id": f"e{number}"}).status == 200
    wait_for(lambda: len(rows(server, "dead", "list")) == 3)
    assert [row["id"] for row in rows(server, "dead", "list")] == [3, 2, 1]
    assert cli(server, "dead", "discard", "--id", "e1").stdout == '{"discarded":1}\n'
    assert cli(server, "dead", "discard", "--all").stdout == '{"discarded":2}\n'
    assert rows(server, "dead", "list") == []
    assert server.metric('sluice_sink_dropped_total{sink="hook"}') == 3
    assert server.wait_log(event="operator", order="discard-dead")["uid"] == os.getuid()


def test_shows_one_whole(sluice, event):
    server = sluice(store=STORE)
    body = json.dumps(refused(event, 1)).encode()
    answer = server.post(body).json
    assert server.post(b"\xff\xfe").status == 400
    shown = json.loads(cli(server, "rejected", "show", "1").stdout)
    assert shown["body"].encode() == body
    assert shown["details"] == answer["details"] and shown["errors"] == answer["errors"]
    assert json.loads(cli(server, "rejected", "show", "2").stdout)["body_base64"] == "//4="
    raw = cli(server, "rejected", "show", "1", "--bytes", stdin=b"").stdout
    assert raw == body
    missing = cli(server, "rejected", "show", "77")
    assert (missing.returncode, missing.stderr) == (1, "sluice rejected: no refused event 77\n")


@pytest.mark.parametrize("beside", [True, False], ids=["beside a server", "without a server"])
def test_replays_under_the_live_schema(sluice, event, beside):
    server = sluice(store=STORE, sinks=SINKS)
    for number in range(5):
        assert server.post(refused(event, number)).status == 400
    again = cli(server, "rejected", "replay", "1", "2")
    assert again.returncode == 1
    assert [json.loads(line) for line in again.stdout.splitlines()] == [
        {
            "id": number,
            "status": 400,
            "outcome": "schema_invalid",
            "reason": "'id' is a required property",
            "rule": "/properties/interaction/required",
        }
        for number in (1, 2)
    ]
    assert [row["attempts"] for row in rows(server, "rejected", "list")] == [1, 1, 1, 2, 2]

    put_transform = server.folder / "conf/transforms/interaction.started.yaml"
    text = put_transform.read_text()
    put_schema(server.folder, SCHEMA, ANYTHING)
    trial = cli(server, "rejected", "replay", "--dry-run")
    assert trial.returncode == 1  # the transform requires the id too
    assert [json.loads(line) for line in trial.stdout.splitlines()] == [
        {
            "id": number,
            "status": 400,
            "outcome": "transform_failed",
            "reason": "Transformation failed: missing interaction.id",
            "rule": None,
        }
        for number in range(1, 6)
    ]
    server.stop()

    put_transform.write_text(re.sub(r", required: missing interaction.id", "", text))
    server = sluice_again(server, sluice) if beside else server
    done = cli(server, "rejected", "replay", "--rate", "1000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "replayed 5 of 5: 5 well, 0 refused again\n"
    assert rows(server, "rejected", "list") == []
    assert len(rows(server, "rejected", "list", "--all")) == 5
    assert cli(server, "rejected", "replay").stderr.startswith("replayed 0 of 0")
    if beside:
        wait_for(lambda: len(records(server)) == 5)
        server.stop()
    else:
        status = json.loads(cli(server, "outbox", "status", "--json").stdout)
        assert status["sinks"][0]["pending"] == 5 and status["server"] is False


def test_an_empty_body_is_an_event_like_any_other(sluice):
    server = sluice(store=STORE)
    assert server.post(b"").status == 400
    for option in ([], ["--dry-run"]):
        again = cli(server, "rejected", "replay", "1", *option)
        said = json.loads(again.stdout)
        assert (said["id"], said["status"], said["outcome"]) == (1, 400, "malformed")
        assert said["reason"] == "Invalid JSON at byte 0: the text ends where a value is expected"
    assert [row["attempts"] for row in rows(server, "rejected", "list")] == [2]


def sluice_again(server, sluice):
    """Start the server again in the same folder."""
    again = type(server)(server.folder, yaml.safe_load(server.file.read_text()))
    return again.wait_ready()


def test_an_event_that_came_again_by_itself_is_resolved(sluice, event):
    server = sluice(store=STORE, sinks=SINKS)
    body = refused(event, 1)
    put = server.folder / "conf/transforms/interaction.started.yaml"
    assert server.post(body).status == 400
    assert len(rows(server, "rejected", "list")) == 1
    server.stop()
    put.write_text(re.sub(r", required: missing interaction.id", "", put.read_text()))
    put_schema(server.folder, SCHEMA, ANYTHING)
    server = sluice_again(server, sluice)
    assert server.post(body).status == 200
    assert rows(server, "rejected", "list") == []
    [row] = rows(server, "rejected", "list", "--all")
    assert row["resolved"] is not None
    server.stop()


def test_posts_registry_refusals_again_by_itself(sluice, event):
    server = sluice(store=STORE, sinks=SINKS, routes=[route(schema="Later")])
    answer = server.post(event)
    assert (answer.status, answer.json["details"]) == (
        400,
        f"Schema Later not found in registry {REGISTRY}",
    )
    [row] = rows(server, "rejected", "list", "--outcome", "registry")
    assert (row["outcome"], row["cause"]) == ("schema_not_found", "registry")
    put_schema(server.folder, "Later", ANYTHING)
    wait_for(lambda: len(records(server)) == 1)
    wait_for(lambda: rows(server, "rejected", "list") == [])
    assert server.wait_log(event="resubmitted", accepted=1)["schema"] == "Later"


@pytest.mark.parametrize(("count", "most"), [(1000, 500), (200, 10)])
def test_many_registry_refusals_are_posted_again_in_one_go(sluice, event, count, most):
    server = sluice(store=STORE, routes=[route(schema="Later")], http={"max_batch": most})
    for first in range(0, count, most):
        batch = [event | {"id": f"{first + n}"} for n in range(most)]
        assert server.post(batch).status == 400
    put_schema(server.folder, "Later", ANYTHING)
    server.wait_log(event="resubmitted", events=count, accepted=count)
    assert server.has_low_priority("control")
    assert rows(server, "rejected", "list") == []


def test_an_event_that_the_schema_fails_for_holds_up_no_other(sluice, event):
    server = sluice(store=STORE, routes=[route(schema="Later")], http={"max_batch": 1})
    for name in ("bad", "good"):
        body = event | {"id": name, "detail": event["detail"] | {name: 1}}
        assert server.post(body).status == 400
    put_schema(server.folder, "Later", {"properties": {"bad": {"$ref": "#/definitions/nowhere"}}})
    server.wait_log(event="resubmitted", accepted=1)
    assert [row["event_id"] for row in rows(server, "rejected", "list")] == ["bad"]


def test_an_event_that_is_as_deep_as_may_be_holds_up_no_other(sluice, event):
    """Together with others it is an element of an array, and so a level deeper."""
    server = sluice(store=STORE, sinks=SINKS, routes=[route(schema="Later")])
    deepest = json.loads("[" * 62 + "]" * 62)  # the event and its detail are two levels
    for name, more in (("deep", {"deep": deepest}), ("plain", {})):
        assert server.post(event | {"id": name, "detail": event["detail"] | more}).status == 400
    too_deep = event | {"detail": event["detail"] | {"deep": [deepest]}}
    assert "too deeply" in server.post(too_deep).json["details"]
    put_schema(server.folder, "Later", ANYTHING)
    server.wait_log(event="resubmitted", accepted=2)
    assert len(wait_for(lambda: len(records(server)) == 2 and records(server))) == 2
    assert [row["outcome"] for row in rows(server, "rejected", "list")] == ["malformed"]


def test_replays_by_the_configuration_in_force(sluice, event):
    server = sluice(store=STORE, routes=[route(match={"source": "nobody"})])
    assert server.post(event).json["details"] == "No route for this event"
    assert cli(server, "rejected", "replay").returncode == 1
    config = yaml.safe_load(server.file.read_text())
    config["routes"] = [route()]
    server.file.write_text(yaml.safe_dump(config))
    server.signal(signal.SIGHUP)
    server.wait_log(event="reloaded")
    assert cli(server, "rejected", "replay").returncode == 0


def test_dead_records_can_be_delivered_again(sluice, event, receiver):
    there = receiver()
    there.plan = lambda records: (422, {})
    there.words = WORDS.encode()
    hook = {"name": "hook", "kind": "http", "url": there.url, "max_attempts": 1}
    server = sluice(store=STORE, sinks=[hook])
    assert server.post(event).status == 200
    [row] = wait_for(lambda: rows(server, "dead", "list"))
    assert row["sink"] == "hook" and row["attempts"] == 1 and "422" in row["reason"]
    assert cli(server, "dead", "list", "--sink", "other").returncode == 2
    assert row["route"] == "route-1"
    assert rows(server, "dead", "list", "--id", event["id"]) == [row]
    assert rows(server, "dead", "list", "--id", "another") == []
    assert rows(server, "dead", "list", "--route", "route-1", "--sink", "hook") == [row]
    assert "hook" in cli(server, "dead", "list").stdout
    shown = json.loads(cli(server, "dead", "show", str(row["id"])).stdout)
    assert shown["record"]["interaction_id"] == event["detail"]["interaction"]["id"]
    assert (shown["event_id"], shown["said"]) == (event["id"], WORDS[:2048])
    assert cli(server, "dead", "show", "999").returncode == 1
    trial = cli(server, "dead", "replay", "--dry-run")
    assert trial.returncode == 0 and len(rows(server, "dead", "list")) == 1
    there.plan = lambda records: (200, {})
    done = cli(server, "dead", "replay", str(row["id"]), "999")
    assert done.returncode == 1  # 999 does not exist
    assert json.loads(done.stdout.splitlines()[0]) == {"id": row["id"], "revived": True}
    wait_for(lambda: len(there.records) == 1)
    assert rows(server, "dead", "list") == []


def test_outbox_status_and_a_sink_that_is_gone(sluice, event):
    server = sluice(store=STORE, sinks=SINKS)
    assert server.post(event).status == 200
    assert server.post(event).status == 200
    wait_for(lambda: len(records(server)) == 1)

    def status():
        return json.loads(cli(server, "outbox", "status", "--json").stdout)

    wait_for(lambda: status()["sinks"][0]["delivered"] == 1)
    now = status()
    assert now["accepted"] == 1 and now["duplicates"] == 1 and now["server"] is True
    assert now["sinks"][0]["pending"] == 0 and now["sinks"][0]["name"] == "archive"
    assert "archive" in cli(server, "outbox", "status").stdout
    configured = cli(server, "outbox", "drop-sink", "archive")
    assert configured.returncode == 1 and "configured" in configured.stderr
    server.stop()

    config = yaml.safe_load(server.file.read_text())
    config["sinks"] = []
    server.file.write_text(yaml.safe_dump(config))
    assert cli(server, "outbox", "drop-sink", "archive").returncode == 0
    assert cli(server, "outbox", "drop-sink", "archive").returncode == 1
    assert status()["sinks"] == []


def test_outbox_status_shows_since_when_the_oldest_record_waits(sluice, event, receiver):
    """Both lanes count: new records of an unreachable sink, and retries of refused records."""
    refusing = receiver()
    refusing.plan = lambda records: (404, {})
    sinks = [
        {"name": "away", "kind": "http", "url": "http://127.0.0.1:1/"},
        {"name": "refusing", "kind": "http", "url": refusing.url, "max_backoff": "10ms"},
    ]
    server = sluice(store=STORE, sinks=SINKS + sinks)

    def status():
        shown = json.loads(cli(server, "outbox", "status", "--json").stdout)["sinks"]
        return {sink["name"]: sink for sink in shown}

    assert {sink["oldest_pending"] for sink in status().values()} == {None}
    before = now_text()
    assert server.post(event).status == 200
    after = now_text()
    assert server.post(event | {"id": "another"}).status == 200
    wait_for(lambda: refusing.requests and status()["archive"]["pending"] == 0)
    now = status()
    assert now["archive"]["oldest_pending"] is None
    for name in ("away", "refusing"):
        assert before <= now[name]["oldest_pending"] <= after
    assert f" {now['away']['oldest_pending'][:19]}Z" in cli(server, "outbox", "status").stdout
    server.stop()
    assert status()["away"]["oldest_pending"] == now["away"]["oldest_pending"]


def now_text():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_wrong_calls(folder):
    (folder / "none.yaml").write_text("store: { path: '' }\n")
    (folder / "empty.yaml").write_text("store: { path: var/none.db }\n")
    cases = [
        (["rejected"], 2),
        (["rejected", "frobnicate"], 2),
        (["rejected", "list", "7"], 2),
        (["rejected", "show"], 2),
        (["rejected", "show", "x"], 2),
        (["rejected", "show", "0"], 2),
        (["rejected", "list", "--since", "yesterday"], 2),
        (["rejected", "list", "--limit", "-1"], 2),
        (["rejected", "replay", "--rate", "0"], 2),
        (["rejected", "list", "--route", "99", "-c", "empty.yaml"], 2),
        (["rejected", "list", "--frobnicate"], 2),
        (["dead", "show", "1", "2"], 2),
        (["outbox"], 2),
        (["outbox", "drop-sink"], 2),
        (["rejected", "list", "-c", "none.yaml"], 3),
        (["dead", "list", "-c", "none.yaml"], 3),
        (["outbox", "status", "-c", "none.yaml"], 3),
        (["rejected", "list", "-c", "empty.yaml"], 3),
        (["outbox", "status", "-c", "empty.yaml"], 3),
        (["rejected", "--help"], 0),
        (["dead", "--help"], 0),
        (["outbox", "--help"], 0),
    ]
    for args, code in cases:
        if code == 2 and "-c" not in args:
            args = [*args, "-c", "empty.yaml"]
        done = run(*args, cwd=folder)
        assert done.returncode == code, (args, done)
        assert bool(done.stderr) == (code != 0), (args, done)


def test_shows_progress_to_a_person(sluice, event):
    server = sluice(store=STORE)
    for number in range(3):
        assert server.post(refused(event, number)).status == 400
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(BINARY), "rejected", "replay", "--rate", "2", "-c", str(server.file)],
        cwd=server.folder,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        env=environment(),
    )
    os.close(terminal)
    seen = b""
    try:
        while piece := os.read(master, 4096):
            seen += piece
    except OSError:  # the process has closed the terminal
        pass
    os.close(master)
    assert process.wait(PATIENCE) == 1
    assert b"[####" in seen and b"replayed 3 of 3: 0 well, 3 refused again" in seen


# A store that is given up.


def test_drain_delivers_what_waits_and_says_what_is_left(sluice, event, receiver):
    hook = receiver()
    hook.plan = lambda records: (503, {})
    sink = {"name": "hook", "kind": "http", "url": hook.url, "max_backoff": "20ms"}
    server = sluice(store=STORE, sinks=[sink])
    for number in range(5):
        assert server.post(event | {"id": f"e{number}"}).status == 200
    running = cli(server, "outbox", "drain", "--timeout", "1s")
    assert running.returncode == 3 and "another process" in running.stderr, running
    server.stop()
    late = cli(server, "outbox", "drain", "--timeout", "300ms")
    assert (late.returncode, late.stdout.splitlines()[-1]) == (1, "hook: 5 pending, 0 dead"), late
    hook.plan = lambda records: (200, {})
    done = cli(server, "outbox", "drain")
    assert (done.returncode, done.stdout) == (0, "hook: 0 pending, 0 dead\n"), done
    assert len(hook.requests) >= 5
    assert cli(server, "outbox", "drain").returncode == 0
    assert cli(server, "outbox", "drain", "--timeout", "soon").returncode == 2


def test_drain_ends_at_a_signal(sluice, event, receiver):
    hook = receiver()
    hook.plan = lambda records: (503, {})
    sink = {"name": "hook", "kind": "http", "url": hook.url, "max_backoff": "20ms"}
    server = sluice(store=STORE, sinks=[sink])
    assert server.post(event).status == 200
    server.stop()
    command = [BINARY, "outbox", "drain", "-c", server.file]
    process = subprocess.Popen(command, cwd=server.folder, env=environment(), stdout=subprocess.PIPE, text=True)
    before = len(hook.requests)
    wait_for(lambda: len(hook.requests) > before, "an attempt")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=PATIENCE)[0].splitlines()[-1] == "hook: 1 pending, 0 dead"
    assert process.returncode == 1
