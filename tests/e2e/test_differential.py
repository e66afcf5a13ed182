"""The server and the model (model.py) give identical answers to thousands of generated events."""

import copy
import json
import random
import re

import pytest
import yaml

from client import encode, request
from model import Model, write
from server import ROOT, Server, defaults, furnish, merge, put_schema, put_transform, route

STAMP = re.compile(r'"processed_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"')
GONE = object()
VALUES = [
    GONE,
    None,
    True,
    False,
    0,
    1,
    -1,
    42,
    1.5,
    -0.0,
    10**25,
    "",
    "x",
    "a" * 5000,
    "Zoë 客户 😀 \u2028",
    'q"\\/\b\f\n\r\t\u0001\u007f',
    "0",
    "null",
    [],
    [1],
    [None, "x", {}],
    {},
    {"a": 1},
    {"": ""},
    {"id": "y", "start_time": "z"},
]

RICH = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {
        "person": {
            "type": "object",
            "properties": {
                "email": {"type": ["string", "null"], "maxLength": 40},
                "age": {"type": "integer", "minimum": 0, "exclusiveMaximum": 150},
            },
            "additionalProperties": False,
            "required": ["email"],
        }
    },
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "pattern": "^[a-z0-9-]+$"},
        "kind": {"enum": ["call", "chat", 1, None]},
        "fixed": {"const": {"a": [1, "x"]}},
        "step": {"type": "number", "multipleOf": 5, "maximum": 100},
        "tags": {
            "type": "array",
            "items": {"type": "string", "maxLength": 5},
            "minItems": 1,
            "maxItems": 3,
            "uniqueItems": True,
        },
        "person": {"$ref": "#/$defs/person"},
        "either": {
            "anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer", "minimum": 10}]
        },
        "one": {"oneOf": [{"type": "integer"}, {"minimum": 5}]},
        "some": {"not": {"type": "null"}},
        "cond": {
            "if": {"type": "string"},
            "then": {"minLength": 2},
            "else": {"type": ["array", "null"]},
        },
        "has": {"contains": {"const": 1}},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
        "count": {"dependentRequired": {"a": ["b", "c"]}},
    },
}
RICH_FIELDS = [
    {"name": "id", "from": "/id", "required": "missing id"},
    {"name": "kind", "from": ["/other", "/kind"], "default": "none"},
    {"name": "who", "from": "/person/email", "default": None},
    {"name": "age", "from": "/person/age"},
    {"name": "tag", "from": "/tags/0", "default": {"no": ["tag"]}},
    {"name": "made", "value": {"by": "us", "n": [1, None]}},
    {"name": "payload", "from": ""},
    {"name": "processed_at", "now": True},
]
RICH_DETAIL = {
    "id": "abc-1",
    "kind": "call",
    "fixed": {"a": [1, "x"]},
    "step": 15,
    "tags": ["a", "b"],
    "person": {"email": "e@example.com", "age": 33},
    "either": "abc",
    "one": 7.5,
    "some": 1,
    "cond": "ab",
    "has": [2, 1],
    "map": {"k": 1},
    "count": {"a": 1, "b": 2, "c": 3},
}


def places(value, way=()):
    """Every place in a document, as a path of keys."""
    yield way
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*way, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*way, index))


def changed(document, way, value):
    """A copy of the document with another value at that place, or without it."""
    if not way:
        return copy.deepcopy(value)
    out = copy.deepcopy(document)
    at = out
    for key in way[:-1]:
        at = at[key]
    if value is GONE:
        del at[way[-1]]
    else:
        at[way[-1]] = copy.deepcopy(value)
    return out


def mutations(event, source, doubles):
    """The event, each single change of it, and some pairs of changes."""
    out = [event]
    spots = [way for way in places(event) if way and way not in (("source",), ("detail-type",))]
    for way in spots:
        out += [changed(event, way, value) for value in VALUES]
    for _ in range(doubles):
        one = changed(event, source.choice(spots), source.choice(VALUES))
        rest = [way for way in places(one) if way and way[0] not in ("source", "detail-type")]
        if rest:
            out.append(changed(one, source.choice(rest), source.choice(VALUES)))
    return out


