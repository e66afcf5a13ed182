"""Read and write operations of AWS services that speak AWS JSON, emulated for tests.

    api = AwsApi({"secretsmanager.GetSecretValue": lambda params: {"SecretString": "..."}})
    with api:
        server = sluice(env=api.environment(), ...)
    api.calls            # [("secretsmanager.GetSecretValue", params), ...]

Requests and answers are validated against botocore's models, and signatures are recomputed with botocore; a
deviation is in `problems`, which must be empty at the end of the `with` block. A function raises Refusal for
an error answer. The names are those of botocore's services.
"""

import http.server
import json
import threading
import time

import botocore.session
import botocore.validate

from glue_server import KEY, Refusal, SignatureCheck

# Services of which botocore of Debian knows the older protocol only: target and version.
NEWER = {"sqs": ("AmazonSQS", "1.0")}


class AwsApi:
    def __init__(self, operations, region="eu-central-1"):
        self.operations, self.calls, self.problems = operations, [], []
        self.changed = threading.Condition()
        session = botocore.session.get_session()
        self.models = {name: session.get_service_model(name) for name in {name.split(".")[0] for name in operations}}
        self.targets = {self.protocol(name)[0]: name for name in self.models}
        self.signatures = {name: SignatureCheck(model.signing_name, region) for name, model in self.models.items()}
        for check in self.signatures.values():
            check.allow(*KEY[:2])

    def protocol(self, service):
        metadata = self.models[service].metadata
        return NEWER.get(service) or (metadata["targetPrefix"], metadata["jsonVersion"])

    def __enter__(self):
        class Handler(ApiHandler):
            api = self

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind, *_):
        self.http.shutdown()
        self.http.server_close()
        if kind is None:
            assert not self.problems, self.problems

    def environment(self):
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": KEY[0],
            "AWS_SECRET_ACCESS_KEY": KEY[1],
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": "/nonexistent",
        }

    def wait_calls(self, count, patience=60):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.calls) >= count, patience), self.calls

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


class ApiHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api = None

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            answer = self.serve(body)
            self.send(200, answer)
        except Refusal as refusal:
            self.send(refusal.status, {"__type": refusal.code, "message": refusal.message})

    def serve(self, body):
        api = self.api
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

    def send(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
