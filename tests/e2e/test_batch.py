"""POST /events with an array: outcomes of each element, and the status of the whole."""

import pytest

from server import put_schema, route


def good(name):
    return {"id": name, "detail": {"interaction": {"id": "a", "start_time": "b"}}}


def bad(name):
    return {"id": name, "detail": {"interaction": {"id": 1, "start_time": "b"}}}


BAD = {
    "status": 400,
    "error": "Schema validation failed",
    "details": "<integer> is not of type 'string'",
    "errors": [
        {
            "instanceLocation": "/interaction/id",
            "keywordLocation": "/properties/interaction/properties/id/type",
            "error": "<integer> is not of type 'string'",
        }
    ],
}


@pytest.fixture
def broken(folder):
    """Routes of which `source: broken` fails retryably, by a schema that does not compile."""
    put_schema(folder, "Wrong", {"type": "strin"})
    return [route(match={"source": "broken"}, schema="Wrong"), route()]


def test_an_empty_array_is_200(shared):
    answer = shared.post([])
    assert (answer.status, answer.body) == (200, b'{"results":[],"batchItemFailures":[]}')


def test_outcomes_not_records(shared):
    answer = shared.post([good("a1"), good("a2")])
    assert (answer.status, answer.body) == (
        200,
        b'{"results":[{"id":"a1","status":200},{"id":"a2","status":200}],"batchItemFailures":[]}',
    )


def test_one_element_is_an_array_too(shared):
    assert shared.post([good("x")]).json["results"] == [{"id": "x", "status": 200}]


def test_a_refused_element_says_why_and_the_rest_goes_on(shared):
    answer = shared.post([good("a1"), bad("a2"), good("a3")])
    assert answer.status == 200
    assert answer.json == {
        "results": [{"id": "a1", "status": 200}, {"id": "a2"} | BAD, {"id": "a3", "status": 200}],
        "batchItemFailures": [],
    }
    assert list(answer.json["results"][1]) == ["id", "status", "error", "details", "errors"]


def test_all_refused_is_400(shared):
    answer = shared.post([bad("a1"), {}, 5])
    assert answer.status == 400
    assert [entry["status"] for entry in answer.json["results"]] == [400, 400, 400]
    assert answer.json["batchItemFailures"] == []


def test_an_element_without_id_has_null(shared):
    elements = [good("x"), {"detail": 1}, 7, "text", None, [good("y")]]
    elements[0]["id"] = 5
    answer = shared.post(elements)
    assert [entry["id"] for entry in answer.json["results"]] == [None] * 6


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("", None),
        ("x", "x"),
        ("x" * 256, "x" * 256),
        ("x" * 257, None),
        ("é" * 128, "é" * 128),
        ("é" * 129, None),
    ],
    ids=lambda name: str(name)[:4],
)
def test_an_id_has_1_to_256_bytes(shared, name, seen):
    assert shared.post([good(name)]).json["results"] == [{"id": seen, "status": 200}]


@pytest.mark.parametrize("element", [None, 5, "x", True, [], {}, [good("x")]], ids=str)
def test_an_element_that_is_no_event_is_malformed(shared, element):
    result = shared.post([element]).json["results"][0]
    assert result == {
        "id": None,
        "status": 400,
        "error": "Processing failed",
        "details": "Invalid EventBridge payload: missing 'detail' key",
    }


def test_retryable_failures_are_listed(sluice, broken):
    server = sluice(routes=broken)
    answer = server.post(
        [
            good("a1"),
            good("a2") | {"source": "broken"},
            bad("a3"),
            {"source": "broken", "detail": {}},
        ]
    )
    assert answer.status == 500
    assert answer.json["batchItemFailures"] == [{"itemIdentifier": "a2"}, {"itemIdentifier": ""}]
    assert [entry["status"] for entry in answer.json["results"]] == [200, 500, 400, 500]
    assert answer.json["results"][3]["id"] is None


def test_503_wins_over_500(sluice, broken):
    server = sluice(
        status_map="eventbridge",
        routes=[route(match={"source": "nowhere"}, schema="Nowhere"), *broken],
    )
    elements = [good("a1"), good("a2") | {"source": "broken"}, good("a3") | {"source": "nowhere"}]
    answer = server.post(elements)
    assert answer.status == 503
    assert int(answer.header("Retry-After")) >= 1
    assert answer.json["batchItemFailures"] == [{"itemIdentifier": "a2"}, {"itemIdentifier": "a3"}]


def test_partial_is_always_200(sluice, broken):
    server = sluice(http={"batch_response": "partial"}, routes=broken)
    answer = server.post([good("a1"), good("a2") | {"source": "broken"}])
    assert answer.status == 200
    assert answer.json["batchItemFailures"] == [{"itemIdentifier": "a2"}]
    assert server.post([bad("a1")]).status == 200


def test_partial_changes_nothing_for_a_single_event(sluice):
    assert sluice(http={"batch_response": "partial"}).post(bad("a")).status == 400


def test_at_most_max_batch(sluice):
    server = sluice(http={"max_batch": 3})
    assert server.post([good("x")] * 3).status == 200
    answer = server.post([good("x")] * 4)
    assert answer.status == 400
    assert answer.body == (
        b'{"error":"Processing failed","details":"Batch of 4 events, at most 3"}'
    )


def test_five_hundred_by_default(shared):
    answer = shared.post([good(f"e{number}") for number in range(500)])
    assert answer.status == 200
    assert [entry["id"] for entry in answer.json["results"]] == [f"e{n}" for n in range(500)]
    assert shared.post([{}] * 501).json["details"] == "Batch of 501 events, at most 500"


def test_one_byte_wrong_refuses_the_whole_body(shared):
    answer = shared.post(b'[{"detail":{}},{"detail":{},}]')
    assert (answer.status, answer.json["error"]) == (400, "Processing failed")


def test_receipts_change_nothing_for_arrays(sluice):
    answer = sluice(http={"respond": "receipt"}).post([good("a1")])
    assert answer.json["results"] == [{"id": "a1", "status": 200}]


def test_truncated_errors_say_so_in_their_element(sluice):
    server = sluice(validation={"max_errors": 1})
    result = server.post([{"detail": {"interaction": {}}}]).json["results"][0]
    assert (len(result["errors"]), result["truncated"]) == (1, True)


def test_an_expensive_event_does_not_condemn_its_neighbours(folder, sluice):
    put_schema(folder, "Dear", {"pattern": "^(a|a)*$"})
    server = sluice(validation={"budget": "50ms"}, routes=[route(schema="Dear")])
    dear, good = {"id": "dear", "detail": "a" * 5000 + "!"}, {"id": "good", "detail": "a"}
    answer = server.post([good, dear, good])
    detailed = [(one["status"], one.get("details")) for one in answer.json["results"]]
    assert detailed[1] == (400, "Event too expensive to check")
    untouched = (400, "Transformation failed: payload is not an object")
    assert detailed[0] == detailed[2] == untouched
