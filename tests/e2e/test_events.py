"""POST /events with one event: every row of the table that a file registry can show."""

import json
import pathlib
import re
import time

import pytest

from server import RECORD, REGISTRY, RELEASE, put_schema, put_transform, route

STAMP = rb'"processed_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"'
NO_DETAIL = (
    b'{"error":"Processing failed",'
    b'"details":"Invalid EventBridge payload: missing \'detail\' key"}'
)


def processing_failed(details):
    return b'{"error":"Processing failed","details":"' + details.encode() + b'"}'


def only(record, **values):
    """The sample event's record without its time stamp is exactly this."""
    got = json.loads(record)
    got.pop("processed_at")
    assert got == values


# valid


def test_a_valid_event_answers_its_record(shared, event):
    answer = shared.post(event)
    assert answer.status == 200
    assert answer.header("Sluice-Duplicate") is None
    record, stamps = re.subn(STAMP, b'"processed_at":"T"', answer.body)
    assert stamps == 1
    assert record == (
        b'{"interaction_id":"inter-98765432-1234-5678-90ab-cdefEXAMPLE",'
        b'"start_time":"2024-01-15T10:30:00.000Z","channel_type":"voice",'
        b'"queue_id":"queue-11223344-5566-7788-99aa-bbccddeeff00","queue_name":"Sales Support",'
        b'"customer_email":"customer@example.com","customer_name":"John Doe","attributes":{},'
        b'"processed_at":"T"}'
    )


def test_what_is_absent_is_null_and_attributes_are_an_empty_object(shared):
    answer = shared.post({"detail": {"interaction": {"id": "a", "start_time": "b"}}})
    assert answer.status == 200
    assert list(answer.json) == RECORD
    only(
        answer.body,
        interaction_id="a",
        start_time="b",
        channel_type=None,
        queue_id=None,
        queue_name=None,
        customer_email=None,
        customer_name=None,
        attributes={},
    )


def test_text_is_raw_utf8_and_slashes_stay(shared, event):
    event["detail"]["interaction"]["customer"]["name"] = 'Zoë/客户 😀 "q" \\ \t\u0001'
    answer = shared.post(event)
    assert '"customer_name":"Zoë/客户 😀 \\"q\\" \\\\ \\t\\u0001"'.encode() in answer.body


def test_escapes_become_what_they_stand_for(shared):
    body = rb'{"detail":{"interaction":{"id":"\u00e9\/\ud83d\ude00\u0041","start_time":""}}}'
    assert shared.post(body).body.startswith('{"interaction_id":"é/😀A",'.encode())


NUMBERS = [
    b"12345678901234567890",
    b"1e400",
    b"-0",
    b"1.10",
    b"1E+2",
    b"0.1e-7",
    b"-0.0",
    b"3.141592653589793238462643383279",
    b"9007199254740993",
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.decode())
def test_numbers_come_out_as_they_went_in(shared, number):
    body = b'{"detail":{"interaction":{"id":"a","start_time":"b","attributes":{"n":%s}}}}' % number
    answer = shared.post(body)
    assert answer.status == 200
    assert b'"attributes":{"n":%s}' % number in answer.body


def test_unknown_keys_beside_the_envelope_are_normal(shared, event):
    assert (
        shared.post({"merged": {"body": "parameter"}} | event | {"replay-name": "r"}).status == 200
    )


def test_white_space_around_the_event_is_fine(shared, event):
    assert shared.post(b" \r\n\t" + json.dumps(event, indent=1).encode() + b"\n ").status == 200


# malformed

NOT_JSON = [
    b"",
    b" ",
    b"{",
    b"}",
    b"nul",
    b"True",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"{'a':1}",
    b'{"a":1,}',
    b"[1,]",
    b'{"a":1} x',
    b"{}{}",
    b'{"a":01}',
    b'{"a":1.}',
    b'{"a":.5}',
    b'{"a":+1}',
    b'{"a":"\t"}',
    b'{"a":"\x00"}',
    b'{"a":1,"a":2}',
    b'{"a\\u0000":1}',
    b'{"a":"\\ud800"}',
    b'{"a":"\\udc00\\ud800"}',
    b'{"a":"\\x"}',
    b'{"a":"\\u12g4"}',
    b'{"a":"\xff"}',
    b'{"a":"\xc0\x80"}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xf5\x80\x80\x80"}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"/**/{}",
    b'{"a":1e}',
    b'{"a" 1}',
    b"{1:1}",
    b'{"detail":',
    b'"',
    b'{"a":"',
    b"[" * 65 + b"]" * 65,
    b"<xml/>",
    b"a=1&b=2",
]


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: ascii(body.decode("latin-1"))[:30])
def test_what_is_not_strict_json_is_malformed(shared, body):
    answer = shared.post(body)
    assert answer.status == 400
    assert list(answer.json) == ["error", "details"]
    assert answer.json["error"] == "Processing failed"
    at = re.match(r"Invalid JSON at byte (\d+): \S", answer.json["details"])
    assert at, answer.json["details"]
    assert int(at[1]) <= len(body)


