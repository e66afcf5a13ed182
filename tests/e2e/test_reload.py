"""SIGHUP: a new configuration replaces the current one completely or not at all, and no request is disturbed."""

import itertools
import json
import os
import re
import signal

import pytest
import yaml

from certificates import make_pair, trusting
from issuer import Issuer
from load import Load
from server import REGISTRY, SCHEMA, SLOW, defaults, merge, put_schema, put_transform, route

KEY = {"X-Api-Key": "alpha"}

OTHER = route(match={"source": "other"}, schema="Other")


def rewrite(server, text=None, **changes):
    """Write a new configuration: the defaults with `changes`, or `text`."""
    text = text or yaml.safe_dump(merge(defaults(), changes), sort_keys=False)
    server.file.write_text(text)


def count(server, event):
    with server.news:  # without parsing: a storm has very many lines
        return sum(f'"event":"{event}"' in line for line in server.lines if line)


def reload(server, event="reloaded"):
    """Send SIGHUP, wait for the log event, return its line."""
    before = count(server, event)
    server.signal(signal.SIGHUP)
    seen = itertools.count()

    def is_new(text):
        return f'"event":"{event}"' in text and next(seen) >= before

    return json.loads(server.wait_text(is_new))


def metric(server, name):
    text = server.get("/metrics").body.decode()
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M))


def test_a_new_configuration_is_in_force(sluice, event, secret):
    server = sluice()
    assert server.post(event).json["interaction_id"]
    rewrite(
        server,
        http={"respond": "receipt", "max_batch": 1},
        auth={"api_keys": [{"header": "x-api-key", "value_file": secret("alpha")}]},
    )
    assert reload(server)["file"] == str(server.file)
    assert server.post(event).status == 401
    assert server.post(event, headers=KEY).json == {"id": event["id"], "status": "accepted"}
    assert server.post([event, event], headers=KEY).status == 400
    rewrite(server)
    reload(server)
    assert server.post(event).json["interaction_id"]


def test_routes_and_transforms_change(sluice, event):
    server = sluice()
    path = put_transform(server.folder, "other", [{"name": "kind", "value": "other"}])
    rewrite(server, routes=[route(transform=path)])
    reload(server)
    assert server.post(event).json == {"kind": "other"}
    put_schema(server.folder, "New", {"required": ["never"]})
    rewrite(server, routes=[route(schema="New")])
    reload(server)
    assert server.post(event).json["error"] == "Schema validation failed"


def test_the_log_level_changes(sluice, event):
    server = sluice(log={"level": "error"})
    server.post(event)
    rewrite(server, log={"level": "info"})
    reload(server)
    server.post(event)
    server.wait_log(event="request")
    assert count(server, "request") == 1


def bad_configurations(server, **changes):
    """Pairs of a configuration with exactly one mistake, and a pattern of the error in the log."""
    good = yaml.safe_dump(merge(defaults(), changes), sort_keys=False)
    name = re.escape(str(server.file))
    store = server.folder / "var"
    return [
        ("http: [", rf"{name}:\d+: "),
        ("http:\n  listen: 127.0.0.1:0\n  unknown: 1\n", rf"{name}:3: http.unknown: unknown key"),
        (good + "routes:\n- transform: nowhere.yaml\n", rf"{name}:\d+: .*nowhere.yaml"),
        (
            good + "auth:\n  api_keys:\n  - value_file: nowhere.key\n",
            rf"{name}:\d+: auth.api_keys\[0\].value_file: \S*/nowhere.key: No such file",
        ),
        (good + "routes:\n- schema: Nowhere\n", r"Schema Nowhere not found"),
        (
            good.replace("127.0.0.1:0", "127.0.0.1:1"),
            rf"{name}:\d+: http.listen: cannot change while the server runs: restart it",
        ),
        (
            good.replace("threads: 2", "threads: 3"),
            rf"{name}:\d+: http.threads: cannot change while",
        ),
        (
            re.sub("(store:\n  path: ).*", rf"\g<1>{store}/new.db", good),
            rf"{name}:\d+: store.path: cannot change",
        ),
        (good + "log: {format: text}\n", rf"{name}:\d+: log.format: cannot change"),
        (good + "auth: {bearer: {issuer: i}}\n", rf"{name}:\d+: auth.bearer: set audience"),
    ]


@pytest.mark.parametrize("place", ["schema", "transform", "configuration"])
def test_a_pipe_in_the_place_of_a_file_holds_nothing_up(sluice, event, place):
    server = sluice()
    put_schema(server.folder, "Next", {})
    path = {
        "schema": server.folder / "conf/schemas" / REGISTRY / "Next.json",
        "transform": server.folder / put_transform(server.folder, "next", []),
        "configuration": server.file,
    }[place]
    changes = {"transform": {"transform": "conf/transforms/next.yaml"}, "schema": {"schema": "Next"}}
    rewrite(server, routes=[route(**changes.get(place, {}))])
    path.unlink()
    os.mkfifo(path)  # a FIFO without a writer: reading blocks
    reload(server, "reload_failed")
    assert server.post(event).status == 200
    server.stop()


def test_a_pipe_in_the_place_of_a_live_schema_does_not_keep_the_server(sluice, event):
    server = sluice()
    path = server.folder / "conf/schemas" / REGISTRY / f"{SCHEMA}.json"
    path.unlink()
    os.mkfifo(path)
    server.wait_log(event="schema_refresh_failed")
    assert server.post(event).status == 200
    server.stop()


