"""sluice validate: one line per instance, not redacted, and the exit status."""

import contextlib
import json
import os
import pathlib
import pty
import re
import subprocess

import pytest

from server import BINARY, run

INVALID = '{"valid":false,"errors":['


@pytest.fixture
def validate(tmp_path):
    """validate(schema, "args"..., stdin=...) runs the command; `files` is {name: text}."""

    def call(schema, *args, stdin=None, files=None):
        (tmp_path / "schema.json").write_text(
            schema if isinstance(schema, str) else json.dumps(schema)
        )
        for name, text in (files or {}).items():
            (tmp_path / name).write_text(text)
        return run("validate", "--schema", "schema.json", *args, cwd=tmp_path, stdin=stdin)

    return call


def test_valid(validate):
    result = validate({"type": "integer"}, "a.json", files={"a.json": "1"})
    assert (result.returncode, result.stdout, result.stderr) == (0, '{"valid":true}\n', "")


def test_invalid_shows_values(validate):
    result = validate({"type": "string"}, "a.json", files={"a.json": "1"})
    assert result.returncode == 1
    assert json.loads(result.stdout) == {
        "valid": False,
        "errors": [
            {
                "instanceLocation": "",
                "keywordLocation": "/type",
                "error": "1 is not of type 'string'",
            }
        ],
    }
    assert result.stdout.startswith(INVALID)


def test_one_line_per_instance(validate):
    result = validate(
        {"type": "integer"}, "a.json", "b.json", files={"a.json": "1", "b.json": '"x"'}
    )
    first, second = result.stdout.splitlines()
    assert (result.returncode, first) == (1, '{"valid":true}')
    assert second.startswith(INVALID)


@pytest.mark.parametrize("args", [["-"], ["lines.ndjson"], []], ids=str)
def test_lines(validate, args):
    text = '1\n"x"\n{"a":\n3\n'
    result = validate({"type": "integer"}, *args, stdin=text, files={"lines.ndjson": text})
    assert result.returncode == 1
    assert [json.loads(line)["valid"] for line in result.stdout.splitlines()] == [
        True,
        False,
        False,
        True,
    ]


def test_flag_output(validate):
    result = validate({"type": "string"}, "--output", "flag", "-", stdin="1\n")
    assert (result.returncode, result.stdout) == (1, '{"valid":false}\n')


def test_results_that_cannot_be_written(tmp_path):
    (tmp_path / "schema.json").write_text("true")
    with pathlib.Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [BINARY, "validate", "--schema", tmp_path / "schema.json"],
            input="1\n",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 3
    assert result.stderr == "sluice: cannot write to standard output\n"


def test_the_first_errors_of_very_many(validate):
    result = validate({"items": {"type": "string"}}, "a.json", files={"a.json": str([1] * 10001)})
    answer = json.loads(result.stdout)
    assert (len(answer["errors"]), answer["truncated"]) == (10000, True)
    assert answer["errors"][-1]["instanceLocation"] == "/9999"


def test_an_unparsable_instance_is_invalid(validate):
    result = validate({}, "a.json", files={"a.json": "{"})
    assert result.returncode == 1
    assert json.loads(result.stdout)["valid"] is False


@pytest.mark.parametrize("schema", ["{", '{"type":"strin"}', '{"pattern":"["}', ""])
def test_a_bad_schema_is_3(validate, schema):
    result = validate(schema, "-", stdin="1\n")
    assert (result.returncode, result.stdout) == (3, "")
    assert "schema.json" in result.stderr


def test_a_missing_file_is_3(validate):
    assert validate({}, "nowhere.json").returncode == 3


@pytest.mark.parametrize(
    ("draft", "status"), [("4", 0), ("6", 1), ("7", 1), ("2019-09", 1), ("2020-12", 1)]
)
def test_the_draft_is_a_choice(validate, draft, status):
    # Draft 4 has no const.
    assert validate({"const": 1}, "--draft", draft, "-", stdin="2\n").returncode == status


def test_a_draft_of_ones_own_wins(validate):
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "const": 1}
    assert validate(schema, "--draft", "4", "-", stdin="2\n").returncode == 1


def test_an_unknown_draft_is_2(validate):
    assert validate({}, "--draft", "5", "-", stdin="2\n").returncode == 2


def test_formats_are_asserted_when_asked(validate):
    schema = {"format": "ipv4"}
    assert validate(schema, "-", stdin='"x"\n').returncode == 0
    assert validate(schema, "--assert-formats", "-", stdin='"x"\n').returncode == 1


def test_resources(validate):
    files = {"other.json": '{"type":"integer"}'}
    schema = {"$ref": "https://example.com/other"}
    args = ("--resource", "https://example.com/other=other.json", "-")
    assert validate(schema, *args, stdin="1\n", files=files).returncode == 0
    assert validate(schema, *args, stdin='"x"\n', files=files).returncode == 1
    assert validate(schema, "-", stdin="1\n").returncode == 3


def test_the_bar_makes_room_for_results_on_the_same_terminal(tmp_path):
    (tmp_path / "schema.json").write_text("true")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [BINARY, "validate", "--schema", tmp_path / "schema.json"],
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown, bar = b"", re.compile(rb"\r\d+")
    # The progress bar appears after half a second, so write until it is there.
    while not bar.search(shown):
        process.stdin.write(b"1\n")
        process.stdin.flush()
        shown += os.read(ours, 65536)
    process.stdin.write(b"1\n")
    process.stdin.close()
    with contextlib.suppress(OSError):  # a closed terminal raises this
        while more := os.read(ours, 65536):
            shown += more
    os.close(ours)
    assert process.wait() == 0
    assert not re.search(rb'\r\d+\{', shown)
    assert bar.sub(b"", shown).replace(b"\r\x1b[K", b"").splitlines()[-1] == b'{"valid":true}'
