"""POST /events with one event: one test of each condition that is possible with a file registry.

tests/unit/handlers has the answers to every kind of event; test_json_read.c has every kind of invalid JSON."""

import pathlib
import re
import time

import pytest

from server import REGISTRY, RELEASE, put_schema, put_transform, route

STAMP = rb'"processed_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"'


def processing_failed(details):
    return b'{"error":"Processing failed","details":"' + details.encode() + b'"}'


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


def test_unknown_keys_beside_the_envelope_are_normal(shared, event):
    assert (
        shared.post({"merged": {"body": "parameter"}} | event | {"replay-name": "r"}).status == 200
    )


def test_a_body_that_is_not_json_is_malformed(shared):
    answer = shared.post(b'{"a":1,}')
    assert (answer.status, list(answer.json)) == (400, ["error", "details"])
    assert answer.json["error"] == "Processing failed"
    assert answer.json["details"].startswith("Invalid JSON at byte 7: ")


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


# patterns, with and without PCRE2's JIT


def put_nothing(folder):
    """A transform that succeeds for every payload."""
    return put_transform(folder, "nothing", [{"name": "x", "from": "/x"}])


WITHOUT_JIT = ("/usr/bin/python3", "-B", str(pathlib.Path(__file__).parent / "without_jit.py"))


@pytest.mark.parametrize(("prefix", "jit"), [((), True), (WITHOUT_JIT, False)], ids=["jit", "none"])
def test_a_pattern_has_one_verdict_with_and_without_jit(folder, sluice, prefix, jit):
    put_schema(folder, "Words", {"properties": {"x": {"pattern": "^(\\w+\\s?)+$"}}})
    server = sluice(routes=[route(schema="Words", transform=put_nothing(folder))], prefix=prefix)
    assert server.wait_log(event="patterns")["jit"] is jit
    for length in (15_000, 150_000) if RELEASE else (1_500,):
        assert server.post({"detail": {"x": "hello " * (length // 6)}}).status == 200


@pytest.mark.skipif(not RELEASE, reason="a slow build comes to the limit of time first")
def test_a_limit_that_is_only_ours_is_not_the_events_fault(folder, sluice):
    put_schema(folder, "Twice", {"properties": {"x": {"pattern": "^(?:(a|b)\\1?)*$"}}})
    server = sluice(
        http={"max_body": "16MiB", "deadline": "60s"},
        validation={"budget": "10s"},  # much more than it needs, also on a busy machine
        routes=[route(schema="Twice", transform=put_nothing(folder))],
        prefix=WITHOUT_JIT,
    )
    assert server.post({"detail": {"x": "aab" * 20}}).status == 200
    answer = server.post({"detail": {"x": "aab" * 2_000_000}})
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


def test_an_empty_id_passes_the_schema_but_not_the_transform(shared):
    answer = shared.post({"detail": {"interaction": {"id": "", "start_time": "x"}}})
    assert answer.status == 400
    assert answer.body == processing_failed("Transformation failed: missing interaction.id")


# Failures of the registry

DEFINITIONS = {
    "missing": (None, 400, f"Schema Odd not found in registry {REGISTRY}"),
    "empty": (b"", 400, "Schema definition is empty in Glue Registry"),
    "not JSON": (b"not json", 400, "Schema definition is not valid JSON: "),
    "wrong type": ({"type": "strin"}, 500, "schema does not compile: at /type"),
    "bad pattern": ({"pattern": "["}, 500, "schema does not compile: at /pattern"),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_an_unusable_definition_has_its_status(folder, sluice, event, name):
    definition, status, details = DEFINITIONS[name]
    if definition is not None:
        put_schema(folder, "Odd", definition)
    answer = sluice(routes=[route(schema="Odd")]).post(event)
    assert answer.status == status
    assert answer.json["error"] == ("Processing failed" if status == 400 else "Internal server error")
    assert answer.json["details"].startswith(details), answer.json


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


def test_errors_are_cut_at_the_limit_and_say_so(sluice):
    server = sluice(validation={"max_errors": 1})
    two = {"detail": {"interaction": {"id": 1, "start_time": 2}}}
    answer = server.post(two)
    assert list(answer.json) == ["error", "details", "errors", "truncated"]
    assert len(answer.json["errors"]) == 1
    assert answer.json["truncated"] is True
    one = server.post({"detail": {"interaction": {"id": 1, "start_time": "x"}}})
    assert list(one.json) == ["error", "details", "errors"]