def damaged(body, source, count):
    """The event's bytes with a few bytes removed, doubled or replaced."""
    alphabet = b'{}[]:,"\\0123456789eE+-.truefalsn \n\t\x00\x1f\x7f\xc3\xa9\xff'
    for _ in range(count):
        data = bytearray(body)
        for _ in range(source.randint(1, 3)):
            at = source.randrange(len(data))
            data[at : at + source.randint(0, 2)] = bytes(
                source.choice(alphabet) for _ in range(source.randint(0, 2))
            )
        yield bytes(data)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The shipped schema and transform."""
    place = tmp_path_factory.mktemp("shipped")
    furnish(place)
    server = Server(place, defaults()).wait_ready()
    schema = json.loads(next((ROOT / "conf/schemas").glob("*/*.json")).read_text())
    transform = yaml.safe_load((ROOT / "conf/transforms/interaction.started.yaml").read_text())
    yield server, Model(schema, transform["fields"])
    server.stop()


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """A schema with many keywords, and a transform that copies everything."""
    place = tmp_path_factory.mktemp("rich")
    furnish(place)
    put_schema(place, "Rich", RICH)
    routes = [route(schema="Rich", transform=put_transform(place, "rich", RICH_FIELDS))]
    server = Server(place, merge(defaults(), {"routes": routes})).wait_ready()
    yield server, Model(RICH, RICH_FIELDS)
    server.stop()


def assert_agree(server, model, bodies):
    """Assert that server and model agree; show up to five differences."""
    found = []
    with server.connect() as connection:
        for body in bodies:
            want = model.answer(body)
            connection.send(request("POST", "/events", body))
            answer = connection.answer()
            got = (answer.status, STAMP.sub('"processed_at":"T"', answer.body.decode()))
            if want[1].endswith('Invalid JSON at byte "}'):
                want = (want[0], want[1][:-2])
                got = (got[0], got[1][: len(want[1])])
            if got != want:
                found.append(f"\nsent {body[:600]!r}\nwant {want}\ngot  {got}")
                if len(found) == 5:
                    break
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_the_model_knows_the_contracts_example(shipped):
    _, model = shipped
    status, body = model.answer(encode({"detail": {"interaction": {"id": 42, "start_time": "x"}}}))
    assert (status, json.loads(body)["details"]) == (400, "<integer> is not of type 'string'")


def test_shipped_schema_and_transform(shipped, event):
    bodies = [write(one).encode() for one in mutations(event, random.Random(1), 400)]
    assert_agree(*shipped, bodies)


def test_rich_schema_and_transform(rich, event):
    events = mutations({"id": "e", "detail": RICH_DETAIL}, random.Random(2), 800)
    assert_agree(*rich, [write(one).encode() for one in events])


def test_damaged_bytes(shipped, rich, event):
    source = random.Random(3)
    assert_agree(*shipped, damaged(encode(event), source, 600))
    assert_agree(*rich, damaged(encode({"detail": RICH_DETAIL}), source, 600))


def test_numbers_in_every_form(rich):
    source = random.Random(4)
    bodies = []
    for _ in range(300):
        number = (
            source.choice(["", "-"])
            + source.choice(["0", str(source.randint(1, 10**24))])
            + source.choice(["", "", f".{source.randint(0, 10**12):012d}"])
            + source.choice(
                [
                    "",
                    "",
                    f"{source.choice('eE')}{source.choice(['', '+', '-'])}"
                    f"{source.randint(0, 400)}",
                ]
            )
        )
        bodies.append(b'{"detail":{"id":"a","kind":"call","free":%s}}' % number.encode())
    assert_agree(*rich, bodies)