def test_depth_64_is_read(shared, event):
    event["deep"] = value = []
    for _ in range(62):
        value.append([])
        value = value[0]
    assert shared.post(event).status == 200


@pytest.mark.parametrize("body", [b'"text"', b"42", b"-1.5", b"true", b"false", b"null"])
def test_neither_object_nor_array_is_malformed(shared, body):
    answer = shared.post(body)
    assert (answer.status, answer.body) == (400, NO_DETAIL)


@pytest.mark.parametrize("body", [b"{}", b'{"Detail":{}}', b'{"id":"x","source":"a"}'])
def test_an_object_without_detail_is_malformed(shared, body):
    answer = shared.post(body)
    assert (answer.status, answer.body) == (400, NO_DETAIL)


# unrouted


def test_no_route_is_unrouted(sluice, event):
    server = sluice(routes=[route(match={"source": "other"})])
    answer = server.post(event)
    assert (answer.status, answer.body) == (400, processing_failed("No route for this event"))


# schema_invalid


def test_a_value_of_the_wrong_type_is_named_by_its_type(shared):
    answer = shared.post({"detail": {"interaction": {"id": 42, "start_time": "x"}}})
    assert answer.status == 400
    assert answer.body == (
        b'{"error":"Schema validation failed","details":"<integer> is not of type \'string\'",'
        b'"errors":[{"instanceLocation":"/interaction/id",'
        b'"keywordLocation":"/properties/interaction/properties/id/type",'
        b'"error":"<integer> is not of type \'string\'"}]}'
    )


def unit(instance, keyword, error):
    return {"instanceLocation": instance, "keywordLocation": keyword, "error": error}


def test_every_missing_property_is_a_unit(shared):
    answer = shared.post({"detail": {"interaction": {}}})
    where = ("/interaction", "/properties/interaction/required")
    assert answer.json["errors"] == [
        unit(*where, "'id' is a required property"),
        unit(*where, "'start_time' is a required property"),
    ]
    assert answer.json["details"] == "'id' is a required property"


def test_units_come_in_schema_order_and_details_is_the_best_match(shared):
    answer = shared.post({"detail": {"interaction": {"start_time": 1, "customer": []}}})
    within = "/properties/interaction"
    assert answer.json["errors"] == [
        unit(
            "/interaction/start_time",
            within + "/properties/start_time/type",
            "<integer> is not of type 'string'",
        ),
        unit(
            "/interaction/customer",
            within + "/properties/customer/type",
            "<array> is not of type 'object'",
        ),
        unit("/interaction", within + "/required", "'id' is a required property"),
    ]
    assert answer.json["details"] == "'id' is a required property"


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "integer"),
        (1.5, "number"),
        ("x", "string"),
        ([], "array"),
    ],
    ids=str,
)
def test_a_detail_that_is_no_object_is_the_schemas_to_refuse(shared, detail, kind):
    answer = shared.post({"detail": detail})
    message = f"<{kind}> is not of type 'object'"
    assert answer.status == 400
    assert answer.json == {
        "error": "Schema validation failed",
        "details": message,
        "errors": [unit("", "/type", message)],
    }


def test_pointers_are_escaped(folder, sluice):
    put_schema(folder, "Odd", {"properties": {"a/b~c": {"type": "null"}}})
    answer = sluice(routes=[route(schema="Odd")]).post({"detail": {"a/b~c": 0}})
    assert answer.json["errors"] == [
        unit("/a~1b~0c", "/properties/a~1b~0c/type", "<integer> is not of type 'null'")
    ]


def test_values_are_shown_when_asked_for(sluice):
    server = sluice(validation={"redact_values": False})
    answer = server.post({"detail": {"interaction": {"id": 42, "start_time": ["a", None, True]}}})
    assert [entry["error"] for entry in answer.json["errors"]] == [
        "42 is not of type 'string'",
        "['a', None, True] is not of type 'string'",
    ]


