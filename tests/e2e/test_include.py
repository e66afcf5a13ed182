"""`include`: routes and sinks of other files, their problems at their own places, and a reload."""

import json

import pytest
import yaml

from server import SCHEMA, defaults, merge, route, run
from test_reload import reload


def write(folder, include, **files):
    """A configuration with one route of its own; `files` are those in conf.d."""
    text = merge(defaults(), {"include": include, "routes": [route(match={"source": "own"})]})
    (folder / "sluice.yaml").write_text(yaml.safe_dump(text, sort_keys=False))
    (folder / "conf.d").mkdir(exist_ok=True)
    for name, content in files.items():
        content = content if isinstance(content, str) else yaml.safe_dump(content)
        (folder / "conf.d" / f"{name}.yaml").write_text(content)
    return folder / "sluice.yaml"


def included(name, **changes):
    """A route in conf.d: its files are named from there."""
    transform = "../conf/transforms/interaction.started.yaml"
    return route(name=name, match={"source": name}, transform=transform, **changes)


def check(folder, *args):
    return run("check", *args, "-c", "sluice.yaml", cwd=folder)


def test_routes_and_sinks_follow_in_the_order_of_names(folder):
    write(
        folder,
        "conf.d/*.yaml",
        b={"routes": [included("b")], "sinks": [{"name": "b", "kind": "file", "path": "b.ndjson"}]},
        a={"routes": [included("a1"), included("a2")]},
        c="# nothing\n",
    )
    done = check(folder, "--print")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert [each["name"] for each in shown["routes"]][1:] == ["a1", "a2", "b"]
    assert [each["name"] for each in shown["sinks"]] == ["b"]
    assert "include" not in shown


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (
            "sinks:\n- {name: s, kind: file, path: s.ndjson}\n- {name: s, kind: file, pathh: t}\n",
            [
                "conf.d/z.yaml:3: sinks[1].pathh: unknown key, is path meant?",
                "conf.d/z.yaml:3: sinks[1].path: is missing",
                "conf.d/z.yaml:3: sinks[1].name: another sink has this name already",
            ],
        ),
        (
            "http: {}\nroutes: 7\nsinks:\n- name: &x s\n",
            [
                "conf.d/z.yaml:1: http: only routes and sinks may be in a file that is included",
                "conf.d/z.yaml:2: routes: expected a list",
                "conf.d/z.yaml:4: sinks[0].name: anchors and aliases are not allowed",
                "conf.d/z.yaml:4: sinks[0].kind: is missing",
            ],
        ),
        ("7\n", ["conf.d/z.yaml:1: expected routes and sinks"]),
        (
            f"routes:\n- {{schema: {SCHEMA}, payload: x}}\n",
            ["conf.d/z.yaml:2: routes[0].payload: expected a JSON Pointer"],
        ),
    ],
    ids=["a sink", "keys", "a number", "a route"],
)
def test_a_problem_is_at_its_place_in_the_included_file(folder, content, problems):
    write(folder, ["conf.d/a.yaml", "conf.d/z*"], a={"routes": [included("a")]}, z=content)
    done = check(folder)
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 1
    for problem in problems:
        assert any(line.startswith(problem) for line in lines), lines


@pytest.mark.parametrize(
    ("include", "said"),
    [
        ("conf.d/absent.yaml", "conf.d/absent.yaml: No such file"),
        ("conf.d/bad*", "conf.d/bad.yaml:2: not YAML"),
        (7, "sluice.yaml: include: expected a list or a string, got an integer"),
    ],
)
def test_what_cannot_be_included_is_said(folder, include, said):
    write(folder, include, bad="routes: [\n")
    done = check(folder)
    assert done.returncode == 1
    file, _, what = said.partition(":")
    assert file in done.stdout + done.stderr
    assert what in done.stdout + done.stderr


def test_a_reload_takes_a_new_file(sluice, folder, event):
    server = sluice(include="conf.d/*.yaml", routes=[route(match={"source": "own"})])
    event["source"] = "later"
    assert server.post(event).status == 400
    (folder / "conf.d").mkdir()
    (folder / "conf.d/later.yaml").write_text(yaml.safe_dump({"routes": [included("later")]}))
    reload(server)
    assert server.post(event).status == 200
    (folder / "conf.d/later.yaml").write_text("routes: [ { nme: x } ]\n")
    assert "later.yaml:1: routes[0].nme: unknown key" in reload(server, "reload_failed")["error"]
    assert server.post(event).status == 200
