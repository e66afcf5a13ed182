"""Shadow schemas: tried beside the live ones; they never answer.

tests/unit/schema/registry/test_shadow.c tests the counts, what is kept, and costly checks."""

import copy
import json
import signal

import yaml

from server import defaults, merge, put_schema, route, run, wait_for

NAME = "sluice_shadow_events_total"


def write_shadow(folder, schema):
    (folder / "next.json").write_text(json.dumps(schema))


def totals(server):
    lines = server.get("/metrics").body.decode().splitlines()
    return {
        line.split('verdict="')[1].split('"')[0]: int(line.rsplit(" ", 1)[1])
        for line in lines
        if line.startswith(NAME + '{route="main"')
    }


def shadow(server, *options):
    return run("schema", "shadow", "-c", server.file.name, *options, cwd=server.folder)


def test_a_shadow_counts_what_it_would_decide_differently(folder, sluice, event):
    put_schema(folder, "Live", {"required": ["interaction"]})
    write_shadow(folder, {"properties": {"interaction": {"required": ["language"]}}})
    main = route(name="main", schema="Live", shadow={"file": "next.json"})
    server = sluice(routes=[main], store={"path": "var/s.db"})
    assert shadow(server).returncode == 0
    assert server.post(event).status == 200
    refused = server.post(event | {"detail": {}})
    assert refused.json["details"] == "'interaction' is a required property"
    different = copy.deepcopy(event)
    different["detail"]["interaction"]["language"] = "en"
    assert server.post([different, event, {"detail": 5}]).status == 200
    assert totals(server) == {
        "agrees": 2,  # the second of them is 5, to which neither schema objects
        "would_refuse": 2,
        "would_accept": 1,
        "skipped": 0,
        "unavailable": 0,
    }
    said = json.loads(shadow(server, "--json").stdout)
    assert (said["route"], said["schema"], said["usable"]) == ("main", "Live", True)
    assert [(r["verdict"], r["rule"], r["place"], r["events"]) for r in said["rules"]] == [
        ("would_refuse", "/properties/interaction/required", "/interaction", 2),
        ("would_accept", "/required", "", 1),
    ]
    text = shadow(server, "main")
    assert text.returncode == 1  # the answer is no
    assert "2 events agree, 2 would be refused, 1 would be accepted" in text.stdout
    assert "/properties/interaction/required at /interaction first" in text.stdout
    assert shadow(server, "other").returncode == 2

    # A reload that makes new routes and catalogs continues the counts; so does another shadow.
    write_shadow(folder, True)
    config = merge(defaults(), {"routes": [main, route(name="b")], "store": {"path": "var/s.db"}})
    server.file.write_text(yaml.safe_dump(config))
    server.signal(signal.SIGHUP)
    server.wait_log(event="reloaded")
    assert server.post(event).status == 200
    assert totals(server)["agrees"] == 3
    assert json.loads(shadow(server, "--json").stdout)["rules"] == []


def test_a_server_starts_without_its_shadow(folder, sluice, event):
    server = sluice(routes=[route(name="main", shadow={"file": "next.json"})])
    line = server.wait_log(event="schema_refresh_failed")
    assert (line["level"], line["routes"]) == ("warn", "main")
    assert line["shadow"].endswith("next.json")
    assert server.get("/readyz").status == 200
    assert server.post(event).status == 200
    assert totals(server)["unavailable"] == 1
    assert run("schema", "shadow", "-c", "sluice.yaml", cwd=folder).returncode == 3
    said = run("check", "-c", "sluice.yaml", cwd=folder)
    assert said.returncode == 1
    assert "routes[0].shadow: " in said.stderr + said.stdout
    explained = run("explain", "-c", "sluice.yaml", stdin=json.dumps(event), cwd=folder)
    assert explained.returncode == 0 and "next.json unavailable" in explained.stdout
    write_shadow(folder, {"required": ["language"]})
    server.wait_log(event="schema_refresh_recovered")
    wait_for(lambda: server.post(event) and totals(server)["would_refuse"])
    explained = run("explain", "-c", "sluice.yaml", stdin=json.dumps(event), cwd=folder)
    assert "next.json would_refuse: /required at \"\"" in explained.stdout
    many = run("explain", "--json", "-c", "sluice.yaml", stdin=json.dumps([event, event]), cwd=folder)
    steps = [step for step in json.loads(many.stdout)["steps"] if step["step"] == "shadow"]
    assert [(s["event"], s["verdict"], s["rule"]) for s in steps] == [
        (1, "would_refuse", "/required"),
        (2, "would_refuse", "/required"),
    ]


def test_a_shadow_is_one_of_version_and_file(folder):
    for shadow_keys, expected in (
        ({"version": 7}, "routes[0].shadow.version: needs registry.kind: glue"),
        ({"version": 7, "file": "a"}, "routes[0].shadow: has a version and a file"),
        ({"version": "x"}, "routes[0].shadow.version: expected a version number or a UUID"),
    ):
        config = merge(defaults(), {"routes": [route(shadow=shadow_keys)]})
        (folder / "bad.yaml").write_text(yaml.safe_dump(config))
        said = run("check", "-c", "bad.yaml", cwd=folder)
        assert said.returncode == 1
        assert expected in said.stdout + said.stderr
