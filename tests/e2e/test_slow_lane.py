"""Large or slow requests run on worker threads. Requests that wait for a schema, a worker or the store can
neither end the process nor delay other requests."""

import json
import select
import signal
import threading

import pytest
from client import encode
from server import SLOW, put_schema, route

# 13 letters and a "!": each needs about 2^13 steps before the second branch accepts it.
COSTLY = {"items": {"anyOf": [{"pattern": "^(\\w+\\s?)+$"}, {"maxLength": 40}]}}
LARGE = 20_000


def costly(number, strings=3000):
    return {"id": f"c{number}", "detail": ["a" * 13 + "!"] * strings}


def padded(event):
    return json.dumps(event).encode() + b" " * LARGE


def test_large_events_have_the_answers_of_small_ones(sluice, event):
    server = sluice(store={"path": "store/sluice.db"})
    small, large = event | {"id": "s"}, event | {"id": "l"}
    first = server.post(small), server.post(padded(large))
    again = server.post(small), server.post(padded(large))
    assert [answer.status for answer in (*first, *again)] == [200] * 4
    assert first[0].json | {"processed_at": 0} == first[1].json | {"processed_at": 0}
    assert again[1].body == first[1].body
    assert again[1].header("Sluice-Duplicate") == "true"
    wrong = [server.post(form({"id": "w", "detail": {}})) for form in (encode, padded)]
    assert wrong[0].status == wrong[1].status == 400
    assert wrong[0].body == wrong[1].body
    assert server.metric("sluice_slow_lane_seconds_count") == 4  # the duplicate passes through the lane twice


def test_the_costly_do_not_hold_up_the_others(folder, sluice, event):
    put_schema(folder, "Costly", COSTLY)
    server = sluice(
        validation={"budget": "1s"},
        routes=[route(match={"source": "costly"}, schema="Costly"), route()],
    )
    waiting = [server.connect() for _ in range(8)]
    body = encode(costly(0) | {"source": "costly"})
    head = b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    for connection in waiting:
        connection.send(head + body)
    for _ in range(3):
        assert server.post(event).status == 200
    answered, _, _ = select.select([connection.socket for connection in waiting], [], [], 0)
    statuses = [connection.answer().status for connection in waiting]
    for connection in waiting:
        connection.close()
    assert set(statuses) <= {400, 503}, statuses
    assert len(answered) < len(waiting) / 2  # the good requests did not wait for the costly ones


def test_each_costly_element_gets_a_verdict_and_the_good_one_is_taken(folder, sluice, event):
    put_schema(folder, "Costly", COSTLY)
    server = sluice(
        http={"deadline": f"{4 * SLOW}s"},
        validation={"budget": "20ms"},
        routes=[route(match={"source": "costly"}, schema="Costly"), route()],
    )
    body = [costly(n) | {"source": "costly"} for n in range(8)] + [event | {"id": "good"}]
    refused = set()
    for _ in range(20):
        results = server.post(body).json["results"]
        assert results[8]["status"] == 200
        refused |= {one["id"] for one in results if one["status"] == 400}
        if len(refused) == 8:
            break
    assert len(refused) == 8


def test_records_that_take_much_memory_are_made_at_several_attempts(folder, sluice):
    """Six bytes of a number become a thousand digits: 30 events have 30 MB of records."""
    put_schema(folder, "Any", {})
    transform = folder / "large.yaml"
    transform.write_text('fields: [{ name: all, each: /n, from: "", as: integer }]')
    server = sluice(
        http={"deadline": f"{4 * SLOW}s"},
        validation={"budget": "2s"},
        routes=[route(schema="Any", transform=str(transform))],
        store={"path": "store/sluice.db"},
    )
    body = [{"id": f"e{n}", "detail": {"n": ["1e999"] * 1000}} for n in range(30)]
    first = [one["status"] for one in server.post(body).json["results"]]
    assert 10 < first.count(200) < 25 and set(first) == {200, 503}
    statuses = first
    for _ in range(40):
        again = [one["status"] for one in server.post(body).json["results"]]
        statuses = [min(pair) for pair in zip(statuses, again, strict=True)]
        if set(statuses) == {200}:
            break
    assert set(statuses) == {200}


@pytest.mark.emulator_only("faults")
def test_an_expired_request_ends_neither_the_process_nor_in_the_store(glue, sluice, event):
    glue.fault("hang")
    server = sluice(
        env=glue.environment(),
        aws=glue.config(),
        registry={"kind": "glue"},
        http={"deadline": "1s"},
        store={"path": "store/sluice.db"},
    )
    bodies = [
        [{"id": "x"}, event | {"id": "good"}],
        [event | {"id": "one"}, event | {"id": "two"}],
        padded([{"id": "x"}, event | {"id": "large"}]),
        event,
    ]
    answers = []

    def post(body):
        answers.append(server.post(body))

    threads = [threading.Thread(target=post, args=(body,)) for body in bodies * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [503] * len(threads)
    assert {answer.json["details"] for answer in answers} == {"deadline"}
    assert server.metric("sluice_store_accepted_total") == 0
    assert server.process.poll() is None


def test_the_end_does_not_wait_for_a_costly_check(folder, sluice):
    put_schema(folder, "Costly", COSTLY)
    server = sluice(
        http={"deadline": "1s"},
        validation={"budget": "10m"},
        routes=[route(schema="Costly")],
    )
    with server.connect() as connection:
        body = encode([costly(n, 30_000) for n in range(2)])
        connection.send(
            b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        server.signal(signal.SIGTERM)
        answer = connection.answer()
    assert (answer.status, answer.json["details"]) == (503, "deadline")
    server.stop()


def test_a_reload_leaves_the_slow_lane_its_requests(folder, sluice):
    put_schema(folder, "Costly", COSTLY)
    server = sluice(validation={"budget": "300ms"}, routes=[route(schema="Costly")])
    for number in range(4):
        with server.connect() as connection:
            body = encode(costly(number))
            connection.send(
                b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            server.signal(signal.SIGHUP)
            assert connection.answer().status in (400, 503)
    server.wait_log(event="reloaded")
