"""sluice infer: the schema accepts its samples, and the transform passes check and makes records of them."""

import json

import pytest
import yaml

from server import ROOT, run

SETS = {
    "orders": [json.loads((ROOT / "conf/examples/orders/events/created.json").read_text())["detail"]],
    "genesys": [json.loads(path.read_text())["detail"] for path in sorted((ROOT / "conf/examples/genesys/samples").glob("*.json"))],
    "null on the way": [{"a": None, "l": None}, {"a": {"b": 1}, "l": [{"c": 1}]}, {}],
    "several types": [{"a": 1, "b": {"c": 1}}, {"a": "x", "b": "y"}, {"a": [1], "b": [{}]}, {"a": 1.5, "b": None}],
    "odd names": [{"a b": 1, "a/b": 2, "a~b": 3, "": 4, "true": 5, "1": 6, "A_b": 7, 'q"': 8, "ä: {": 9, "a_b": {"": 1}}],
    "arrays": [{"l": [[1], []], "m": [1, "x", None], "n": [], "o": [{"p": [{"q": [{"r": 1}]}]}, {}], "s": [{"t": 1}, None]}],
    "scalars": [1, "x", None],
    "empty": [{}, {"a": {}}],
    "a map": [{"m": {f"key{number}": {"v": number} for number in range(600)}}],
    "deep": [{"a": [{"b": [{"c": [{"d": [{"e": [{"f": [{"g": [{"h": [{"i": [{"j": 1}]}]}]}]}]}]}]}]}]}],
    "texts": [{"kind": kind, "at": "2026-11-20T08:00:00Z", "n": n} for n, kind in enumerate(["a", "b"] * 5)] + [{"kind": None, "at": None, "n": 0}],
}


@pytest.fixture
def infer(tmp_path):
    def call(what, payloads):
        events = [{"id": str(number), "detail": payload} for number, payload in enumerate(payloads)]
        (tmp_path / "events.ndjson").write_text("".join(json.dumps(event) + "\n" for event in events))
        (tmp_path / "events.json").write_text(json.dumps(events))
        results = [run("infer", what, name, cwd=tmp_path) for name in ("events.ndjson", "events.json")]
        assert results[0].stdout == results[1].stdout
        assert (results[0].returncode, results[0].stderr) == (0, "")
        return results[0].stdout

    return call


@pytest.mark.parametrize("name", SETS)
def test_the_schema_accepts_its_samples(infer, name, tmp_path):
    (tmp_path / "schema.json").write_text(infer("schema", SETS[name]))
    (tmp_path / "details.ndjson").write_text("".join(json.dumps(one) + "\n" for one in SETS[name]))
    result = run("validate", "--schema", "schema.json", "--assert-formats", "details.ndjson", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


@pytest.mark.parametrize("name", SETS)
def test_the_transform_takes_its_samples(infer, name, tmp_path):
    (tmp_path / "t.yaml").write_text(infer("transform", SETS[name]))
    (tmp_path / "R").mkdir()
    (tmp_path / "R/S.json").write_text(infer("schema", SETS[name]))
    route = {"registry": "R", "schema": "S", "transform": "t.yaml"}
    conf = {"store": {"path": ""}, "sinks": [], "registry": {"dir": "."}, "routes": [route]}
    (tmp_path / "sluice.yaml").write_text(yaml.safe_dump(conf))
    tests = [{"name": "a", "event": {"id": "e", "detail": one}, "expect": {"status": 200}} for one in SETS[name]]
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"tests": tests}))
    checked = run("check", "-c", "sluice.yaml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    result = run("test", "-c", "sluice.yaml", "tests.yaml", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


def test_what_is_proposed(infer):
    schema = json.loads(infer("schema", SETS["texts"]))
    assert schema["required"] == ["kind", "at", "n"]
    assert schema["properties"] == {
        "kind": {"type": ["null", "string"], "enum": ["a", "b", None]},
        "at": {"type": ["null", "string"], "format": "date-time"},
        "n": {"type": "integer"},
    }
    fields = infer("transform", [{"eventTime": 1}, {"eventTime": 2, "x": {"y": "z"}}])
    assert "- { name: event_time, from: /eventTime } # integer\n" in fields
    assert "- { name: x_y, from: /x/y, default: null } # text, in 1 of 2\n" in fields


def test_wrong_calls(tmp_path):
    (tmp_path / "a.json").write_text('{"x": 1}')
    assert run("infer", "schema", cwd=tmp_path).returncode == 2
    assert run("infer", "rules", "a.json", cwd=tmp_path).returncode == 2
    assert run("infer", "schema", "no.json", cwd=tmp_path).returncode == 3
    assert "an event has no payload" in run("infer", "schema", "a.json", cwd=tmp_path).stderr
    assert run("infer", "schema", "--payload", "x", "a.json", cwd=tmp_path).returncode == 3
    assert run("infer", "schema", "--payload", "", "a.json", cwd=tmp_path).returncode == 0
    (tmp_path / "b.json").write_text("[[]]")
    assert run("infer", "schema", "b.json", cwd=tmp_path).returncode == 1
    (tmp_path / "c.json").write_text("[]")
    assert "there is no event" in run("infer", "schema", "c.json", cwd=tmp_path).stderr
