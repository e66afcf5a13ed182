"""The contract of sinks (test_sink_contract.py) for Kafka, against librdkafka's mock cluster; `make contracttest`.

A mock cluster shows no single calls: the tests that count or change them have their like in test_kafka.py.
"""

import json
import types

import pytest

import test_sink_contract as contract
from aws_services import Stored
from kafka_library import Mock
from server import wait_for
from test_sink_contract import peer, start, test_each_record_arrives_unharmed  # noqa: F401: fixtures and a test
from test_sinks import arrives, counters, name, post

pytestmark = pytest.mark.skipif(not contract.IS_LONG, reason="for make contracttest")
FOREVER = 3600 * 1000
# Codes of Kafka's protocol in the answer to a produce request.
LATER = {
    "leader": 6,
    "timed out": 7,
    "disconnected": 13,
    "too few replicas": 19,
    "too few replicas after it was appended": 20,
    "storage": 56,
    "fenced leader": 74,
    "quota": 89,
}
CONFIGURATION = {"topic": 29, "compression": 76}
OWN = {"size": 10, "record": 87}
BROKEN = {"broken": LATER["leader"], "later": LATER["timed out"], "": 0}


class Target(Mock):
    """With the members of aws_targets.AwsTarget that these tests use."""

    service = types.SimpleNamespace(kind="kafka")
    calls = (None,)  # of a hold: the sink cannot have sent anything while the broker is down

    def __enter__(self):
        self.set_plan(None)
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def plan(self):
        return self.wanted

    @plan.setter
    def plan(self, plan):
        self.set_plan(plan)

    def set_plan(self, plan):
        self.wanted = plan
        fault = plan([]) if plan else None
        is_down = fault is not None and fault.call in ("later", "denied")
        is_hanging = fault is not None and fault.call == "hang"
        self.set_delay(FOREVER if is_hanging else round(1000 * fault.delay) if fault else 0)
        (self.set_down if is_down else self.set_up)()

    def next(self, *faults):
        self.fail(*(BROKEN[fault.call] for fault in faults))

    def wait(self, is_so):
        wait_for(lambda: is_so(self), "the mock cluster")

    def sink(self, timeout=None, **changes):  # it has no time limit
        keys = {"name": "target", "kind": "kafka", "brokers": [self.brokers], "topic": self.topic}
        return keys | {"max_backoff": "50ms"} | changes

    def environment(self):
        return {}

    def stored(self):
        return [Stored(message.value, message.key) for message in self.read()]

    def arrived(self):
        return [json.loads(message.value) for message in self.read()]


@pytest.fixture
def kind():
    return contract.Kind(Target, 1000000)


@pytest.mark.parametrize(
    "promise",
    [
        contract.test_a_hanging_target_does_not_hold_the_server,
        contract.test_the_drain_delivers_what_waits,
        contract.test_without_a_store_a_200_means_that_it_arrived,
    ],
)
def test_it_keeps_the_promise(start, peer, event, promise):  # noqa: F811
    promise(start, peer, event)


@pytest.mark.parametrize(
    "promise",
    [
        contract.test_by_key_the_records_of_a_key_arrive_in_order,
        contract.test_killed_in_the_middle_nothing_is_lost,
    ],
)
def test_it_keeps_the_promise_of_its_kind(start, peer, kind, event, promise):  # noqa: F811
    promise(start, peer, kind, event)


def keys(peer):
    return sorted(record["interaction_id"] for record in peer.arrived())


def test_what_the_brokers_refuse_for_now_arrives_once(start, peer, event):  # noqa: F811
    server = start(max_attempts=1)
    for number, code in enumerate(LATER.values()):
        peer.fail(code, code)
        post(server, event, name(f"e{number}-", 5))
        arrives(server, "target")
    assert counters(server, "target")["dead"] == 0
    assert keys(peer) == sorted(one for number in range(len(LATER)) for one in name(f"e{number}-", 5))


@pytest.mark.parametrize("code", CONFIGURATION)
def test_what_is_configured_wrong_is_said_and_nothing_is_lost(start, peer, event, code):  # noqa: F811
    server = start(max_attempts=1)
    peer.fail(*[CONFIGURATION[code]] * 5)
    post(server, event, name("e", 5))
    server.wait_log(event="sink_misconfigured", sink="target")
    arrives(server, "target")
    assert counters(server, "target")["dead"] == 0
    assert keys(peer) == name("e", 5)


@pytest.mark.parametrize("code", OWN)
def test_a_record_that_is_refused_is_set_aside(start, peer, event, code):  # noqa: F811
    server = start(max_attempts=1)
    peer.fail(OWN[code])
    post(server, event, ["poison"])
    wait_for(lambda: counters(server, "target")["dead"] == 1, "a dead record")
    post(server, event, name("e", 5))
    arrives(server, "target")
    assert keys(peer) == name("e", 5)
