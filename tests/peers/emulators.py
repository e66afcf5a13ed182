"""Emulators of AWS by others, as peers of the sinks. Some check signatures and IAM policies.

    with Ministack(folder) as peer:
        key = peer.user("sluice", ["kinesis:PutRecords"])
        kind = peer.kinesis()          # makes the target; kind.sink, kind.arrived()
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import types

import boto3
import botocore.config

REGION = "eu-west-1"
HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build"
PATIENCE = 60


class Emulator:
    """A process on a free port. `kinds`: the methods that make its targets."""

    root = ("test", "test")

    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        self.key = self.root

    @classmethod
    def missing(cls):
        """Why it cannot be used; "": it can."""
        return "" if cls.program().exists() else f"{cls.program()} could not be installed"

    @staticmethod
    def program():
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def variables(self):
        return {}

    def prepare(self):
        """When it listens."""

    def start(self):
        """Start the process, and wait until it listens."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder)} | self.variables()
        with open(self.folder / "emulator.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, env=env, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < until, "it does not start"
                time.sleep(0.1)

    def __enter__(self):
        with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
            self.port, self.other_port = free.getsockname()[1], other.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()
        self.prepare()
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)  # with the processes that it has started
        self.process.wait()

    def client(self, service):
        return boto3.client(
            service,
            REGION,
            endpoint_url=self.url,
            aws_access_key_id=self.key[0],
            aws_secret_access_key=self.key[1],
            config=botocore.config.Config(s3={"addressing_style": "path"}),
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
            target = {"Id": "queue", "Arn": queue}
            events.put_targets(Rule=bus, EventBusName=bus, Targets=[target])

        sink = {"bus": bus, "source": "sluice", "detail_type": "record of {/queue_id}"}
        events_of = self._listen(subscribe)

        def arrived():
            return [json.dumps(json.loads(one)["detail"]).encode() for one in events_of()]

        return self.kind("eventbridge", ["events:PutEvents"], arrived, **sink)

    def firehose(self):
        s3, firehose = self.client("s3"), self.client("firehose")
        name = self.name()
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        role = "arn:aws:iam::000000000000:role/firehose"
        destination = {"RoleARN": role, "BucketARN": f"arn:aws:s3:::{name}"}
        firehose.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination)

        def arrived():
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
            objects = [row["Key"] for page in pages for row in page.get("Contents", [])]
            bodies = [s3.get_object(Bucket=name, Key=key)["Body"].read() for key in objects]
            return [line for body in bodies for line in body.split(b"\n") if line]

        return self.kind("firehose", "firehose:PutRecordBatch", arrived, delivery_stream=name)

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


class Ministack(Emulator):
    """It checks signatures and rights of all keys but the root's."""

    kinds = "kinesis sqs sqs_fifo sns eventbridge firehose dynamodb_insert dynamodb_replace".split()

    @staticmethod
    def program():
        return BUILD / "peers-ministack/bin/hypercorn"

    def command(self):
        return [self.program(), "ministack.app:app", "--bind", f"127.0.0.1:{self.port}"]

    def variables(self):
        return {"AUTH": "true", "GATEWAY_PORT": str(self.port), "MINISTACK_HOST": "127.0.0.1"}


class Moto(Emulator):
    """It checks signatures and rights, after the first calls. It does not know DynamoDB's batches of statements, and
    checks the signature of a form (SNS) as Python would write it."""

    kinds = "kinesis sqs sqs_fifo eventbridge firehose dynamodb_replace".split()

    @staticmethod
    def program():
        return BUILD / "peers/bin/moto_server"

    def command(self):
        return [self.program(), "-H", "127.0.0.1", "-p", str(self.port)]

    def variables(self):
        return {"INITIAL_NO_AUTH_ACTION_COUNT": "3"}  # for prepare()

    def prepare(self):
        self.key = self.user("root", "*")


class Unchecked(Emulator):
    """It knows neither users nor signatures."""

    def user(self, *_):
        return self.root


class Dynalite(Unchecked):
    """It insists on JSON 1.0, and does not know PartiQL."""

    kinds = ["dynamodb_replace"]

    @staticmethod
    def program():
        return BUILD / "peers-npm/node_modules/dynalite/cli.js"

    def command(self):
        return ["node", self.program(), "--host", "127.0.0.1", "--port", str(self.port), "--createTableMs", "10"]


class KinesisLocal(Unchecked):
    kinds = ["kinesis"]

    @staticmethod
    def program():
        return BUILD / "peers-npm/node_modules/kinesis-local/main.js"

    def command(self):
        shutil.copy(self.program().with_name("server.json"), self.folder)
        return ["node", "-r", HERE / "loopback.js", self.program()]

    def variables(self):
        return {"KINESIS_MOCK_PLAIN_PORT": str(self.port), "KINESIS_MOCK_TLS_PORT": str(self.other_port)}
