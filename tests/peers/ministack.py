"""Ministack, an emulator of AWS by others, as a peer of the sinks: it checks signatures and IAM policies.

    with Ministack(folder) as peer:
        key = peer.user("sluice", ["kinesis:PutRecords"])
        kind = peer.kinesis()          # makes the target; kind.sink, kind.arrived()
"""

import json
import os
import pathlib
import socket
import subprocess
import time
import types

import boto3

REGION = "eu-west-1"
ROOT = ("test", "test")
PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build/peers-ministack/bin/hypercorn"
PATIENCE = 60


def is_installed():
    return PROGRAM.exists()


class Ministack:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    def __enter__(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "AUTH": "true"}
        env |= {"GATEWAY_PORT": str(self.port), "MINISTACK_HOST": "127.0.0.1"}
        with open(self.folder / "ministack.log", "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "ministack.app:app", "--bind", f"127.0.0.1:{self.port}"],
                cwd=self.folder,
                env=env,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < until, "it does not start"
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def client(self, service):
        return boto3.client(
            service,
            REGION,
            endpoint_url=self.url,
            aws_access_key_id=ROOT[0],
            aws_secret_access_key=ROOT[1],
        )

    def user(self, name, actions):
        """An access key of a user with these rights."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if actions:
            statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName="sluice", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def name(self):
        """A new name for a target."""
        self.count += 1
        return f"orders{self.count}"

    def kind(self, kind, right, arrived, **sink):
        common = {"name": "target", "kind": kind, "region": REGION, "max_backoff": "50ms"}
        sink = common | {"endpoint_url": self.url} | sink
        return types.SimpleNamespace(right=right, sink=sink, arrived=arrived)

    # The kinds. Each makes its target.

    def kinesis(self):
        kinesis = self.client("kinesis")
        name = self.name()
        kinesis.create_stream(StreamName=name, ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(StreamName=name)

        def arrived():
            shard = kinesis.describe_stream(StreamName=name)["StreamDescription"]["Shards"][0]
            at = kinesis.get_shard_iterator(
                StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            return [one["Data"] for one in kinesis.get_records(ShardIterator=at)["Records"]]

        return self.kind("kinesis", "kinesis:PutRecords", arrived, stream=name)

    def _queue(self, suffix="", **attributes):
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=self.name() + suffix, Attributes=attributes)["QueueUrl"]
        seen = []

        def arrived():
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    seen.append(message["Body"].encode())
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return list(seen)

        return url, arrived

    def sqs(self):
        url, arrived = self._queue()
        # It asks for the right of the call; AWS has only sqs:SendMessage.
        rights = ["sqs:SendMessage", "sqs:SendMessageBatch"]
        return self.kind("sqs", rights, arrived, queue_url=url)

    def sqs_fifo(self):
        url, arrived = self._queue(".fifo", FifoQueue="true")
        rights = ["sqs:SendMessage", "sqs:SendMessageBatch"]
        return self.kind("sqs", rights, arrived, queue_url=url, group_id="/interaction_id")

    def _listen(self, subscribe):
        """A queue that gets what `subscribe(its ARN)` sends there."""
        sqs = self.client("sqs")
        url, arrived = self._queue()
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        services = ["sns.amazonaws.com", "events.amazonaws.com"]
        statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
        statement |= {"Principal": {"Service": services}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        subscribe(arn)
        return arrived

    def sns(self):
        sns = self.client("sns")
        topic = sns.create_topic(Name=self.name())["TopicArn"]

        def subscribe(queue):
            raw = {"RawMessageDelivery": "true"}
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=raw)

        rights = ["sns:Publish", "sns:PublishBatch"]
        return self.kind("sns", rights, self._listen(subscribe), topic_arn=topic)

    def eventbridge(self):
        events = self.client("events")
        bus = self.name()
        events.create_event_bus(Name=bus)

        def subscribe(queue):
            pattern = json.dumps({"source": ["sluice"]})
            events.put_rule(Name=bus, EventBusName=bus, EventPattern=pattern)
            target = {"Id": "queue", "Arn": queue, "InputPath": "$.detail"}
            events.put_targets(Rule=bus, EventBusName=bus, Targets=[target])

        sink = {"bus": bus, "source": "sluice", "detail_type": "record of {/queue_id}"}
        return self.kind("eventbridge", ["events:PutEvents"], self._listen(subscribe), **sink)

    def _table(self, mode, right):
        dynamodb = self.client("dynamodb")
        name = self.name()
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

        def arrived():
            items = dynamodb.scan(TableName=name, ConsistentRead=True)["Items"]
            return [item["record"]["S"].encode() for item in items]

        sink = {"table": name, "mode": mode, "hash_key": {"id": ""}}
        return self.kind("dynamodb", right, arrived, **sink)

    def dynamodb_insert(self):
        return self._table("insert", ["dynamodb:PartiQLInsert", "dynamodb:BatchExecuteStatement"])

    def dynamodb_replace(self):
        return self._table("replace", "dynamodb:BatchWriteItem")
