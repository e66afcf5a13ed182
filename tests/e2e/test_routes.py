"""Routes: which schema and transform an event meets, and where its payload and id are."""

import pytest

from server import put_schema, put_transform, route


@pytest.fixture
def which(folder, sluice):
    """A server that answers the number of the first route that matches, or None."""
    put_schema(folder, "Any", {})

    def start(*matches):
        routes = []
        for number, match in enumerate(matches):
            name = put_transform(folder, f"r{number}", [{"name": "route", "value": number}])
            routes.append(route(match=match, schema="Any", transform=name))
        server = sluice(routes=routes)

        def ask(event):
            answer = server.post(event)
            if answer.status == 400:
                assert answer.json["details"] == "No route for this event"
                return None
            assert answer.status == 200
            return answer.json["route"]

        return ask

    return start


GLOBS = [
    ("*", "", True),
    ("*", "anything at all", True),
    ("", "", True),
    ("", "x", False),
    ("genesys", "genesys", True),
    ("genesys", "genesyscloud", False),
    ("genesys", "Genesys", False),
    ("genesys*", "genesys", True),
    ("genesys*", "genesyscloud", True),
    ("*cloud", "genesyscloud", True),
    ("*cloud", "clouds", False),
    ("g*s*d", "genesyscloud", True),
    ("g*x*d", "genesyscloud", False),
    ("aws.partner/genesys.com/cloud/*/x", "aws.partner/genesys.com/cloud/1-2/x", True),
    ("a?c", "abc", True),
    ("a?c", "ac", False),
    ("a?c", "aéc", True),
    ("?", "", False),
    ("**", "x", True),
    ("a.c", "abc", False),
    ("[a-c]", "b", False),
    ("[a-c]", "[a-c]", True),
    ("a\\*", "a*", False),
    (
        "v2.detail.events.conversation.{id}.customer.start",
        "v2.detail.events.conversation.{id}.customer.start",
        True,
    ),
    ("*a*a*a*a*a*a*a*a*a*a*b", "a" * 5000, False),
]


@pytest.mark.parametrize(("glob", "value", "matches"), GLOBS, ids=lambda value: str(value)[:30])
def test_globs_know_star_and_question_mark_only(which, glob, value, matches):
    ask = which({"source": glob})
    assert ask({"source": value, "detail": 1}) == (0 if matches else None)


def test_the_log_names_a_route_that_no_event_reaches(sluice):
    """`check` refuses it; a server starts all the same."""
    server = sluice(routes=[route(match={"source": "b"}), route(), route(match={"source": "a"})])
    line = server.wait_log(event="route_never_reached")
    assert (line["level"], line["route"], line["behind"]) == ("warn", 2, 1)
    assert count_of(server, "route_never_reached") == 1


def count_of(server, event):
    return sum(line["event"] == event for line in server.log())


def test_the_first_match_wins(which):
    ask = which({"source": "a*"}, {"source": "ab*"}, {"detail-type": "x"})
    assert ask({"source": "abc", "detail": 1}) == 0
    assert ask({"source": "b", "detail-type": "x", "detail": 1}) == 2
    assert ask({"source": "b", "detail-type": "y", "detail": 1}) is None


def test_every_key_must_match(which):
    ask = which({"source": "a", "detail-type": "b"})
    assert ask({"source": "a", "detail-type": "b", "detail": 1}) == 0
    assert ask({"source": "a", "detail-type": "c", "detail": 1}) is None
    assert ask({"source": "a", "detail": 1}) is None


def test_a_key_absent_in_match_matches_all(which):
    assert which({})({"detail": 1}) == 0


def test_a_key_absent_in_the_event_is_empty(which):
    assert which({"source": "?*"}, {"source": ""})({"detail": 1}) == 1


def test_star_matches_an_absent_key(which):
    assert which({"source": "*"})({"detail": 1}) == 0


def test_any_envelope_key_can_be_matched(which):
    assert which({"account": "1*"})({"account": "123", "detail": 1}) == 0


def test_a_match_key_with_a_slash_is_a_pointer(which):
    ask = which({"/Metadata/type": "a*"}, {"/detail/0/x~1y": "z"})
    assert ask({"Metadata": {"type": "abc"}, "detail": 1}) == 0
    assert ask({"detail": [{"x/y": "z"}]}) == 1
    assert ask({"Metadata": "abc", "detail": 1}) is None


def test_each_route_has_its_schema(folder, sluice):
    put_schema(folder, "Text", {"type": "string"})
    put_schema(folder, "Number", {"type": "number"})
    name = put_transform(folder, "v", [{"name": "v", "from": ""}])
    server = sluice(
        routes=[
            route(match={"source": "t"}, schema="Text", transform=name),
            route(match={"source": "n"}, schema="Number", transform=name),
        ]
    )
    assert server.post({"source": "t", "detail": "x"}).body == b'{"v":"x"}'
    assert server.post({"source": "n", "detail": "x"}).status == 400
    assert server.post({"source": "n", "detail": 1.50}).body == b'{"v":1.5}'
    assert server.post({"source": "t", "detail": 1}).status == 400


INTERACTION = {"interaction": {"id": "a", "start_time": "b"}}


def test_the_new_bus_wraps_its_events(sluice):
    server = sluice(
        routes=[route(match={"/Metadata/kind": "call"}, payload="/Data", id="/Metadata/EventId")]
    )
    wrapped = {
        "Data": INTERACTION,
        "Metadata": {"kind": "call", "EventId": "e1"},
        "SystemMetadata": {},
    }
    assert server.post(wrapped).json["interaction_id"] == "a"
    assert server.post([wrapped]).json["results"] == [{"id": "e1", "status": 200}]


def test_a_wrapped_event_without_its_payload_is_malformed(sluice):
    server = sluice(routes=[route(payload="/Data")])
    answer = server.post({"Metadata": {}})
    assert (answer.status, answer.json["error"]) == (400, "Processing failed")


def test_a_bare_payload_is_the_whole_body(sluice):
    server = sluice(routes=[route(match={}, payload="", id="/interaction/id")])
    assert server.post(INTERACTION).json["interaction_id"] == "a"
    assert server.post([INTERACTION]).json["results"] == [{"id": "a", "status": 200}]
    answer = server.post({"interaction": {"id": "a"}})
    assert answer.json["errors"][0]["instanceLocation"] == "/interaction"


def test_pointers_of_errors_start_at_the_payload(sluice):
    server = sluice(routes=[route(payload="/a/0/b")])
    answer = server.post({"a": [{"b": {"interaction": 1}}]})
    assert answer.json["errors"][0]["instanceLocation"] == "/interaction"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (
            "aws.partner/genesys.com/cloud/0a/queue",
            "v2.detail.events.conversation.{id}.customer.start",
        ),
        ("genesyscloud", "interaction.started"),
    ],
)
def test_real_names_meet_the_default_route(shared, event, source, kind):
    assert shared.post(event | {"source": source, "detail-type": kind}).status == 200
