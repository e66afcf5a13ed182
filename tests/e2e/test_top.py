"""`sluice top`: what a running server does, over its control socket."""

import json

import yaml

from server import run, wait_for

SINKS = [{"name": "out", "kind": "file", "path": "var/out.ndjson"}]


def top(server, *args):
    return run("top", *args, "-c", server.file, cwd=server.folder)


def test_top_shows_routes_sinks_and_what_waits(sluice, event):
    server = sluice(store={"path": "var/s.db"}, sinks=SINKS)
    for number in range(3):
        assert server.post({**event, "id": f"e{number}"}).status == 200
    assert server.post(event | {"detail": {"interaction": {"id": "\u001b[2J", "start_time": 5}}}).status == 400
    assert server.post(b"{").status == 400
    wait_for(lambda: server.metric('sluice_sink_delivered_total{sink="out"}') == 3)
    done = top(server, "--count", "1", "--interval", "10ms")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0][0] == "ready," and "\x1b" not in done.stdout
    assert "2 refused events open" in done.stdout
    assert ["route-1", "0.0", "0.0", "0.0", "3", "1", "0"] in lines
    assert ["(no", "route)", "0.0", "0.0", "0.0", "0", "1", "0"] in lines
    assert ["out", "0.0", "3", "0", "0", "0.0s"] in lines

    two = [json.loads(line) for line in top(server, "--json", "--count", "2", "--interval", "1ms").stdout.splitlines()]
    assert len(two) == 2 and two[0]["routes"] == two[1]["routes"]
    assert two[0]["routes"][1] == {"name": "route-1", "outcomes": {"valid": 3, "schema_invalid": 1}}
    assert two[0]["sinks"][0]["paused"] is False
    assert run("outbox", "pause", "out", "-c", server.file, cwd=server.folder).returncode == 0
    assert "paused" in top(server, "--count", "1", "--interval", "1ms").stdout
    assert not [line for line in server.log() if line.get("order") == "top"]


def test_top_needs_a_server(sluice):
    server = sluice(store={"path": "var/s.db"})
    assert top(server, "--count", "0").returncode == 2
    assert top(server, "--interval", "0s").returncode == 2
    server.stop()
    for config in (yaml.safe_load(server.file.read_text()), {"store": {"path": ""}}):
        server.file.write_text(yaml.safe_dump(config))
        done = top(server, "--count", "1")
        assert done.returncode == 3
        assert done.stderr == "sluice top: no server with this configuration's store runs here\n"
