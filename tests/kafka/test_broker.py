"""Kafka sinks against a broker of Apache Kafka: logins, TLS, and `kill -9` of either side."""

import itertools
import os
import pathlib
import threading
import uuid

import pytest

from broker import SECRET
from client import Closed
from load import Load
from server import wait_for
from test_sinks import STORE, arrives, counters, look, name, post

PATIENCE = 120  # seconds; a broker that was killed starts again
KILLS = 20
BROKER_KILLS = int(os.environ.get("SLUICE_BROKER_KILLS", "2"))  # a start takes 10 s or more


def new_topic(broker):
    return broker.create_topic(f"t-{uuid.uuid4()}")


@pytest.fixture
def topic(broker):
    return new_topic(broker)


def sink(broker, topic, listener="PLAIN", **changes):
    return {
        "name": "topic",
        "kind": "kafka",
        "brokers": [broker.address(listener)],
        "topic": topic,
        "max_backoff": "100ms",
    } | changes


def keys(messages):
    return sorted(message.key for message in messages)


def login(secret, mechanism, password):
    return {"mechanism": mechanism, "user": "sluice", "password_file": secret(password)}


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_records_arrive_once_with_key_and_headers(sluice, broker, topic, event, compression):
    server = sluice(store=STORE, sinks=[sink(broker, topic, compression=compression)])
    answer = server.post(event | {"id": "a"})
    post(server, event, name("e", 100))
    arrives(server, "topic")
    messages = broker.read(topic)
    assert keys(messages) == sorted(["a", *name("e", 100)])
    (message,) = [message for message in messages if message.key == "a"]
    assert message.value == answer.body
    assert message.headers == [("sluice-key", "a"), ("content-type", "application/json")]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_scram_logs_in(sluice, scram_broker, event, secret, mechanism):
    topic = new_topic(scram_broker)
    sasl = login(secret, mechanism, "secret-of-SCRAM")
    server = sluice(store=STORE, sinks=[sink(scram_broker, topic, "SCRAM", sasl=sasl)])
    post(server, event, ["a"])
    arrives(server, "topic")
    assert keys(scram_broker.read(topic)) == ["a"]


def test_scram_goes_over_tls(sluice, scram_broker, event, secret):
    topic = new_topic(scram_broker)
    tls = {"ca_file": scram_broker.pair["cert_file"]}
    sasl = login(secret, "SCRAM-SHA-256", "secret-of-SCRAM")
    server = sluice(store=STORE, sinks=[sink(scram_broker, topic, "SECURE", tls=tls, sasl=sasl)])
    post(server, event, ["a"])
    arrives(server, "topic")
    assert keys(scram_broker.read(topic)) == ["a"]


def test_plain_goes_over_tls(sluice, broker, topic, event, secret):
    tls = {"ca_file": broker.pair["cert_file"]}
    sasl = login(secret, "PLAIN", "a secret of PLAIN")
    server = sluice(store=STORE, sinks=[sink(broker, topic, "SECURE", tls=tls, sasl=sasl)])
    post(server, event, ["a"])
    arrives(server, "topic")
    assert keys(broker.read(topic)) == ["a"]


def test_a_client_certificate_logs_in(sluice, broker, topic, event):
    tls = {"ca_file": broker.pair["cert_file"], **broker.client_pair}
    server = sluice(store=STORE, sinks=[sink(broker, topic, "TLS", tls=tls)])
    post(server, event, ["a"])
    arrives(server, "topic")
    assert keys(broker.read(topic)) == ["a"]


def test_a_wrong_password_waits_until_the_file_has_the_right_one(
    sluice, broker, topic, event, secret
):
    tls = {"ca_file": broker.pair["cert_file"]}
    sasl = login(secret, "PLAIN", "wrong")
    server = sluice(store=STORE, sinks=[sink(broker, topic, "SECURE", tls=tls, sasl=sasl)])
    post(server, event, ["a"])
    server.wait_log(event="sink_misconfigured", sink="topic")
    assert counters(server, "topic")["pending"] == 1
    pathlib.Path(sasl["password_file"]).write_text("a secret of PLAIN")
    arrives(server, "topic")
    assert keys(broker.read(topic)) == ["a"]


def test_a_certificate_that_is_not_trusted_is_refused(sluice, broker, topic, event):
    server = sluice(store=STORE, sinks=[sink(broker, topic, "SECURE", tls=True)])
    post(server, event, ["a"])
    server.wait_log(event="sink_misconfigured", sink="topic")
    assert counters(server, "topic")["pending"] == 1
    assert broker.read(topic) == []


