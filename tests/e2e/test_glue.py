"""Schemas from AWS Glue: every kind of failure, with and without a known version of the schema."""

import concurrent.futures
import json
import re
import signal
import threading
import time

import pytest

from glue_server import REGISTRY, SCHEMA, GlueServer
from server import PATIENCE, ROOT, SLOW, merge, route, run

DEFINITION = json.loads((ROOT / f"conf/schemas/{REGISTRY}/{SCHEMA}.json").read_text())
NOT_FOUND = f"Schema {SCHEMA} not found in registry {REGISTRY}"
DENIED = "IAM role lacks glue:GetSchemaVersion permission"
SDK = "AWS SDK error during schema retrieval: "
RETRY_WITHIN = 10 * SLOW


@pytest.fixture
def glue(glue):
    glue.put(DEFINITION)
    return glue


@pytest.fixture
def serve(sluice):
    """`serve(glue, ...)` starts a server that gets its schemas from `glue`."""

    def start(server, env=None, **changes):
        registry = {"kind": "glue", "refresh": "1h"} | changes.pop("registry", {})
        return sluice(
            env=server.environment() | (env or {}),
            aws=server.config() | changes.pop("aws", {}),
            registry=registry,
            **changes,
        )

    return start


def await_ready(server, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while server.get("/readyz").status != 200:
        assert time.monotonic() < deadline, server.get("/readyz")
        time.sleep(0.02)
    return server


def await_status(server, event, status, patience=RETRY_WITHIN):
    """Send the event until it is answered with this status, as EventBridge does."""
    deadline = time.monotonic() + patience
    while (answer := server.post(event)).status != status:
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    return answer


def metric(server, name, **labels):
    for line in server.get("/metrics").body.decode().splitlines():
        if line.startswith(name) and all(f'{k}="{v}"' in line for k, v in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    return None


# For each fault: status and details with `status_map: tutorial`; status with `status_map: eventbridge`.
FAULTS = {
    "throttle": (500, None, 500),
    "throttle_header": (500, None, 500),
    "unavailable": (500, None, 500),
    "internal": (500, "AWS Glue error: InternalServiceException", 500),
    "denied": (400, DENIED, 503),
    "forbidden": (400, DENIED, 503),
    "not_found": (400, NOT_FOUND, 503),
    "expired": (500, "AWS Glue error: ExpiredTokenException", 500),
    "empty": (400, "Schema definition is empty in Glue Registry", 503),
    "garbage": (400, SDK, 503),
    "garbage_definition": (400, "Schema definition is not valid JSON: ", 503),
    "truncated": (400, SDK, 503),
    "hang": (503, "deadline", 503),
    "drip": (503, "deadline", 503),
    "reset": (400, SDK, 503),
    "close": (400, SDK, 503),
    "avro": (400, "Schema format is AVRO, not JSON", 503),
    "pending": (400, "Schema version 1 is PENDING, not AVAILABLE", 503),
    "failure": (400, "Schema version 1 is FAILURE, not AVAILABLE", 503),
    "deleting": (400, "Schema version 1 is DELETING, not AVAILABLE", 503),
}

EACH_KIND = ["throttle", "internal", "denied", "not_found", "empty", "garbage", "hang", "reset", "avro"]


def check_failure(answer, status, details):
    error = {400: "Processing failed", 503: "Service unavailable"}.get(status)
    if status == 500:
        error = "Internal server error" if details else "AWS Glue service unavailable"
    assert answer.status == status, answer
    assert answer.json["error"] == error
    if details is None:
        assert list(answer.json) == ["error"]
    else:
        assert answer.json["details"].startswith(details)
    assert (answer.header("Retry-After") is not None) == (status == 503)


def test_an_event_is_checked_by_glues_schema(glue, serve, event):
    server = serve(glue)
    answer = server.post(event)  # the first event waits for the schema
    assert answer.status == 200, answer
    assert answer.json["interaction_id"] == event["detail"]["interaction"]["id"]
    assert server.wait_log(event="request")["schema_version"] == "1"
    event["detail"]["interaction"]["id"] = 5
    assert server.post(event).json["error"] == "Schema validation failed"
    assert glue.count() == 1
    assert glue.calls == [
        (
            "GetSchemaVersion",
            {
                "SchemaId": {"RegistryName": REGISTRY, "SchemaName": SCHEMA},
                "SchemaVersionNumber": {"LatestVersion": True},
            },
        )
    ]


@pytest.mark.emulator_only("faults")
@pytest.mark.parametrize("name", EACH_KIND)
def test_a_failure_without_a_known_version(glue, serve, event, name):
    """Both status maps are right, and a retry after the end of the fault is soon answered 200."""
    status, details, eventbridge = FAULTS[name]
    glue.fault(name)
    limits = {"http": {"deadline": "1500ms"}} if details == "deadline" else {}
    tutorial = serve(glue, **limits)
    other = serve(glue, status_map="eventbridge", **limits)
    answers = []
    asking = [
        threading.Thread(target=lambda s=server: answers.append((s, s.post(event))))
        for server in (tutorial, other)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    for server, answer in answers:
        check_failure(answer, status if server is tutorial else eventbridge, details)
        assert server.get("/readyz").status == 503
        assert server.get("/readyz").json["checks"]["schema"]["reason"]
    glue.fault(None)
    for server in (tutorial, other):
        await_status(server, event, 200)
        assert server.get("/readyz").status == 200


@pytest.mark.emulator_only("faults")
def test_failures_change_nothing_once_a_version_is_known(glue, serve, event):
    server = serve(glue, registry={"refresh": "20ms"})
    await_ready(server)
    for name in (name for name in FAULTS if name not in ("hang", "drip")):
        glue.fault(name)
        glue.wait_calls("GetSchemaVersion", glue.count() + 1)
        started = time.monotonic()
        assert server.post(event).status == 200, name
        assert time.monotonic() - started < 3 * SLOW
        assert server.get("/readyz").status == 200
    news = server.get("/readyz").json["checks"]["schema"]["news"]
    assert news[0]["version"] == "1" and news[0]["last_error"]
    assert "Rate exceeded" not in str(news)
    assert metric(server, "sluice_schema_refreshes_total", result="error") > 0
    assert metric(server, "sluice_schema_info", version="1") == 1


@pytest.mark.emulator_only("faults")
@pytest.mark.parametrize("name", ["hang", "drip"])
def test_a_slow_call_delays_no_event_then(glue, serve, event, name):
    server = await_ready(serve(glue, registry={"refresh": "20ms"}))
    glue.fault(name)
    glue.wait_calls("GetSchemaVersion", glue.count() + 1)
    for _ in range(5):
        started = time.monotonic()
        assert server.post(event).status == 200
        assert time.monotonic() - started < 3 * SLOW


@pytest.mark.emulator_only("faults")
def test_the_end_is_quick_while_glue_hangs(glue, serve):
    glue.fault("hang")
    server = serve(glue)
    glue.wait_calls("GetSchemaVersion", 1)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 2 * SLOW


def test_a_wrong_name_is_a_transport_failure(glue, serve, event):
    server = serve(glue, aws={"endpoint_url": "http://glue.invalid:1"})
    check_failure(server.post(event), 400, SDK)
    server = serve(glue, aws={"endpoint_url": "http://127.0.0.1:1"}, status_map="eventbridge")
    check_failure(server.post(event), 503, SDK)


@pytest.mark.emulator_only("tls")
@pytest.mark.parametrize("kind", ["expired", "wrong_name", "unknown"])
def test_a_bad_certificate_is_a_transport_failure(serve, event, kind):
    with GlueServer(tls=kind) as glue:
        glue.put(DEFINITION)
        check_failure(serve(glue).post(event), 400, SDK)
        assert glue.count() == 0


def test_plain_text_where_tls_is_wanted_is_a_transport_failure(glue, serve, event):
    server = serve(glue, aws={"endpoint_url": glue.url.replace("http:", "https:")})
    check_failure(server.post(event), 400, SDK)


@pytest.mark.emulator_only("tls")
def test_a_good_certificate_is_fine(serve, event):
    with GlueServer(tls="good") as glue:
        glue.put(DEFINITION)
        assert serve(glue).post(event).status == 200


def test_senders_get_no_path_and_no_profile(glue, serve, event, folder):
    """They are neither in an answer nor in /readyz, but in the log."""
    script = folder / "keys"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    profiles = folder / "aws.ini"
    profiles.write_text(f"[profile hush-hush]\ncredential_process = {script}\n")
    env = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONFIG_FILE": str(profiles)}
    server = serve(glue, env=env, aws={"profile": "hush-hush"})
    answer = server.post(event)
    assert (answer.status, answer.json["details"]) == (400, SDK + "no credentials")
    assert server.get("/readyz").json["checks"]["schema"]["reason"] == SDK + "no credentials"
    line = server.wait_log(event="schema_refresh_failed")
    assert "ended with status 3" in line["error"]
    told = run("check", "-c", server.file, cwd=folder, env=glue.environment() | env)
    assert "ended with status 3" in told.stdout + told.stderr


def test_without_credentials_it_is_a_transport_failure(glue, serve, event):
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    check_failure(serve(glue, env=none).post(event), 400, SDK)


@pytest.mark.parametrize("who", ["a stranger", "a wrong secret"])
def test_wrong_keys_are_refused(glue, serve, event, who):
    key, secret, _ = glue.stranger if who == "a stranger" else (glue.key[0], "wrong", "")
    server = serve(glue, env={"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret})
    answer = server.post(event)
    check_failure(answer, 500, "AWS Glue error: ")
    codes = "UnrecognizedClient|InvalidSignature"  # AWS's; those of moto follow
    codes += "|InvalidClientTokenId|SignatureDoesNotMatch"
    assert re.search(codes, answer.json["details"])


@pytest.mark.emulator_only("faults")
@pytest.mark.parametrize("skew", [1200, -1200])
def test_a_clock_that_is_20_minutes_wrong_is_corrected(glue, serve, event, skew):
    glue.skew = skew
    assert serve(glue).post(event).status == 200


def test_without_a_region_it_does_not_start(folder):
    (folder / "sluice.yaml").write_text("registry: {kind: glue}\n")
    told = run("serve", "-c", "sluice.yaml", cwd=folder)
    assert told.returncode == 3
    assert told.stderr == "sluice serve: no AWS region: set aws.region or AWS_REGION\n"


@pytest.mark.emulator_only("faults")
def test_many_first_events_cause_one_call(glue, serve, event):
    count = 1000 if SLOW == 1 else 200
    server = serve(glue)
    connections = [server.connect() for _ in range(count)]
    release = threading.Event()
    plain = glue.answer
    glue.answer = lambda *args: (release.wait(PATIENCE), plain(*args))[1]  # all calls wait for `release`
    body = json.dumps(event).encode()
    head = f"POST /events HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for connection in connections:
        connection.send(head + body)
    release.set()
    assert {connection.answer().status for connection in connections} == {200}
    for connection in connections:
        connection.close()
    assert glue.count() == 1


def test_a_new_version_is_live_after_a_refresh(glue, serve, event):
    server = await_ready(serve(glue, registry={"refresh": "50ms"}))
    glue.put(DEFINITION | {"required": ["interaction", "missing"]})
    answer = await_status(server, event, 400)
    assert answer.json["details"] == "'missing' is a required property"
    glue.put(DEFINITION | {"title": "wide again"})
    await_status(server, event, 200)
    assert metric(server, "sluice_schema_info", version="3") == 1


def test_traffic_goes_on_while_the_schema_evolves(glue, serve, event):
    server = await_ready(serve(glue, registry={"refresh": "50ms"}))
    stop = threading.Event()

    def traffic():
        statuses = set()
        while not stop.is_set():
            statuses.add(server.post(event).status)
        return statuses

    with concurrent.futures.ThreadPoolExecutor() as pool:
        sent = pool.submit(traffic)
        try:
            wrong = merge(event, {"detail": {"added": 7}})
            assert server.post(wrong).status == 200
            glue.put(merge(DEFINITION, {"properties": {"added": {"type": "string"}}}))
            await_status(server, wrong, 400)
        finally:
            stop.set()
    assert sent.result() == {200}


def test_a_schema_is_used_once_it_is_there(glue, serve, event):
    server = serve(glue, routes=[route(schema="Later")], registry={"refresh": "50ms"})
    check_failure(server.post(event), 400, f"Schema Later not found in registry {REGISTRY}")
    glue.put(DEFINITION, schema="Later")
    await_status(server, event, 200)


@pytest.mark.emulator_only("faults")
def test_a_restart_without_glue_serves_from_the_cache(glue, serve, sluice, event):
    folder = {"registry": {"cache_dir": "cache/of/schemas", "refresh": "1h"}}
    first = await_ready(serve(glue, **folder))
    first.stop()
    cache = first.folder / "cache/of/schemas"
    assert cache.stat().st_mode & 0o777 == 0o700
    glue.fault("hang")
    again = serve(glue, registry={"cache_dir": str(cache), "refresh": "1h"})
    assert again.post(event).status == 200
    assert again.run_time() < 0.05 * SLOW  # of CPU time, whatever else the machine does
    assert time.monotonic() - again.started < 3 * SLOW  # less than a call of Glue may take
    assert again.get("/readyz").status == 200


def test_a_damaged_cache_is_ignored_with_a_warning(glue, serve, event):
    cache = {"cache_dir": "cache", "refresh": "1h"}
    first = await_ready(serve(glue, registry=cache))
    first.stop()
    for file in (first.folder / "cache").iterdir():
        file.write_bytes(file.read_bytes().replace(b"string", b"number"))
    cache["cache_dir"] = str(first.folder / "cache")
    second = serve(glue, registry=cache)
    assert second.wait_log(event="schema_cache_ignored")["level"] == "warn"
    assert second.post(event).status == 200
    assert glue.count() == 2


@pytest.mark.parametrize("by", ["number", "uuid"])
def test_a_pinned_version_stays(glue, serve, event, by):
    pinned = glue.put(DEFINITION)
    glue.put(False)
    pin = {f"{REGISTRY}/{SCHEMA}": pinned.number if by == "number" else pinned.id}
    server = serve(glue, registry={"refresh": "10ms", "pin": pin})
    assert server.post(event).status == 200
    assert metric(server, "sluice_schema_info", version=pinned.number) == 1
    assert glue.count() == 1


def test_a_pinned_uuid_of_another_schema_is_refused(glue, serve, event):
    other = glue.put(DEFINITION, schema="Other")
    server = serve(glue, registry={"pin": {f"{REGISTRY}/{SCHEMA}": other.id}})
    check_failure(server.post(event), 400, f"Schema version {other.id} is another schema's")


def test_one_schema_that_is_missing_does_not_delay_another(glue, serve, event, folder):
    names = [SCHEMA, "Missing"]
    routes = [route(match={"detail-type": name}, schema=name) for name in names]
    server = serve(glue, routes=routes)
    for name, status in zip(names, (200, 400), strict=True):
        assert server.post(event | {"detail-type": name}).status == status
    batch = [event | {"detail-type": name} for name in names]
    assert [result["status"] for result in server.post(batch).json["results"]] == [200, 400]


@pytest.mark.parametrize(
    ("store", "final"),
    [
        ({"path": ""}, True),
        ({"path": "var/sluice.db", "quarantine": {"enabled": False}}, True),
        ({"path": "var/sluice.db"}, False),  # the quarantine keeps refused events, so no warning
    ],
    ids=["no store", "no quarantine", "quarantine"],
)
def test_a_warning_tells_that_failures_are_final(glue, serve, store, final):
    server = serve(glue, store=store)
    server.stop()
    said = [line["level"] for line in server.log() if line["event"] == "registry_failures_are_final"]
    assert said == (["warn"] if final else [])


# The guard.

NARROW = DEFINITION | {"required": ["interaction", "missing"]}


def check_guard(server, held):
    news = server.get("/readyz").json["checks"]["schema"]["news"][0]["guard"]
    assert news.pop("tried") >= news.pop("refused") >= 1
    place = {"instanceLocation": "", "keywordLocation": "/required"}
    assert news == {"held": held, "version": "2"} | place


def test_the_guard_warns_of_a_version_that_would_refuse_what_came(glue, serve, event):
    server = await_ready(serve(glue, registry={"refresh": "50ms"}))
    assert server.post(event).status == 200
    glue.put(NARROW)
    await_status(server, event, 400)
    line = server.wait_log(event="schema_guard")
    assert (line["level"], line["version"], line["held"]) == ("warn", "2", False)
    assert line["keyword_location"] == "/required"
    check_guard(server, held=False)
    assert metric(server, "sluice_schema_guard_refusals_total") == 1
    assert event["detail"]["interaction"]["id"] not in "".join(map(str, server.log()))


def test_a_version_of_glue_is_a_shadow(glue, serve, event):
    glue.put(NARROW)
    name = "GenesysInteractionRegistry/InteractionStartedSchema"
    server = serve(
        glue,
        registry={"pin": {name: 1}},
        routes=[route(name="main", shadow={"version": 2})],
    )
    server.wait_log(event="schema_live", shadow="version 2")
    assert server.post(event).status == 200
    labels = {"route": "main", "verdict": "would_refuse"}
    assert metric(server, "sluice_shadow_events_total", **labels) == 1


def test_enforced_it_keeps_the_old_version_until_accepted(glue, serve, event):
    server = await_ready(
        serve(glue, registry={"refresh": "50ms", "guard": "enforce", "cache_dir": "cache"})
    )
    assert server.post(event).status == 200
    glue.put(NARROW)
    server.wait_log(event="schema_guard", held=True)
    assert server.post(event).status == 200
    check_guard(server, held=True)
    assert metric(server, "sluice_schema_info", version="1") == 1
    deadline = time.monotonic() + PATIENCE
    while metric(server, "sluice_schema_refreshes_total", result="held") < 1:
        assert time.monotonic() < deadline
    told = run("schema", "accept", "7", "-c", server.file, cwd=server.folder, env=glue.environment())
    assert told.returncode == 1
    told = run("schema", "accept", "2", "-c", server.file, cwd=server.folder, env=glue.environment())
    assert (told.returncode, told.stderr) == (0, "")
    assert await_status(server, event, 400).json["details"] == "'missing' is a required property"
    assert metric(server, "sluice_schema_info", version="2") == 1


def test_a_reload_is_no_way_around_it(glue, serve, event):
    server = await_ready(serve(glue, registry={"guard": "enforce", "cache_dir": "cache"}))
    assert server.post(event).status == 200
    glue.put(NARROW)
    text = server.file.read_text()
    server.file.write_text(text.replace("refresh: 1h", "refresh: 2h"))
    server.signal(signal.SIGHUP)
    server.wait_log(event="schema_guard", held=True)
    assert glue.count() == 2
    assert server.post(event).status == 200
    check_guard(server, held=True)
    server.file.write_text(text)  # a reload keeps the guard's result and does not count it again
    server.signal(signal.SIGHUP)
    glue.wait_calls("GetSchemaVersion", 3)
    server.stop()
    assert len([line for line in server.log() if line["event"] == "schema_guard"]) == 1


@pytest.mark.emulator_only("faults")
def test_a_reload_needs_neither_glue_nor_the_cache(glue, serve, event, folder):
    (folder / "cache").write_text("in the way")
    server = await_ready(serve(glue, registry={"cache_dir": "cache"}))
    server.wait_log(event="schema_cache_failed")
    glue.fault("hang")
    server.file.write_text(server.file.read_text().replace("refresh: 1h", "refresh: 2h"))
    started = time.monotonic()
    server.signal(signal.SIGHUP)
    server.wait_log(event="reloaded")
    assert time.monotonic() - started < 2 * SLOW
    assert server.post(event).status == 200
    assert metric(server, "sluice_schema_info", version="1") == 1


def test_with_the_guard_off_nothing_is_reported(glue, serve, event):
    server = await_ready(serve(glue, registry={"refresh": "50ms", "guard": "off"}))
    assert server.post(event).status == 200
    glue.put(NARROW)
    await_status(server, event, 400)
    assert "news" not in server.get("/readyz").json["checks"]["schema"]
    assert metric(server, "sluice_schema_guard_refusals_total") == 0