def test_errors_are_cut_at_the_limit_and_say_so(sluice):
    server = sluice(validation={"max_errors": 1})
    two = {"detail": {"interaction": {"id": 1, "start_time": 2}}}
    answer = server.post(two)
    assert list(answer.json) == ["error", "details", "errors", "truncated"]
    assert len(answer.json["errors"]) == 1
    assert answer.json["truncated"] is True
    one = server.post({"detail": {"interaction": {"id": 1, "start_time": "x"}}})
    assert list(one.json) == ["error", "details", "errors"]


def test_the_first_twenty_errors_by_default(folder, sluice):
    put_schema(folder, "Many", {"items": {"type": "string"}})
    answer = sluice(routes=[route(schema="Many")]).post({"detail": list(range(25))})
    assert [entry["instanceLocation"] for entry in answer.json["errors"]] == [
        f"/{index}" for index in range(20)
    ]
    assert answer.json["truncated"] is True


def test_formats_are_annotations_unless_asserted(folder, sluice):
    put_schema(folder, "Mail", {"properties": {"m": {"format": "email"}}})
    transform = put_transform(folder, "empty", [{"name": "m", "from": "/m"}])
    routes = [route(schema="Mail", transform=transform)]
    assert sluice(routes=routes).post({"detail": {"m": "x"}}).status == 200


# too_expensive


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"a": value}
    return value


TWICE = {"properties": {"a": {"$ref": "#"}}, "required": ["a"]}
EXPENSIVE = [
    ({"anyOf": [TWICE, TWICE | {"minProperties": 0}]}, nested(50)),
    ({"pattern": "^(a+)+$"}, "a" * 5000 + "!"),
    ({"pattern": "^(a|a)*$"}, "a" * 5000 + "!"),
]


@pytest.mark.parametrize(("schema", "detail"), EXPENSIVE, ids=["branches", "(a+)+", "(a|a)*"])
def test_an_event_too_expensive_to_check_is_refused_and_stalls_nobody(
    folder, sluice, schema, detail
):
    put_schema(folder, "Dear", schema)
    server = sluice(validation={"budget": "20ms"}, routes=[route(schema="Dear")])
    answer = server.post({"detail": detail})
    assert answer.status == 400
    assert answer.body == processing_failed("Event too expensive to check")


# patterns, with PCRE2's JIT and without it


def put_nothing(folder):
    """A transform that any payload has what it needs for."""
    return put_transform(folder, "nothing", [{"name": "x", "from": "/x"}])


WITHOUT_JIT = ("/usr/bin/python3", "-B", str(pathlib.Path(__file__).parent / "without_jit.py"))


