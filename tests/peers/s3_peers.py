"""Stores of objects by others, for the S3 sink: each on a free port of 127.0.0.1, with one bucket.

    with PEERS["moto"](folder) as peer:
        sluice(sinks=[peer.sink()], env=peer.environment())
        peer.objects()      # key -> (body, metadata)

A peer that cannot be installed on this machine raises Missing with the reason.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

import boto3
import botocore.config
import botocore.exceptions

from aws_signatures import environment

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
REGION = "eu-west-1"
BUCKET = "lake"
PATIENCE = 60  # seconds until a peer listens


class Missing(Exception):
    """The peer is not there; the text says why."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tool(*parts):
    """A program below build/, or Missing."""
    path = BUILD.joinpath(*parts)
    if not path.exists():
        raise Missing(f"{path.relative_to(BUILD.parent)} is not there: make test-peers installs it if it can")
    return str(path)


class Peer:
    key = ("AKIDTEST", "a secret of the test")
    keeps_promises = True  # it knows If-None-Match
    checks_signatures = True
    has_files = False  # what it has taken outlives its process
    keys = {}  # of the sink

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()

    def command(self):
        raise NotImplementedError

    def variables(self):
        return {}

    def prepare(self):
        """After it listens and before the bucket is made."""

    def start(self):
        """Start the process, and wait until it listens."""
        with open(self.folder / "peer.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, env=os.environ | self.variables(), stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                text = (self.folder / "peer.log").read_text()
                assert self.process.poll() is None and time.monotonic() < deadline, text
                time.sleep(0.05)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        self.start()
        self.prepare()
        self.client().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        return self

    def __exit__(self, *_):
        self.kill()

    def client(self, service="s3", key=None):
        key = key or self.key
        return boto3.client(
            service,
            REGION,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=key[0],
            aws_secret_access_key=key[1],
            config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 5}),
        )

    def sink(self, **changes):
        return {
            "name": "lake",
            "kind": "s3",
            "bucket": BUCKET,
            "region": REGION,
            "endpoint_url": f"http://127.0.0.1:{self.port}",
            "max_age": "50ms",
            "max_backoff": "50ms",
        } | self.keys | changes  # fmt: skip

    def environment(self, secret=None):
        return environment((self.key[0], secret or self.key[1]))

    def objects(self):
        client = self.client()
        found = {}
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for row in page.get("Contents", []):
                answer = client.get_object(Bucket=BUCKET, Key=row["Key"])
                found[row["Key"]] = (answer["Body"].read(), answer["Metadata"])
        return found


class VersityGw(Peer):
    """The strictest of them: signature, hash of the body, region, checksums. Objects are files."""

    has_files = True

    def command(self):
        program = tool("peers-bin", "versitygw")
        (self.folder / "files").mkdir(exist_ok=True)
        return [program, "--access", self.key[0], "--secret", self.key[1], "--region", REGION,
                "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", "files"]  # fmt: skip


class Moto(Peer):
    """With IAM: the sink's user has the rights of the documentation and no others."""

    RIGHTS = ("s3:PutObject", "s3:GetObject")

    def command(self):
        return [tool("peers", "bin", "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)]

    def variables(self):
        return {"INITIAL_NO_AUTH_ACTION_COUNT": "6"}

    def user(self, iam, name, actions):
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def prepare(self):
        iam = super().client("iam", ("any", "any"))
        self.key = self.user(iam, "sluice", self.RIGHTS)
        self.owner = self.user(iam, "owner", ["s3:*"])

    def client(self, service="s3", key=None):
        return super().client(service, key or self.owner)


class MiniStack(Peer):
    key = ("test", "test")
    checks_signatures = False  # of this key, which is the root's

    def command(self):
        return [tool("peers-ministack", "bin", "hypercorn"), "ministack.app:app", "--bind", f"127.0.0.1:{self.port}"]

    def variables(self):
        return {"AUTH": "true", "GATEWAY_PORT": str(self.port), "MINISTACK_HOST": "127.0.0.1"}


class S3rver(Peer):
    """It does not know conditional writes, and does not check signatures of PUT."""

    key = ("S3RVER", "S3RVER")
    keeps_promises = False
    checks_signatures = False

    def command(self):
        if not shutil.which("node"):
            raise Missing("no node")
        program = tool("peers-npm", "node_modules", ".bin", "s3rver")
        (self.folder / "files").mkdir(exist_ok=True)
        return [program, "-d", "files", "-a", "127.0.0.1", "-p", str(self.port), "--silent"]


PEERS = {"versitygw": VersityGw, "moto": Moto, "ministack": MiniStack, "s3rver": S3rver}
