"""Transforms of one's own: what each key of a field does."""

import json

import pytest

from server import put_schema, put_transform, route


def processing_failed(details):
    return b'{"error":"Processing failed","details":"' + details.encode() + b'"}'


FIELDS = [
    ({"from": "/s", "as": "lower"}, {"s": "ÄbC"}, '"äbc"'),
    ({"from": "/s", "as": "upper"}, {"s": "äbC"}, '"ÄBC"'),
    ({"from": "/s", "as": "string"}, {"s": 12}, '"12"'),
    ({"from": "/s", "as": "string"}, {"s": "x"}, '"x"'),
    ({"from": "/s", "as": "number"}, {"s": "12.50"}, "12.50"),
    ({"from": "/s", "as": "number"}, {"s": 7}, "7"),
    (
        {"from": "/s", "as": "epoch_ms_to_iso8601"},
        {"s": 1705314600000},
        '"2024-01-15T10:30:00.000Z"',
    ),
    ({"from": "/s", "as": "lower"}, {"s": None}, "null"),
    ({"from": "/s", "default": [1]}, {}, "[1]"),
    ({"from": "/s", "default": 1}, {"s": None}, "null"),
    ({"from": ["/t", "/s"]}, {"s": 1}, "1"),
    ({"from": ["/t", "/s"]}, {"s": 1, "t": None}, "null"),
    ({"from": "/a/b/c"}, {"a": {"b": {"c": {"d": 1}}}}, '{"d":1}'),
    ({"from": "/a/b/c", "default": 0}, {"a": {}}, "0"),
    ({"value": {"k": [1, "x", None]}}, {}, '{"k":[1,"x",null]}'),
    ({"from": ""}, {"s": 1}, '{"s":1}'),
]


@pytest.mark.parametrize(
    ("field", "detail", "want"), FIELDS, ids=lambda value: json.dumps(value)[:40]
)
def test_a_transform_field_does_what_it_says(folder, sluice, field, detail, want):
    put_schema(folder, "Any", {})
    transform = put_transform(folder, "one", [{"name": "out", **field}])
    answer = sluice(routes=[route(schema="Any", transform=transform)]).post({"detail": detail})
    assert (answer.status, answer.body.decode()) == (200, '{"out":%s}' % want)


def test_a_field_with_neither_default_nor_required_is_left_out(folder, sluice):
    put_schema(folder, "Any", {})
    transform = put_transform(folder, "one", [{"name": "out", "from": "/nowhere"}])
    answer = sluice(routes=[route(schema="Any", transform=transform)]).post({"detail": {}})
    assert (answer.status, answer.body) == (200, b"{}")


@pytest.mark.parametrize("value", [None, "", 0, False, [], {}], ids=json.dumps)
def test_required_refuses_everything_empty(folder, sluice, value):
    put_schema(folder, "Any", {})
    transform = put_transform(folder, "one", [{"name": "o", "from": "/s", "required": "no s here"}])
    server = sluice(routes=[route(schema="Any", transform=transform)])
    for detail in ({"s": value}, {}):
        answer = server.post({"detail": detail})
        assert answer.status == 400
        assert answer.body == processing_failed("Transformation failed: no s here")
    assert server.post({"detail": {"s": [0]}}).status == 200


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ("lower", 1),
        ("upper", []),
        ("number", "x"),
        ("number", ""),
        ("number", {}),
        ("epoch_ms_to_iso8601", "x"),
        ("epoch_ms_to_iso8601", 1e300),
        ("string", {}),
    ],
)
def test_an_impossible_conversion_is_refused(folder, sluice, how, value):
    put_schema(folder, "Any", {})
    transform = put_transform(folder, "one", [{"name": "out", "from": "/s", "as": how}])
    answer = sluice(routes=[route(schema="Any", transform=transform)]).post(
        {"detail": {"s": value}}
    )
    assert answer.status == 400
    assert answer.json["error"] == "Processing failed"
    assert answer.json["details"].startswith("Transformation failed: ")
