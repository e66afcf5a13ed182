"""Routes: the schema and transform of an event, the place of its payload and id.

tests/unit/base/test_str.c tests globs, tests/unit/handlers/test_route.c tests matching."""

import json

from server import defaults, merge, put_schema, put_transform, route, run, wait_for
from test_reload import reload


def test_the_log_names_a_route_that_no_event_reaches(sluice):
    """`check` reports an error, but a server starts."""
    server = sluice(routes=[route(match={"source": "b"}), route(), route(match={"source": "a"})])
    line = server.wait_log(event="route_never_reached")
    assert (line["level"], line["route"], line["behind"]) == ("warn", 2, 1)
    assert sum(line["event"] == "route_never_reached" for line in server.log()) == 1


def mistakes(server, version):
    """The keys of the mistakes beside this version of the schema; of a transform "transform"."""
    return {
        line.get("key", "transform")
        for line in server.log()
        if line["event"] == "route_mistake"
        and (line["level"], line["route"], line["schema_version"]) == ("warn", "main", version)
    }


CLOSED = {"type": "object", "properties": {"x": True}, "additionalProperties": False}


def test_the_log_has_the_mistakes_that_check_finds(folder, sluice):
    """At the start, again for another version of the schema, and again after a reload."""
    put_schema(folder, "Closed", CLOSED)
    name = put_transform(folder, "y", [{"name": "y", "from": "/y"}])
    pattern = {"account": [5], "detail": {"y": ["a"]}}
    server = sluice(
        routes=[route(name="main", match={}, pattern=pattern, schema="Closed", transform=name)]
    )

    all_of_them = {"/routes/0/pattern/account", "/routes/0/pattern/detail/y", "transform"}
    first = server.wait_log(event="route_mistake")["schema_version"]
    wait_for(lambda: mistakes(server, first) == all_of_them)
    line = next(line for line in server.log() if "y.yaml" in line.get("mistake", ""))
    assert "fields[0].from: no valid event has a value at /y" in line["mistake"]
    put_schema(folder, "Closed", CLOSED | {"title": "again"})
    second = server.wait_log(event="schema_live")["version"]
    wait_for(lambda: mistakes(server, second) == all_of_them)
    put_transform(folder, "y", [{"name": "z", "value": 1, "when": {"z": ["a"]}}])
    reload(server)
    line = server.wait_text(lambda text: '"route_mistake"' in text and "fields[0].when.z: no valid event fits" in text)
    assert json.loads(line)["schema_version"] == second


def test_schemas_in_glue_show_mistakes_too(folder, sluice, glue):
    """`check` asks Glue, and a server logs what a new version rules out."""
    glue.put({"type": "object"}, schema="Closed")
    name = put_transform(folder, "y", [{"name": "y", "from": "/y"}])
    options = {
        "aws": glue.config(),
        "registry": {"kind": "glue", "refresh": "1s"},
        "routes": [route(name="main", schema="Closed", transform=name)],
    }
    server = sluice(env=glue.environment(), **options)
    check = ("check", "-c", server.file)
    assert run(*check, cwd=folder, env=glue.environment()).returncode == 0
    glue.put(CLOSED, schema="Closed")
    server.wait_log(event="route_mistake", route="main", schema_version="2")
    assert mistakes(server, "1") == set()
    result = run(*check, cwd=folder, env=glue.environment())
    assert result.returncode == 1
    assert "fields[0].from: no valid event has a value at /y" in result.stdout
    assert run(*check, "--offline", cwd=folder).returncode == 0


def test_check_reports_all_problems_at_once(folder):
    """Those of each transform, and a missing schema by its file, line and route, whatever else is wrong."""
    (folder / "conf/transforms/one.yaml").write_text("fields:\n- {name: a}\n- {from: /b}\n")
    (folder / "conf/transforms/two.yaml").write_text("fields:\n- {name: a, form: /b}\n")
    (folder / "check.yaml").write_text(
        "store: { path: '' }\n"
        "routes:\n"
        "- { match: { source: a }, schema: S, registry: R, transform: conf/transforms/one.yaml, paylod: /x }\n"
        "- match: { source: b }\n"
        "  registry: R\n"
        "  schema: Nowhere\n"
        "  transform: conf/transforms/two.yaml\n"
        "sinks: []\n"
    )
    result = run("check", "-c", "check.yaml", cwd=folder)
    assert result.returncode == 1
    for problem in (
        "check.yaml:3: routes[0].paylod: unknown key, is payload meant?",
        "check.yaml:6: routes[1].schema: ",
        "one.yaml:2: fields[0]: expected a field",
        "one.yaml:3: fields[1].name: is missing",
        "two.yaml:2: fields[0].form: unknown key, is from meant?",
    ):
        assert problem in result.stdout + result.stderr, problem


def test_each_route_has_its_schema(folder, sluice):
    put_schema(folder, "Text", {"type": "string"})
    put_schema(folder, "Number", {"type": "number"})
    name = put_transform(folder, "v", [{"name": "v", "from": ""}])
    server = sluice(
        routes=[
            route(match={"source": "t"}, schema="Text", transform=name),
            route(match={"source": "n"}, schema="Number", transform=name),
        ]
    )
    assert server.post({"source": "t", "detail": "x"}).body == b'{"v":"x"}'
    assert server.post({"source": "n", "detail": "x"}).status == 400
    assert server.post({"source": "n", "detail": 1.50}).body == b'{"v":1.5}'
    assert server.post({"source": "t", "detail": 1}).status == 400


