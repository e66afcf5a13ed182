"""sluice test: events of a file through routes, schemas and transforms; TAP, JUnit, and the exit status."""

import json
import xml.etree.ElementTree

import pytest
import yaml

from server import run

SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
FIELDS = [
    {"name": "id", "from": "/id"},
    {"name": "tags", "from": "/tags", "default": []},
    {"name": "request", "from": "meta:/request_id"},
    {"name": "at", "fields": [{"name": "processed", "now": True}]},
]
CONF = {
    "http": {"listen": "127.0.0.1:0"},
    "store": {"path": ""},
    "sinks": [],
    "registry": {"dir": "."},
    "routes": [
        {"name": "none", "match": {"source": "no"}, "drop": True},
        {"name": "all", "registry": "R", "schema": "S", "transform": "t.yaml"},
    ],
}


@pytest.fixture
def check(tmp_path):
    """check(tests, *options) runs the tests with a small configuration."""
    (tmp_path / "R").mkdir()
    (tmp_path / "R/S.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "t.yaml").write_text(yaml.safe_dump({"fields": FIELDS}))
    (tmp_path / "sluice.yaml").write_text(yaml.safe_dump(CONF))

    def call(tests, *options):
        text = tests if isinstance(tests, str) else yaml.safe_dump({"tests": tests}, sort_keys=False)
        (tmp_path / "tests.yaml").write_text(text)
        return run("test", "-c", "sluice.yaml", *options, "tests.yaml", cwd=tmp_path)

    return call


def one(expect, event=None, **more):
    return {"name": "one", "event": event or {"detail": {"id": 1}}, "expect": expect, **more}


@pytest.mark.parametrize(
    "test",
    [
        one({"status": 200}),
        one({"status": 200, "outcome": "valid", "route": "all"}, route="all"),
        one({"status": 200, "record": {"id": 1, "tags": [], "at": {}}}),
        one({"status": 200, "record_has": {"tags": []}}),
        one({"status": 200, "outcome": "dropped", "route": "none"}, {"source": "no"}),
        one({"status": 400, "details": "<string> is not of type 'integer'"}, {"detail": {"id": "x"}}),
        one({"status": 400, "errors": [{"keywordLocation": "/required"}]}, {"detail": {}}),
        one({"status": 200}, [{"detail": {"id": 1}}, {"detail": {"id": 2}}]),
    ],
)
def test_passes(check, test):
    result = check([test])
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "TAP version 14\nok 1 - one\n1..1\n"


@pytest.mark.parametrize(
    ("test", "difference"),
    [
        (one({"status": 400}), "status: expected 400, got 200"),
        (one({"status": 200, "outcome": "dropped"}), "outcome: expected dropped, got valid"),
        (one({"status": 200}, route="none"), "route: expected none, got all"),
        (one({"status": 200, "record": {"id": 1}}), "record.tags: expected nothing, got []"),
        (one({"status": 200, "record": {"id": 2, "tags": []}}), "record.id: expected 2, got 1"),
        (one({"status": 200, "record_has": {"x": {"y": 1}}}), 'record.x: expected {"y":1}, got nothing'),
        (
            one({"status": 200, "record_has": {"tags": [1, {"a": 2}]}}, {"detail": {"id": 1, "tags": [1, {"a": 3}]}}),
            "record.tags[1].a: expected 2, got 3",
        ),
        (one({"status": 200, "record_has": {"tags": [1]}}), "record.tags: expected [1], got []"),
        (one({"status": 200, "record_has": {}}, {"source": "no"}), "record: expected {}, got nothing"),
        (one({"status": 200}, {"detail": {}}), "details: \"'id' is a required property\""),
        (one({"status": 400, "details": "x"}, {"detail": {}}), "details: expected \\\"x\\\", got \\\"'id' is"),
        (one({"status": 400, "errors": []}, {"detail": {}}), "errors: expected [], got ["),
        ({"name": "one", "event_file": "no.json", "expect": {"status": 200}}, "no.json: No such file"),
        ({"name": "one", "expect": {"status": 200}}, "expected either event or event_file"),
    ],
)
def test_shows_what_differs(check, test, difference):
    result = check([test])
    assert result.returncode == 1
    assert result.stdout.startswith('TAP version 14\nnot ok 1 - one\n  ---\n  at: "tests.yaml:2"\n  differences:\n    - "')
    assert difference in result.stdout.replace('\\"', '"') or difference in result.stdout
    assert result.stdout.endswith("  ...\n1..1\n")


def test_writes_junit(check, tmp_path):
    result = check([one({"status": 200}), one({"status": 400}) | {"name": "<two> & #\n\x07"}], "--junit", "out.xml")
    assert result.returncode == 1
    assert "not ok 2 - <two> & \\#" in result.stdout
    suite = xml.etree.ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert suite[1].get("name").startswith("<two> & #")
    assert "status: expected 400, got 200" in suite[1][0].text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tests: []\n", "tests.yaml:1: tests: must not be empty"),
        ("tests:\n- name: a\n  expct: 1\n", "tests.yaml:3: tests[0].expct: unknown key"),
        ("tests: [\n", "tests.yaml:2: not YAML"),
    ],
)
def test_a_file_that_is_wrong(check, text, why):
    result = check(text)
    assert result.returncode == 3
    assert why in result.stderr


def test_wrong_calls(check, tmp_path):
    check([one({"status": 200})])
    assert run("test", cwd=tmp_path).returncode == 2
    assert run("test", "-c", "sluice.yaml", "no.yaml", cwd=tmp_path).returncode == 3
    assert run("test", "-c", "no.yaml", "tests.yaml", cwd=tmp_path).returncode == 3
    result = check([one({"status": 200})], "--junit", "no/folder/out.xml")
    assert result.returncode == 3


def test_a_thousand_cases(check):
    tests = [one({"status": 200, "record_has": {"id": number}}, {"detail": {"id": number}}) for number in range(1000)]
    result = check(tests)
    assert (result.returncode, result.stdout.count("\nok ")) == (0, 1000)
