"""Read and write operations of AWS services that speak AWS JSON, emulated for tests.

    api = AwsApi({"secretsmanager.GetSecretValue": lambda params: {"SecretString": "..."}})
    with api:
        server = sluice(env=api.environment(), ...)
    api.calls            # [("secretsmanager.GetSecretValue", params), ...]

Requests and answers are validated against botocore's models, and signatures are recomputed with botocore; a
deviation is in `problems`, which must be empty at the end of the `with` block. A function raises Refusal for
an error answer. The names are those of botocore's services.
"""

import json
import time

import botocore.session
import botocore.validate

from aws_signatures import KEY, Refusal, SignatureCheck, environment
from http_peer import HttpPeer, HttpPeerHandler

# Services of which botocore of Debian knows the older protocol only: target and version.
NEWER = {"sqs": ("AmazonSQS", "1.0")}


class ApiHandler(HttpPeerHandler):
    def do_POST(self):
        body = self.body()
        try:
            status, answer = 200, self.serve(body)
        except Refusal as refusal:
            status, answer = refusal.status, {"__type": refusal.code, "message": refusal.message}
        self.send(status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode())

    def serve(self, body):
        api = self.peer
        prefix, _, operation = self.headers["X-Amz-Target"].rpartition(".")
        service = api.targets.get(prefix)
        if not service or f"{service}.{operation}" not in api.operations:
            api.problems.append(f"unexpected: {prefix}.{operation}")
            raise Refusal("UnknownOperationException", operation)
        version = api.protocol(service)[1]
        if self.headers["Content-Type"] != f"application/x-amz-json-{version}":
            api.problems.append(f"{operation}: Content-Type {self.headers['Content-Type']}")
        try:
            api.signatures[service].check("POST", self.path, self.headers, body, time.time())
        except Refusal as refusal:
            api.problems.append(f"{operation}: {refusal.code}: {refusal.message}")
            raise
        return api.call(service, operation, json.loads(body))


class AwsApi(HttpPeer):
    handler = ApiHandler

    def __init__(self, operations, region="eu-central-1"):
        super().__init__()
        self.operations = operations
        session = botocore.session.get_session()
        self.models = {name: session.get_service_model(name) for name in {name.split(".")[0] for name in operations}}
        self.targets = {self.protocol(name)[0]: name for name in self.models}
        self.signatures = {name: SignatureCheck(model.signing_name, region) for name, model in self.models.items()}
        for check in self.signatures.values():
            check.allow(*KEY[:2])

    def protocol(self, service):
        metadata = self.models[service].metadata
        return NEWER.get(service) or (metadata["targetPrefix"], metadata["jsonVersion"])

    def environment(self):
        return environment(AWS_ENDPOINT_URL=self.url, AWS_REGION="eu-central-1")

    def wait_calls(self, count, patience=60):
        self.wait(lambda _: len(self.calls) >= count, patience)

    def validate(self, what, value, shape):
        report = botocore.validate.ParamValidator().validate(value, shape)
        if report.has_errors():
            self.problems.append(f"{what}: {report.generate_report()}")

    def call(self, service, operation, params):
        model = self.models[service].operation_model(operation)
        self.validate(f"request of {operation}", params, model.input_shape)
        with self.changed:
            self.calls.append((f"{service}.{operation}", params))
            self.changed.notify_all()
        answer = self.operations[f"{service}.{operation}"](params)
        if model.output_shape:
            self.validate(f"answer of {operation}", answer, model.output_shape)
        return answer