def test_a_bad_one_changes_nothing(sluice, event):
    server = sluice()
    for text, wanted in bad_configurations(server):
        rewrite(server, text)
        said = reload(server, "reload_failed")
        assert re.search(wanted, said["error"]), (text, said)
        assert said["level"] == "error"
        assert server.post(event).status == 200
    assert count(server, "reloaded") == 0
    rewrite(server)
    reload(server)
    assert server.post(event).status == 200


def test_a_file_that_is_gone_changes_nothing(sluice, event):
    server = sluice()
    server.file.unlink()
    reload(server, "reload_failed")
    assert server.post(event).status == 200
    rewrite(server)
    reload(server)


def test_counts_go_on(sluice, event):
    server = sluice()
    names = ["sluice_events_total", "sluice_schema_refreshes_total"]
    for n in range(3):
        server.post(event)
        before = [metric(server, name) for name in names]
        assert before[0] == n + 1
        put_schema(server.folder, f"S{n}", {})
        rewrite(server, routes=[route(match={"source": "other"}, schema=f"S{n}"), route()])  # another schema
        reload(server)
        assert all(metric(server, name) >= old for name, old in zip(names, before))
    assert metric(server, "sluice_http_request_duration_seconds_count") >= 9


def test_a_known_schema_stays_known(sluice, event):
    """When its file becomes invalid, the last good version stays in use, also after a reload."""
    server = sluice()
    put_schema(server.folder, "InteractionStartedSchema", b"{")
    server.wait_log(event="schema_refresh_failed")
    rewrite(server, http={"respond": "receipt"})
    reload(server)  # without a change of schemas
    assert server.post(event).json["status"] == "accepted"
    put_schema(server.folder, "Other", {})
    rewrite(server, routes=[OTHER, route()])
    said = reload(server, "reload_failed")
    assert f"{REGISTRY}/InteractionStartedSchema" in said["error"]
    assert server.post(event).json["status"] == "accepted"


def test_what_has_begun_finishes_as_it_began(sluice, event):
    server = sluice()
    body = json.dumps(event).encode()
    head = "POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with server.connect() as slow, server.connect() as idle:
        slow.send(f"{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        slow.more()  # 100 Continue: the server has read the headers
        idle.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.answer("GET").status == 200
        rewrite(server, http={"respond": "receipt"})
        reload(server)
        assert server.post(event).json == {"id": event["id"], "status": "accepted"}
        slow.send(body)
        assert slow.answer().json["interaction_id"]
        slow.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert slow.answer().json["status"] == "accepted"  # the connection is still open
        idle.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.answer("GET").status == 200


def test_keys_of_an_issuer_survive(sluice, event):
    idp = Issuer("ES256")
    server = sluice(auth=idp.config())
    token = {"Authorization": f"Bearer {idp.token()}"}
    assert server.post(event, headers=token).status == 200
    idp.fails = True
    rewrite(server, auth=idp.config(), http={"respond": "receipt"})
    reload(server)
    assert server.post(event, headers=token).json["status"] == "accepted"
    idp.close()


def test_it_ends_well_after_and_during_a_reload(sluice, event):
    server = sluice()
    body = json.dumps(event).encode()
    with server.connect() as slow:
        slow.send(
            b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            + f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        slow.more()
        for respond in ("receipt", "record", "receipt"):
            rewrite(server, http={"respond": respond})
            reload(server)
        server.signal(signal.SIGHUP)
        server.signal(signal.SIGTERM)
        server.wait_log(event="stopping")
        slow.send(body)
        assert slow.answer().json["interaction_id"]  # the request still uses the configuration of three reloads before


ROUNDS = int(os.environ.get("SLUICE_ROUNDS", "24" if SLOW == 1 else "10"))


@pytest.mark.parametrize("store", ["", "var/sluice.db"], ids=["no store", "store"])
def test_a_storm_of_reloads_drops_nothing(sluice, event, store):
    """Valid and invalid configurations in turn, under load."""
    always = {"store": {"path": store}}
    server = sluice(log={"level": "warn"}, **always)
    put_schema(server.folder, "Other", {})
    good = [
        {"http": {"respond": "receipt"}},
        {"routes": [OTHER, route()]},
        {"http": {"respond": "record"}},
    ]
    bad = [text for text, _ in bad_configurations(server, **always)]
    with Load(server.connect, event) as load:
        for n in range(ROUNDS):
            if n % 2:
                rewrite(server, bad[n // 2 % len(bad)])
                reload(server, "reload_failed")
            else:
                rewrite(server, log={"level": "info"}, **always, **good[n // 2 % len(good)])
                reload(server)
    assert not load.faults
    total = sum(load.statuses.values())
    assert set(load.statuses) <= {200, 503}
    assert load.statuses[200] / total >= 0.999, load.statuses
    assert total > ROUNDS
    assert (count(server, "reloaded"), count(server, "reload_failed")) == (ROUNDS // 2,) * 2


def test_a_certificate_of_another_name_is_taken(sluice, folder):
    first, second = make_pair(folder, "first", days=10), make_pair(folder, "second", days=20)
    server = sluice(http={"tls": first})
    server.context = trusting(first, second)

    def subject():
        with server.connect() as connection:
            return dict(part[0] for part in connection.socket.getpeercert()["subject"])["commonName"]

    assert subject() == "first"
    rewrite(server, http={"tls": second})
    reload(server)
    assert subject() == "second"
    rewrite(server, http={"tls": first | {"key_file": second["key_file"]}})
    assert "http.tls" in reload(server, "reload_failed")["error"]
    rewrite(server)
    assert "cannot be switched on or off" in reload(server, "reload_failed")["error"]
    assert subject() == "second"
