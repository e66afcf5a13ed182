"""Kafka sinks against librdkafka's mock cluster: what arrives, and what failing brokers do."""

import json
import uuid

import pytest

from glue_server import REGISTRY, SCHEMA
from kafka_library import VERSION, Mock
from load import Load
from server import ROOT, SLOW, run, wait_for
from test_sinks import STORE, arrives, counters, look, name, post

UNKNOWN_TOPIC, NOT_LEADER, TOPIC_DENIED, REFUSED_RECORD, OUT_OF_ORDER = 3, 6, 29, 87, 45
KILLS = 4


@pytest.fixture
def mock():
    cluster = Mock()
    yield cluster
    cluster.close()


def sink(mock, **changes):
    return {
        "name": "topic",
        "kind": "kafka",
        "brokers": [mock.brokers],
        "topic": mock.topic,
        "max_backoff": "100ms",
    } | changes


def keys(messages):
    return sorted(message.key for message in messages)


def test_a_message_has_the_record_its_key_and_headers(sluice, mock, event):
    server = sluice(store=STORE, sinks=[sink(mock, headers={"origin": "bus 1"})])
    event["id"] = 'an "id"'
    answer = server.post(event)
    assert answer.status == 200
    arrives(server, "topic")
    (message,) = mock.read()
    assert message.key == 'an "id"'
    assert message.value == answer.body
    assert message.headers == [
        ("sluice-key", 'an "id"'),
        ("origin", "bus 1"),
        ("content-type", "application/json"),
    ]


def test_each_record_arrives_once_and_in_order(sluice, mock, event):
    server = sluice(store=STORE, sinks=[sink(mock)])
    post(server, event, name("e", 300))
    assert arrives(server, "topic")["delivered"] == 300
    messages = mock.read()
    assert keys(messages) == sorted(name("e", 300))
    for partition in range(mock.partitions):
        numbers = [int(m.key[1:]) for m in messages if m.partition == partition]
        assert numbers == sorted(numbers)
        assert len(numbers) > 30


def test_an_ordered_sink_delivers_all(sluice, mock, event):
    server = sluice(store=STORE, sinks=[sink(mock, ordered=True)])
    mock.fail(NOT_LEADER)
    post(server, event, name("e", 50))
    arrives(server, "topic")
    assert keys(mock.read()) == sorted(name("e", 50))


def test_a_broker_that_goes_away_loses_and_repeats_nothing(sluice, mock, event):
    server = sluice(store=STORE, sinks=[sink(mock)])
    with Load(server.connect, event, clients=3) as load:
        for _ in range(3):
            accepted = load.accepted
            wait_for(lambda: load.accepted > accepted + 50, "answers")
            mock.set_down()
            accepted = load.accepted
            wait_for(lambda: load.accepted > accepted + 50, "answers")
            mock.set_up()
    assert load.faults == []
    wait_for(lambda: counters(server, "topic")["pending"] == 0, "an empty backlog", 60 * SLOW)
    found = keys(mock.read())
    assert len(found) == len(set(found)) == load.accepted


def test_what_the_broker_refuses_alone_is_set_aside(sluice, mock, event):
    server = sluice(store=STORE, sinks=[sink(mock, max_attempts=1)])
    mock.fail(REFUSED_RECORD)
    post(server, event, ["bad"])
    wait_for(lambda: counters(server, "topic")["dead"] == 1, "a dead record")
    post(server, event, ["good"])
    arrives(server, "topic")
    assert keys(mock.read()) == ["good"]


def test_a_longer_record_than_the_topic_takes_is_set_aside(sluice, mock, event):
    server = sluice(store=STORE, sinks=[sink(mock, max_message=2000, max_attempts=1)])
    post(server, event, ["a"])
    event["detail"]["interaction"]["customer"]["name"] = "x" * 3000
    post(server, event, ["long"])
    wait_for(lambda: counters(server, "topic")["dead"] == 1, "a dead record")
    arrives(server, "topic")
    assert keys(mock.read()) == ["a"]
    listed = run("dead", "list", "--json", cwd=server.folder, env={"SLUICE_CONFIG": "sluice.yaml"})
    assert "max_message" in listed.stdout


def test_a_fatal_error_ends_the_producer_and_loses_nothing(sluice, mock, event):
    server = sluice(store=STORE, sinks=[sink(mock)])
    mock.fail(OUT_OF_ORDER)
    post(server, event, name("e", 20))
    server.wait_log(event="kafka_producer_ended", sink="topic")
    arrives(server, "topic")
    assert set(keys(mock.read())) == set(name("e", 20))


