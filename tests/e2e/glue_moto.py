"""Moto's Glue instead of our own emulation, for `make test-peers`.

Moto runs in this process and checks signatures and IAM policies. The tests fill it through boto3, AWS's own
client. Only calls signed with `key` are counted. Moto lacks CheckSchemaVersionValidity, which a
registration requires: that call is answered here.
"""

import contextlib
import io
import json
import threading
import types
import urllib.request

import boto3
import werkzeug.serving
from aws_signatures import REGION
from glue_server import CONTENT_TYPE, REGISTRY, SCHEMA, GluePeer, Schema
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app


class Moto(GluePeer):
    def __enter__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.http = werkzeug.serving.make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self._tell("reset")
        self._tell("reset-auth", b"inf")  # accept all calls without checks
        self.key = self._user("sluice", "glue:*")
        self.api = self._client("glue", self._user("boto3", "glue:*"))
        self._tell("reset-auth", b"0")
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def _tell(self, what, data=b""):
        to = f"{self.url}/moto-api/{what}"
        request = urllib.request.Request(to, data, {"Content-Type": "application/octet-stream"})
        urllib.request.urlopen(request).close()

    def _client(self, service, key):
        return boto3.client(service, REGION, endpoint_url=self.url,
                            aws_access_key_id=key[0], aws_secret_access_key=key[1])  # fmt: skip

    def _user(self, name, action):
        iam = self._client("iam", ("any", "any"))
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"], ""

    def _answer(self, environ, start):
        if f"Credential={self.key and self.key[0]}/" in environ.get("HTTP_AUTHORIZATION", ""):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(body)
            operation = environ["HTTP_X_AMZ_TARGET"].removeprefix("AWSGlue.")
            self.note_call(operation, json.loads(body))
            if operation == "CheckSchemaVersionValidity":
                start("200 OK", [("Content-Type", CONTENT_TYPE)])
                return [b'{"Valid": true}']
        return self.moto(environ, start)

    # For tests.

    def put(self, definition, schema=SCHEMA, registry=REGISTRY):
        text = definition if isinstance(definition, str) else json.dumps(definition)
        there = self.api.exceptions.AlreadyExistsException
        with contextlib.suppress(there):
            self.api.create_registry(RegistryName=registry)
        with contextlib.suppress(there):
            self.api.create_schema(
                RegistryId={"RegistryName": registry},
                SchemaName=schema,
                DataFormat="JSON",
                Compatibility="BACKWARD",
                SchemaDefinition=text,
            )
        made = self.api.register_schema_version(  # returns version 1 if create_schema() has just made it
            SchemaId={"RegistryName": registry, "SchemaName": schema}, SchemaDefinition=text
        )
        return types.SimpleNamespace(number=made["VersionNumber"], id=made["SchemaVersionId"])

    def stored(self, schema=SCHEMA):
        where = {"RegistryName": REGISTRY, "SchemaName": schema}
        found = self.api.get_schema(SchemaId=where)
        made = Schema(found["DataFormat"], found["Compatibility"])
        for number in range(1, found["NextSchemaVersion"]):
            version = self.api.get_schema_version(
                SchemaId=where, SchemaVersionNumber={"VersionNumber": number}
            )
            made.add(version["SchemaDefinition"], version["Status"]).id = version["SchemaVersionId"]
        return made
