"""kill -9 of the server, and outages of the target, while records go to services of AWS and to Kafka.

None is lost. DynamoDB, S3 and a FIFO queue have each event once. CRASH_TARGET_KILLS=20: each kind, so many kills.
"""

import collections
import contextlib
import json
import os
import threading

import pytest

import verdict
from aws_services import DynamoInsert, Kinesis, Sqs, SqsFifo
from aws_targets import AwsTarget, Fault
from kafka_library import Mock
from s3_target import S3Target
from trial import KILLS, LONG, Trial

IS_LONG = LONG or "CRASH_TARGET_KILLS" in os.environ
TIMES = int(os.environ.get("CRASH_TARGET_KILLS", KILLS if LONG else 4))


class Storm:
    """Each tenth call fails, each tenth is stored without an answer, and each tenth fails for one entry. While it
    `is_down` no call is answered; the one that the outage interrupts may be stored."""

    def __init__(self, rng):
        self.rng = rng
        self.lock = threading.Lock()
        self.is_down = False

    def draw(self):
        with self.lock:
            if self.is_down:
                return "reset"
            return {0: "broken", 1: "lost", 2: "entry"}.get(self.rng.randrange(10), "")

    def of_entries(self, entries):
        call = self.draw()
        if call == "entry":
            return Fault(entries={self.rng.randrange(len(entries)): "later"})
        return Fault(call=call) if call else Fault(delay=0.005)

    def of_object(self, method, _):
        return self.draw().replace("entry", "") if method == "PUT" else None


class Service:
    """A service of AWS that takes entries."""

    def __init__(self, service):
        self.peer = AwsTarget(service())
        self.sink, self.environment = self.peer.sink, self.peer.environment

    def set_storm(self, storm):
        self.peer.plan = storm and storm.of_entries
        self.storm = storm

    def set_down(self, is_down):
        self.storm.is_down = is_down

    def arrived(self):
        return self.peer.arrived()


class Bucket(Service):
    def __init__(self, _=None):
        self.peer = S3Target()
        self.environment = self.peer.environment

    def sink(self):
        return self.peer.sink(name="target", max_bytes="16KiB")

    def set_storm(self, storm):
        self.peer.plan = storm and storm.of_object
        self.storm = storm

    def arrived(self):
        return self.peer.records()


class Topic(Service):
    """A topic of librdkafka's mock cluster."""

    def __init__(self, _=None):
        self.peer = contextlib.closing(Mock())
        self.mock = self.peer.thing
        self.environment = dict

    def sink(self):
        return {"name": "target", "kind": "kafka", "brokers": [self.mock.brokers], "topic": self.mock.topic}

    def set_storm(self, storm):
        pass

    def set_down(self, is_down):
        (self.mock.set_down if is_down else self.mock.set_up)()

    def arrived(self):
        return [json.loads(message.value) for message in self.mock.read()]


# How each is made, and whether each event is there once.
KINDS = {
    "kinesis": (Service, Kinesis, False),
    "dynamodb": (Service, DynamoInsert, True),
    "s3": (Bucket, None, True),
    "sqs": (Service, Sqs, False),
    "sqs-fifo": (Service, SqsFifo, True),
    "kafka": (Topic, None, False),
}
SHORT = ("kinesis", "dynamodb", "s3")


@pytest.mark.parametrize("kind", KINDS if IS_LONG else SHORT)
def test_killed_at_any_time_each_record_arrives(tmp_path, seed, rng, tell, kind):
    make, service, is_once = KINDS[kind]
    target = make(service)
    with target.peer, Trial(tmp_path, seed, rng, target=target) as trial:
        target.set_storm(Storm(rng))
        trial.crowd.start(pause=0.002)
        for _ in range(TIMES):
            trial.world.start()
            trial.world.look()
            target.set_down(True)
            trial.rest()
            target.set_down(False)
            trial.strike()
        target.set_storm(None)
        violations = trial.finish()
        arrived = target.arrived()
        repeated = verdict.check_delivered(trial.ledger, "target", arrived, ordered=False)
        tell(f"{trial.summary()}; {len(arrived)} records, {repeated} again")
        assert violations == []
        if is_once:
            marks = collections.Counter(record["interaction_id"] for record in arrived)
            assert set(marks.values()) == {1}