def test_an_unknown_topic_is_named_and_records_wait(sluice, mock, event):
    mock.set_topic_error(UNKNOWN_TOPIC)
    server = sluice(store=STORE, sinks=[sink(mock)])
    post(server, event, name("e", 3))
    server.wait_text(lambda line: "nknown topic" in line, 30 * SLOW)
    assert counters(server, "topic")["pending"] == 3
    mock.set_topic_error(0)
    arrives(server, "topic")
    assert keys(mock.read()) == name("e", 3)


def test_kill_9_of_the_server_loses_nothing(sluice, folder, mock, event):
    store = {"path": str(folder / "kept.db")}
    sent = []
    mock.set_delay(20)
    for number in range(KILLS):
        server = sluice(store=store, sinks=[sink(mock)])
        names = name(f"k{number}-", 60)
        post(server, event, names)
        sent += names
        server.discard()
    arrives(sluice(store=store, sinks=[sink(mock)]), "topic")
    assert set(keys(mock.read())) == set(sent)


# Without a store.


def test_without_a_store_200_means_that_the_topic_has_it(sluice, mock, event):
    server = sluice(http={"deadline": f"{SLOW}s"}, sinks=[sink(mock)])
    wait_for(lambda: server.post(event | {"id": "first"}).status == 200, "a connection")
    post(server, event, name("e", 10))
    assert set(name("e", 10)) <= set(keys(mock.read()))
    mock.set_down()
    refused = server.post(event | {"id": "down"})
    assert (refused.status, json.loads(refused.body)["error"]) == (503, "Service unavailable")
    mock.set_up()
    wait_for(lambda: server.post(event | {"id": "up"}).status == 200, "a connection")


# The header of AWS Glue's serializers.

LIVE = f'sluice_schema_info{{registry="{REGISTRY}",schema="{SCHEMA}",version="2"}} 1'


def serve_glue(sluice, glue, mock):
    """A server with Glue's schemas, and a topic whose messages have the header."""
    return sluice(
        env=glue.environment(),
        aws=glue.config(),
        registry={"kind": "glue", "refresh": "20ms"},
        store=STORE,
        sinks=[sink(mock, glue_header=True)],
    )


def header(version):
    return b"\x03\x00" + uuid.UUID(version.id).bytes


@pytest.mark.emulator_only("ids")
def test_a_message_begins_with_the_id_of_its_schema_version(sluice, glue, mock, event):
    definition = json.loads((ROOT / f"conf/schemas/{REGISTRY}/{SCHEMA}.json").read_text())
    versions = [glue.put(definition)]
    server = serve_glue(sluice, glue, mock)
    post(server, event, ["a", "b"])
    versions.append(glue.put(definition | {"title": "another version"}))
    wait_for(lambda: LIVE in server.get("/metrics").body.decode(), "the version")
    answer = server.post(event | {"id": "c"})
    arrives(server, "topic")
    messages = {message.key: message.value for message in mock.read()}
    assert messages["a"][:18] == messages["b"][:18] == header(versions[0])
    assert messages["c"] == header(versions[1]) + answer.body


@pytest.mark.emulator_only("faults")
def test_records_wait_while_glue_does_not_tell_the_id(sluice, glue, mock, event):
    definition = json.loads((ROOT / f"conf/schemas/{REGISTRY}/{SCHEMA}.json").read_text())
    version = glue.put(definition)
    server = serve_glue(sluice, glue, mock)
    wait_for(lambda: server.get("/readyz").status == 200, "the schema")
    glue.fault("denied")
    post(server, event, ["a"])
    line = server.wait_log(event="sink_misconfigured", sink="topic")
    assert "GetSchemaVersion" in line["reason"]
    glue.fault(None)
    arrives(server, "topic")
    assert [message.value[:18] for message in mock.read()] == [header(version)]


def test_doctor_asks_the_brokers_about_the_topic(folder, mock):
    assert look(folder, sink(mock)) == (0, "ok", "topic: topic records: 3 partitions")
    mock.set_topic_error(UNKNOWN_TOPIC)
    assert look(folder, sink(mock)) == (1, "fail", "topic: topic records: the brokers have no such topic")
    mock.set_topic_error(0)
    assert mock.read() == []


@pytest.mark.skipif(
    0x020100 <= VERSION < 0x020A00,
    reason="this librdkafka crashes on a topic's error beside partitions, which only its mock cluster sends",
)
def test_doctor_names_the_right_that_is_missing(folder, mock):
    mock.set_topic_error(TOPIC_DENIED)
    status, finding, text = look(folder, sink(mock))
    assert (status, finding) == (1, "fail") and "kafka-cluster:DescribeTopic" in text
