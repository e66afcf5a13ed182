"""Messages with Glue's header, read back by AWS's own deserializer, a Java library."""

import base64
import json
import os
import shutil
import subprocess

import pytest
from aws_services import Kinesis
from aws_signatures import REGION
from aws_targets import AwsTarget
from emulators import BUILD
from glue_server import REGISTRY, SCHEMA
from kafka_library import Mock
from server import ROOT, wait_for
from test_sinks import STORE, arrives

CLASSES = BUILD / "glue/classes"
LIVE = f'sluice_schema_info{{registry="{REGISTRY}",schema="{SCHEMA}",version="2"}} 1'

pytestmark = pytest.mark.skipif(
    not (shutil.which("java") and CLASSES.exists()), reason="there is no Java, or its library could not be installed"
)


class Topic:
    def __enter__(self):
        self.mock = Mock()
        return self

    def __exit__(self, *_):
        self.mock.close()

    def sink(self):
        return {"name": "target", "kind": "kafka", "brokers": [self.mock.brokers], "topic": self.mock.topic}

    def payloads(self):
        return [message.value for message in self.mock.read()]


class Stream(AwsTarget):
    def __init__(self):
        super().__init__(Kinesis())

    def payloads(self):
        return [one.data for one in self.stored()]


def read_with_java(glue, payloads):
    """Schema and record of each message, parsed."""
    command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{CLASSES}:{BUILD}/glue/lib/*"]
    done = subprocess.run(
        [*command, "GlueRecords", glue.url, REGION],
        input=b"".join(base64.b64encode(one) + b"\n" for one in payloads),
        env=os.environ | glue.environment(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return [[json.loads(base64.b64decode(part)) for part in line.split()] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("target", [Topic, Stream])
def test_aws_reads_record_and_schema(sluice, glue, event, target):
    first = json.loads((ROOT / f"conf/schemas/{REGISTRY}/{SCHEMA}.json").read_text())
    second = first | {"title": "another version"}
    glue.put(first)
    with target() as target:
        sink = target.sink() | {"glue_header": True}
        registry = {"kind": "glue", "refresh": "20ms"}
        server = sluice(
            env=glue.environment(), aws=glue.config(), registry=registry, store=STORE, sinks=[sink]
        )
        event["detail"]["interaction"]["customer"]["name"] = "é€😀"
        answers = {"a": (first, server.post(event | {"id": "a"}).json)}
        glue.put(second)
        wait_for(lambda: LIVE in server.get("/metrics").body.decode(), "the version")
        event["detail"]["interaction"]["id"] = "other"
        answers["b"] = (second, server.post(event | {"id": "b"}).json)
        arrives(server, "target")
        found = read_with_java(glue, target.payloads())
        server.stop()
    by_record = lambda pair: json.dumps(pair[1], sort_keys=True)  # noqa: E731
    assert sorted(map(list, found), key=by_record) == sorted(map(list, answers.values()), key=by_record)