@pytest.mark.parametrize(("prefix", "jit"), [((), True), (WITHOUT_JIT, False)], ids=["jit", "none"])
def test_a_pattern_that_is_linear_on_a_text_has_one_verdict(folder, sluice, prefix, jit):
    put_schema(folder, "Words", {"properties": {"x": {"pattern": "^(\\w+\\s?)+$"}}})
    server = sluice(routes=[route(schema="Words", transform=put_nothing(folder))], prefix=prefix)
    assert server.wait_log(event="patterns")["jit"] is jit
    for length in (15_000, 150_000) if RELEASE else (1_500,):
        assert server.post({"detail": {"x": "hello " * (length // 6)}}).status == 200


@pytest.mark.skipif(not RELEASE, reason="a slow build comes to the limit of time first")
def test_a_limit_that_is_only_ours_is_not_the_events_fault(folder, sluice):
    put_schema(folder, "Twice", {"properties": {"x": {"pattern": "^(?:(a|b)\\1?)*$"}}})
    server = sluice(routes=[route(schema="Twice", transform=put_nothing(folder))], prefix=WITHOUT_JIT)
    assert server.post({"detail": {"x": "aab" * 20}}).status == 200
    answer = server.post({"detail": {"x": "aab" * 400_000}})
    assert answer.status == 500
    assert answer.json["details"] == "Schema has a pattern that needs too much memory"


def test_a_reference_to_nowhere_matters_only_where_an_event_reaches_it(folder, sluice):
    put_schema(folder, "Part", {"properties": {"a": {"$ref": "other.json"}}})
    server = sluice(routes=[route(schema="Part", transform=put_nothing(folder))])
    warning = server.wait_log(event="schema_warning")
    assert warning["warning"] == 'at /properties/a/$ref: "other.json" leads nowhere'
    assert server.post({"detail": {"b": 1}}).status == 200
    answer = server.post({"detail": {"a": 1}})
    assert answer.status == 500
    assert answer.json["details"] == "Schema has a $ref that leads nowhere"


# transform_failed


@pytest.mark.parametrize("value", ['""', "null", None])
def test_an_interaction_without_id_cannot_be_transformed(folder, sluice, value):
    put_schema(folder, "Any", {})
    server = sluice(routes=[route(schema="Any")])
    inner = "" if value is None else f'"id":{value},'
    answer = server.post('{"detail":{"interaction":{%s"start_time":"x"}}}' % inner)
    assert answer.status == 400
    assert answer.body == processing_failed("Transformation failed: missing interaction.id")


def test_an_empty_id_passes_the_schema_but_not_the_transform(shared):
    answer = shared.post({"detail": {"interaction": {"id": "", "start_time": "x"}}})
    assert answer.status == 400
    assert answer.body == processing_failed("Transformation failed: missing interaction.id")


@pytest.mark.parametrize("customer", [None, "Eve", 1, True])
def test_an_intermediate_that_is_no_object_is_named(folder, sluice, customer):
    put_schema(folder, "Any", {})
    server = sluice(routes=[route(schema="Any")])
    answer = server.post({"detail": {"interaction": {"id": "a", "customer": customer}}})
    assert answer.status == 400
    assert answer.body == processing_failed(
        "Transformation failed: interaction.customer is not an object"
    )


# The registry's own failures.

NOT_FOUND = f"Schema Nowhere not found in registry {REGISTRY}"


def test_a_schema_that_is_not_there_is_not_found(sluice, event):
    answer = sluice(routes=[route(schema="Nowhere")]).post(event)
    assert (answer.status, answer.body) == (400, processing_failed(NOT_FOUND))


def test_an_empty_definition_is_unusable(folder, sluice, event):
    put_schema(folder, "Empty", b"")
    answer = sluice(routes=[route(schema="Empty")]).post(event)
    assert answer.status == 400
    assert answer.body == processing_failed("Schema definition is empty in Glue Registry")


@pytest.mark.parametrize("definition", [b"{", b"not json", b"[1]x", b"\xff"])
def test_an_unparsable_definition_is_unusable(folder, sluice, event, definition):
    put_schema(folder, "Broken", definition)
    answer = sluice(routes=[route(schema="Broken")]).post(event)
    assert answer.status == 400
    assert answer.json["error"] == "Processing failed"
    assert answer.json["details"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strin"},
        {"pattern": "["},
        {"required": "a"},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.com/other.json"},
        {"minLength": -1},
    ],
    ids=json.dumps,
)
def test_a_schema_that_does_not_compile_is_our_fault(folder, sluice, event, schema):
    put_schema(folder, "Wrong", schema)
    answer = sluice(routes=[route(schema="Wrong")]).post(event)
    assert answer.status == 500
    assert answer.json["error"] == "Internal server error"
    assert list(answer.json) == ["error", "details"]


def test_a_schema_is_used_as_soon_as_it_appears(folder, sluice, event):
    server = sluice(routes=[route(schema="Later")], registry={"refresh": "1s"})
    assert server.post(event).status == 400
    put_schema(folder, "Later", {})
    for _ in range(200):
        answer = server.post(event)
        if answer.status == 200:
            break
        time.sleep(0.05)
    assert answer.status == 200


# status_map: eventbridge


def test_with_the_eventbridge_map_only_the_events_own_fault_is_400(folder, sluice, event):
    put_schema(folder, "Empty", b"")
    put_schema(folder, "Wrong", {"type": "strin"})
    routes = [route(match={"source": name}, schema=name) for name in ("Nowhere", "Empty", "Wrong")]
    server = sluice(status_map="eventbridge", routes=[*routes, route(match={"source": "gen*"})])

    for name in ("Nowhere", "Empty"):
        answer = server.post(event | {"source": name})
        assert (answer.status, answer.json["error"]) == (503, "Service unavailable")
        assert int(answer.header("Retry-After")) >= 1
    assert server.post(event | {"source": "Wrong"}).status == 500
    assert server.post(event).status == 200
    for body in (
        b"{",
        b"{}",
        event | {"source": "x"},
        {"source": "gen", "detail": 1},
        {"source": "gen", "detail": {"interaction": {"id": "", "start_time": ""}}},
    ):
        answer = server.post(body)
        assert (answer.status, answer.header("Retry-After")) == (400, None)


# http.respond: receipt


def test_a_receipt_holds_no_personal_data(sluice, event):
    answer = sluice(http={"respond": "receipt"}).post(event)
    assert answer.status == 200
    assert answer.body == b'{"id":"a1b2c3d4-5678-90ab-cdef-EXAMPLE11111","status":"accepted"}'


def test_refusals_are_the_same_with_receipts(sluice):
    answer = sluice(http={"respond": "receipt"}).post(b"{}")
    assert (answer.status, answer.body) == (400, NO_DETAIL)