def aws(secret):
    return {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": secret}


def test_iam_logs_in_again_when_a_session_ends(sluice, broker, topic, event):
    kind = sink(broker, topic, "MSK", sasl={"mechanism": "AWS_MSK_IAM"}, region="eu-west-1")
    server = sluice(store=STORE, sinks=[kind], env=aws(SECRET))
    logins = broker.log().count("MskTokens: accepted")
    sent = 0
    while broker.log().count("MskTokens: accepted") < logins + 4:
        post(server, event, [f"e{sent}"])
        sent += 1
        arrives(server, "topic")
    assert keys(broker.read(topic)) == sorted(name("e", sent))
    assert not [line for line in server.log() if line["event"] in ("sink_failed", "sink_misconfigured")]


def test_iam_with_a_wrong_secret_is_refused(sluice, broker, topic, event):
    kind = sink(broker, topic, "MSK", sasl={"mechanism": "AWS_MSK_IAM"}, region="eu-west-1")
    server = sluice(store=STORE, sinks=[kind], env=aws("wrong"))
    post(server, event, ["a"])
    server.wait_text(lambda line: "sink_" in line and "access_denied" in line)
    assert counters(server, "topic")["pending"] == 1
    assert "MskTokens: refused: wrong signature" in broker.log()


def test_doctor_names_a_topic_that_is_missing_and_makes_none(folder, broker, topic):
    assert look(folder, sink(broker, topic)) == (0, "ok", f"topic: topic {topic}: 3 partitions")
    for _ in range(2):
        status, finding, text = look(folder, sink(broker, f"{topic}-2"))
        assert (status, finding, text) == (1, "fail", f"topic: topic {topic}-2: the brokers have no such topic")


@pytest.mark.parametrize("way", ["password", "token", "certificate"])
def test_doctor_says_that_the_login_is_refused(folder, broker, topic, secret, way):
    tls = {"ca_file": broker.pair["cert_file"]}
    wrong = {
        "password": sink(broker, topic, "SECURE", tls=tls, sasl=login(secret, "PLAIN", "wrong")),
        "token": sink(broker, topic, "MSK", sasl={"mechanism": "AWS_MSK_IAM"}, region="eu-west-1"),
        "certificate": sink(broker, topic, "TLS", tls=tls),
    }[way]
    status, finding, text = look(folder, wrong, aws("wrong"))
    assert (status, finding) == (1, "fail")
    assert {"password": "uthentication failed", "token": "access_denied", "certificate": "ertificate"}[way] in text


def test_kill_9_of_the_broker_loses_and_repeats_nothing(sluice, broker, topic, event):
    server = sluice(store=STORE, sinks=[sink(broker, topic)])
    with Load(server.connect, event, clients=4) as load:
        for _ in range(BROKER_KILLS):
            accepted = load.accepted
            wait_for(lambda: load.accepted > accepted + 100, "answers")
            broker.kill()
            broker.start()
    assert load.faults == []
    wait_for(lambda: counters(server, "topic")["pending"] == 0, "an empty backlog", PATIENCE)
    messages = broker.read(topic)
    found = keys(messages)
    assert len(found) == len(set(found)) == load.accepted
    for partition in range(3):
        for client in range(4):
            numbers = [
                int(message.key.split("-")[1])
                for message in messages
                if message.partition == partition and message.key.startswith(f"{client}-")
            ]
            assert numbers == sorted(numbers)


def post_until_the_end(server, event, prefix, taken):
    """Append the id of each event that is answered 200, until the server is gone."""
    for number in itertools.count():
        key = f"{prefix}-{number}"
        try:
            if server.post(event | {"id": key}).status == 200:
                taken.append(key)
        except (OSError, Closed):
            return


def test_kill_9_of_the_server_loses_nothing(sluice, folder, broker, topic, event):
    options = {"store": {"path": str(folder / "kept.db")}, "sinks": [sink(broker, topic)]}
    taken = []
    for kill in range(KILLS):
        server = sluice(**options)
        before = len(taken)
        poster = threading.Thread(target=post_until_the_end, args=(server, event, kill, taken))
        poster.start()
        wait_for(lambda: len(taken) > before + 20 + 10 * kill, "answers")
        server.discard()
        poster.join()
    server = sluice(**options)
    wait_for(lambda: counters(server, "topic")["pending"] == 0, "an empty backlog", PATIENCE)
    assert set(taken) <= set(keys(broker.read(topic)))
