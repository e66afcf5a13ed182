"""kill -9 of the server, and outages or kill -9 of the target, while records go to services of AWS and to Kafka.

None is lost. DynamoDB, S3 and a FIFO queue have each event once. The long form, and CRASH_TARGET_KILLS=20, kill each
kind 20 times.
"""

import collections
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys

import pytest

import verdict
from aws_services import DynamoInsert, Firehose, Kinesis, Sns, Sqs, SqsFifo
from aws_targets import AwsTarget
from kafka_library import Mock
from s3_target import S3Target
from storm import Storm
from target_process import service_with
from trial import LONG, Trial

IS_LONG = LONG or "CRASH_TARGET_KILLS" in os.environ
TIMES = int(os.environ.get("CRASH_TARGET_KILLS", 20 if LONG else 4))


class Service:
    """A service of AWS that takes entries."""

    def __init__(self, service, _):
        self.peer = AwsTarget(service())
        self.sink, self.environment = self.peer.sink, self.peer.environment

    def set_storm(self, storm):
        self.peer.plan = storm and storm.of_entries
        self.storm = storm

    def set_down(self, is_down):
        self.storm.is_down = is_down

    def arrived(self):
        return self.peer.arrived()


class Process(Service):
    """A service in a process of its own, which is killed when it goes down."""

    def __init__(self, service, folder):
        self.service, self.file = service, folder / "taken"
        self.place = socket.socket()  # bound as long as the test lasts: nothing else gets the port
        self.place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.place.bind(("127.0.0.1", 0))
        self.port = self.place.getsockname()[1]
        target = AwsTarget(service(), self.port)
        self.sink, self.environment = target.sink, target.environment
        self.peer = self
        self.kills = 0
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.place.close()
        if self.process:
            self.process.kill()
            self.process.wait()

    def start(self):
        program = pathlib.Path(__file__).with_name("target_process.py")
        seed = f"{self.seed}/{self.kills}" if self.seed else ""
        command = [sys.executable, "-B", program, self.service.__name__, self.port, self.file, seed]
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def set_storm(self, storm):
        self.seed = storm and storm.rng.random()
        if self.process:
            self.process.terminate()
            assert self.process.wait(20) == 0
        self.start()

    def set_down(self, is_down):
        if not is_down:
            self.start()
            return
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def arrived(self):
        return [json.loads(one.data) for one in service_with(self.service.__name__, self.file).stored]


class Bucket(Service):
    def __init__(self, *_):
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
    """A topic of librdkafka's mock cluster, which keeps the last 5 MB of a partition: read after each outage."""

    def __init__(self, *_):
        self.peer = contextlib.closing(Mock())
        self.mock = self.peer.thing
        self.environment = dict
        self.messages = {}

    def sink(self):
        return {"name": "target", "kind": "kafka", "brokers": [self.mock.brokers], "topic": self.mock.topic}

    def set_storm(self, storm):
        pass

    def set_down(self, is_down):
        (self.mock.set_down if is_down else self.mock.set_up)()
        if not is_down:
            self.read()

    def read(self):
        for message in self.mock.read():
            self.messages[message.partition, message.offset] = message.value

    def arrived(self):
        self.read()
        return [json.loads(value) for _, value in sorted(self.messages.items())]


# How each is made, and whether each event is there once.
KINDS = {
    "kinesis": (Service, Kinesis, False),
    "dynamodb": (Service, DynamoInsert, True),
    "s3": (Bucket, None, True),
    "sqs": (Service, Sqs, False),
    "sqs-fifo": (Service, SqsFifo, True),
    "kafka": (Topic, None, False),
    "kinesis-killed": (Process, Kinesis, False),
    "firehose-killed": (Process, Firehose, False),
    "sns-killed": (Process, Sns, False),
    "sqs-killed": (Process, Sqs, False),
    "sqs-fifo-killed": (Process, SqsFifo, True),
    "dynamodb-killed": (Process, DynamoInsert, True),
}
SHORT = ("kinesis", "dynamodb", "s3", "dynamodb-killed")


@pytest.mark.parametrize("kind", KINDS if IS_LONG else SHORT)
def test_killed_at_any_time_each_record_arrives(tmp_path, seed, rng, tell, kind):
    make, service, is_once = KINDS[kind]
    target = make(service, tmp_path)
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
