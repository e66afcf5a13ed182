"""POST /events with an array.

tests/unit/handlers/test_events_*.c has the outcome of each kind of element and of each mix."""

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
    """Routes; events with `source: broken` fail retryably because their schema does not compile."""
    put_schema(folder, "Wrong", {"type": "strin"})
    return [route(match={"source": "broken"}, schema="Wrong"), route()]


def test_a_refused_element_says_why_and_the_rest_goes_on(shared):
    answer = shared.post([good("a1"), bad("a2"), good("a3")])
    assert answer.status == 200
    assert answer.json == {
        "results": [{"id": "a1", "status": 200}, {"id": "a2"} | BAD, {"id": "a3", "status": 200}],
        "batchItemFailures": [],
    }
    assert list(answer.json["results"][1]) == ["id", "status", "error", "details", "errors"]


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


def test_partial_is_always_200(sluice, broken):
    server = sluice(http={"batch_response": "partial"}, routes=broken)
    answer = server.post([good("a1"), good("a2") | {"source": "broken"}])
    assert answer.status == 200
    assert answer.json["batchItemFailures"] == [{"itemIdentifier": "a2"}]
    assert server.post([bad("a1")]).status == 200


def test_five_hundred_by_default(shared):
    answer = shared.post([good(f"e{number}") for number in range(500)])
    assert answer.status == 200
    assert [entry["id"] for entry in answer.json["results"]] == [f"e{n}" for n in range(500)]
    assert shared.post([{}] * 501).json["details"] == "Batch of 501 events, at most 500"


def test_an_expensive_event_does_not_condemn_its_neighbours(folder, sluice):
    put_schema(folder, "Dear", {"pattern": "^(a|a)*$"})
    server = sluice(validation={"budget": "50ms"}, routes=[route(schema="Dear")])
    dear, good = {"id": "dear", "detail": "a" * 5000 + "!"}, {"id": "good", "detail": "a"}
    answer = server.post([good, dear, good])
    detailed = [(one["status"], one.get("details")) for one in answer.json["results"]]
    assert detailed[1] == (400, "Event too expensive to check")
    untouched = (400, "Transformation failed: payload is not an object (field interaction_id from /interaction/id)")
    assert detailed[0] == detailed[2] == untouched