INTERACTION = {"interaction": {"id": "a", "start_time": "b"}}


def test_the_new_bus_wraps_its_events(sluice):
    server = sluice(
        routes=[route(match={"/Metadata/kind": "call"}, payload="/Data", id="/Metadata/EventId")]
    )
    wrapped = {
        "Data": INTERACTION,
        "Metadata": {"kind": "call", "EventId": "e1"},
        "SystemMetadata": {},
    }
    assert server.post(wrapped).json["interaction_id"] == "a"
    assert server.post([wrapped]).json["results"] == [{"id": "e1", "status": 200}]


def test_a_bare_payload_is_the_whole_body(sluice):
    server = sluice(routes=[route(match={}, payload="", id="/interaction/id")])
    assert server.post(INTERACTION).json["interaction_id"] == "a"
    assert server.post([INTERACTION]).json["results"] == [{"id": "a", "status": 200}]
    answer = server.post({"interaction": {"id": "a"}})
    assert answer.json["errors"][0]["instanceLocation"] == "/interaction"


def test_names_of_partner_events_match_the_default_route(shared, event):
    for source, kind in (
        ("aws.partner/genesys.com/cloud/0a/queue", "v2.detail.events.conversation.{id}.customer.start"),
        ("genesyscloud", "interaction.started"),
    ):
        assert shared.post(event | {"source": source, "detail-type": kind}).status == 200


def test_patterns_choose_and_routes_drop(folder, sluice, event):
    """One server: a pattern, numbers and lists in `match`, `drop`; nothing dropped is stored."""
    server = sluice(
        store={"path": "var/sluice.db"},
        routes=[
            route(name="noise", match={}, pattern={"source": [{"prefix": "noise."}]}, drop=True),
            route(name="old", match={"version": [1, "1"], "/detail/test": True}, drop=True),
            route(
                match={},
                pattern={
                    "$or": [{"source": ["genesyscloud"]}, {"region": [{"anything-but": "eu-west-1"}]}],
                    "detail": {"interaction": {"id": [{"exists": True}]}},
                }
            ),
        ],
    )
    dropped = {"id": "d1", "source": "noise.x", "detail": 5}
    for body in (dropped, {"version": 1.0, "detail": {"test": True}}):
        answer = server.post(body)
        assert (answer.status, answer.json) == (200, {"status": "dropped"})
    assert server.post([dropped, event]).json["results"] == [
        {"id": "d1", "status": 200, "dropped": True},
        {"id": event["id"], "status": 200},
    ]
    assert server.post(dropped).json == {"status": "dropped"}  # never a duplicate
    assert server.post(event | {"detail": {}}).json["details"] == "No route for this event"
    other = event | {"source": "x", "region": "eu-west-1"}
    assert server.post(other).json["details"] == "No route for this event"
    for name, count in (("noise", 3), ("old", 1)):
        assert server.metric(f'sluice_events_total{{route="{name}",outcome="dropped"}}') == count
    assert server.metric("sluice_store_accepted_total") == 1
    line = server.wait_log(event="request", event_id="d1")
    assert (line["status"], line["outcome"], line["route"]) == (200, "dropped", "noise")


def test_check_finds_what_the_schema_rules_out(folder):
    items = {"type": "array", "items": {"type": "object"}}
    properties = {"a": {"type": "string"}, "items": items}
    closed = {"type": "object", "additionalProperties": False, "properties": properties}
    put_schema(folder, "Closed", closed)
    put_schema(folder, "Open", {"type": "object"})
    places = {"x": "/a/b", "y": "/items/0/z", "z": "/c"}
    name = put_transform(folder, "t", [{"name": n, "from": at} for n, at in places.items()])
    detail = {"c": [1], "a": {"b": [{"exists": False}]}, "items": {"z": [1]}}
    pattern = {"account": [123], "detail": detail}
    quotes = "matches no event of EventBridge, in which this is a string: use quotes"
    why = "matches no valid event: the schema of the route rules this value out"
    for schema in ("Closed", "Open"):
        routes = [
            route(name="p", match={}, pattern=pattern, schema=schema, transform=name),
            route(match={"region": 5}, schema="Open", transform=name),
        ]
        config = merge(defaults(), {"routes": routes})
        (folder / "check.yaml").write_text(json.dumps(config, indent=1))
        result = run("check", "-c", "check.yaml", cwd=folder)
        found = [line.split(": ", 1)[1] for line in result.stdout.splitlines()]
        expected = [f"routes[0].pattern.account: {quotes}", f"routes[1].match.region: {quotes}"]
        if schema == "Closed":
            expected.insert(1, f"routes[0].pattern.detail.c: {why}")
            for at in (0, 2):
                place = list(places.values())[at]
                expected.append(
                    f"fields[{at}].from: no valid event has a value at {place}: "
                    "the schema of routes[0] rules it out"
                )
        assert (result.returncode, found) == (1, expected)
