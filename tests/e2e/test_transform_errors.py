"""docs/transform-errors.md: each example gives the message that the page shows, and no message is missing there."""

import json
import re

import pytest
import yaml

from server import ROOT, run

PAGE = (ROOT / "docs/transform-errors.md").read_text()
SCHEMA = re.search(r"`(\{ \"properties\".*)`", PAGE)[1]
ROW = re.compile(r"^\| `(.*?)` \| (?:\* )?`(.*?)` \|(?: `(.*?)` \|)?$", re.M)


def rows(heading):
    """The rows of the first table below the heading."""
    table = PAGE[PAGE.index(heading) :].split("\n\n", 2)
    return next(ROW.findall(part) for part in table if ROW.search(part))


LOADED = [(field, message) for field, message, _ in rows("| field | key and message |")]
LOADED += [
    (f"{{ name: a, value: 1, when: {{ x: {condition} }} }}", f"fields[0].when…: {message}")
    for condition, message, _ in rows("| condition |")
]
RUN = rows("| field | payload |")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("errors")
    (path / "R").mkdir()
    (path / "R/S.json").write_text(SCHEMA)
    (path / "empty").write_text("\n")
    return path


def write(folder, name, fields):
    """A configuration with a route for each field, which is on the second line of its transform."""
    routes = []
    for number, field in enumerate(fields):
        (folder / f"{name}{number}.yaml").write_text(f"fields:\n- {field}\n")
        route = {"match": {"detail-type": str(number)}, "registry": "R", "schema": "S"}
        routes.append(route | {"transform": f"{name}{number}.yaml"})
    conf = {"store": {"path": ""}, "sinks": [], "registry": {"dir": "."}, "routes": routes}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(conf))
    return f"{name}.yaml"


def test_files_are_refused_with_line_key_and_message(folder):
    conf = write(folder, "load", [field for field, _ in LOADED])
    result = run("check", "-c", conf, cwd=folder)
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert len(LOADED) > 50
    for number, (field, message) in enumerate(LOADED):
        (line,) = (line for line in lines if f"load{number}.yaml:2: " in line)
        assert re.search(": " + re.escape(message).replace("…", ".*") + "$", line), (field, line)


def test_events_are_refused_with_field_and_pointer(folder):
    conf = write(folder, "run", [field for field, *_ in RUN])
    tests = ["tests:\n"]
    for number, (field, payload, message) in enumerate(RUN):
        # The payload as it is: its numbers are not Python's.
        event = f'{{ "id": "e", "detail-type": "{number}", "detail": {payload} }}'
        (folder / f"event{number}.json").write_text(event)
        expect = {"status": 400, "outcome": "transform_failed", "details": "Transformation failed: " + message}
        test = {"name": field, "event_file": f"event{number}.json", "expect": expect}
        tests.append(f"- {json.dumps(test)}\n")
    (folder / "tests.yaml").write_text("".join(tests))
    result = run("test", "-c", conf, "tests.yaml", cwd=folder)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    assert result.stdout.count("\nok ") == len(RUN) > 20


STRING = r'"(?:[^"\\]|\\.)*"'
CALL = rf'(?:complain|cannot|refuse|refuse_at|fail)\(((?:[^;"]|{STRING})*)\);|why = ({STRING})'
OTHERS = ("Transformation failed: ", "%.*s: %s", "a pattern is an object", "a string is no UTF-8", "%s (sluice check ")


def messages():
    """The literal messages of several words in the sources, with their formats."""
    for path in [*ROOT.glob("handlers/transform*.c"), *ROOT.glob("handlers/pattern*.c")]:
        for call in re.finditer(CALL, path.read_text()):
            for text in re.findall(rf"(?:{STRING}\s*)+", call[1] or call[2]):
                message = "".join(json.loads(part) for part in re.findall(STRING, text))
                if " " in message.strip() and not message.startswith(OTHERS):
                    yield message


def test_no_message_is_missing():
    told = set(messages())
    assert len(told) > 50
    on_page = {message: ".*".join(map(re.escape, re.split(r"%(?:\.\*)?z?[a-z]", message))) for message in told}
    assert [message for message, pattern in on_page.items() if not re.search(pattern, PAGE)] == []
