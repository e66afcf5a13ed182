"""AWS Glue's Schema Registry, emulated, for tests of its clients.

    with GlueServer() as glue:                       # or GlueServer(tls="good"), see Certificates
        glue.put({"type": "object"})                 # a new version of the shipped schema
        server = sluice(aws=glue.config(), registry={"kind": "glue"}, env=glue.environment())
        glue.fault("throttle")                       # every call fails, until glue.fault(None)
        glue.fault("reset", times=2)                 # the next two calls only
        glue.skew = 1200                             # its clock runs 20 minutes ahead
        glue.wait_calls("GetSchemaVersion", 3)       # waits until 3 such calls have arrived

The signature of every request is recomputed with botocore's SigV4Auth. Requests and answers are
validated against botocore's model of Glue, except for answers that a fault changes. Mistakes are in
`glue.problems`; the end of the `with` block asserts that it is empty.

Faults: throttle throttle_header unavailable internal denied forbidden not_found expired empty
garbage garbage_definition truncated hang drip reset close avro pending failure deleting.
"""

import calendar
import datetime
import email.utils
import http.server
import json
import pathlib
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import uuid

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import botocore.validate

from certificates import expire

REGISTRY = "GenesysInteractionRegistry"
SCHEMA = "InteractionStartedSchema"
REGION = "eu-west-1"
KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "")
PATIENCE = 60
CONTENT_TYPE = "application/x-amz-json-1.1"
CLOCK_TOLERANCE = 300
MODES = ["NONE", "DISABLED"] + [
    f"{way}{which}" for way in ("BACKWARD", "FORWARD", "FULL") for which in ("", "_ALL")
]


class Refusal(Exception):
    """An error of the service: `code`, and the HTTP status with which AWS sends it."""

    def __init__(self, code, message, status=400):
        super().__init__(code, message)
        self.code, self.message, self.status = code, message, status


class Certificates:
    """A CA and certificates for 127.0.0.1: good, expired, with another name, by another CA."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca = self._authority("ca")
        self._authority("other")

    def _run(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def _authority(self, name):
        key, cert = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", key, "-out", cert, "-days", 2, "-subj", f"/CN=Test {name}",
                  "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
        return cert

    def make(self, kind):
        """Make a pair; returns the paths of certificate and key. `kind`: good, expired, wrong_name or unknown."""
        key, request, cert = (self.folder / f"{kind}.{end}" for end in ("key", "csr", "crt"))
        names = self.folder / f"{kind}.ext"
        name = "DNS:elsewhere.invalid" if kind == "wrong_name" else "IP:127.0.0.1,DNS:localhost"
        names.write_text(f"subjectAltName={name}\n")
        ca = self.folder / ("other" if kind == "unknown" else "ca")
        self._run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", key, "-out", request, "-subj", "/CN=glue")  # fmt: skip
        self._run("x509", "-req", "-in", request, "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                  "-CAcreateserial", "-days", 2, "-extfile", names, "-out", cert)  # fmt: skip
        if kind == "expired":
            expire(cert, self.folder / f"{ca}.key")
        return cert, key


def read_body(handler):
    """The body of a request. ConnectionError: the client ended before it had sent all of it."""
    length = int(handler.headers.get("Content-Length", 0))
    body = handler.rfile.read(length)
    if len(body) < length:
        raise ConnectionError(f"{len(body)} of {length} bytes")
    return body


class SignatureCheck:
    """Recomputes SigV4 signatures of requests with botocore."""

    def __init__(self, service, region=REGION):
        self.service, self.region = service, region
        self.keys = {}  # access key id: (secret, token)
        self.expired = set()  # access key ids

    def allow(self, key_id, secret, token=""):
        self.keys[key_id] = (secret, token)

    def check(self, method, target, headers, body, now):
        """The access key that signed the request. Refusal: unknown key, wrong signature, or old time stamp."""
        authorization = headers.get("Authorization", "")
        if not authorization.startswith("AWS4-HMAC-SHA256 "):
            raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
        fields = dict(
            part.strip().split("=", 1) for part in authorization.split(" ", 1)[1].split(",")
        )
        key_id, *scope = fields["Credential"].split("/")
        if key_id not in self.keys:
            raise Refusal(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        stamp = headers["X-Amz-Date"]
        if scope != [stamp[:8], self.region, self.service, "aws4_request"]:
            raise Refusal("InvalidSignatureException", f"Credential should be scoped: {scope}")
        names = fields["SignedHeaders"].split(";")
        expected = self._signature(method, target, headers, body, key_id, names, stamp)
        if expected != fields["Signature"]:
            raise Refusal("InvalidSignatureException", "The request signature does not match.")
        must = {"host", "x-amz-date"} | ({"x-amz-security-token"} if self.keys[key_id][1] else set())
        if not must <= set(names):
            raise Refusal("InvalidSignatureException", f"not signed: {must - set(names)}")
        self._check_time(stamp, now)
        if headers.get("X-Amz-Security-Token", "") != self.keys[key_id][1]:
            raise Refusal("UnrecognizedClientException", "The security token is invalid.")
        if key_id in self.expired:
            raise Refusal("ExpiredTokenException", "The security token has expired")
        return key_id

    def _signature(self, method, target, headers, body, key_id, names, stamp):
        secret, token = self.keys[key_id]
        request = botocore.awsrequest.AWSRequest(
            method=method,
            url=f"http://{headers['Host']}{target}",
            data=body,
            headers={name: headers[name] for name in names},
        )
        request.context["timestamp"] = stamp
        kind = botocore.auth.S3SigV4Auth if self.service == "s3" else botocore.auth.SigV4Auth
        signer = kind(
            botocore.credentials.Credentials(key_id, secret, token or None),
            self.service,
            self.region,
        )
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return signer.signature(text, request)

    @staticmethod
    def _check_time(stamp, now):
        sent = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        if sent < now - CLOCK_TOLERANCE:
            raise Refusal("InvalidSignatureException", f"Signature expired: {stamp} is now earlier")
        if sent > now + CLOCK_TOLERANCE:
            raise Refusal("InvalidSignatureException", f"Signature not yet current: {stamp}")


class Schema:
    def __init__(self, data_format="JSON", compatibility="BACKWARD"):
        self.data_format = data_format
        self.compatibility = compatibility
        self.versions = []

    def add(self, definition, status="AVAILABLE"):
        number = len(self.versions) + 1
        version = Version(number, definition, status)
        self.versions.append(version)
        return version

    def live(self):
        return [version for version in self.versions if version.status == "AVAILABLE"]


class Version:
    def __init__(self, number, definition, status):
        self.number = number
        self.id = str(uuid.uuid4())
        self.definition = definition
        self.status = status
        self.pending = 0  # for so many more look-ups its status is PENDING
        self.outcome = status
        self.created = datetime.datetime.now(datetime.timezone.utc).isoformat()


def arn(*parts):
    return f"arn:aws:glue:{REGION}:123456789012:" + "/".join(parts)


class Registry:
    """The operations, without HTTP. Parameters and results have the names of the AWS API."""

    def __init__(self):
        self.registries = {}
        self.pending = 0  # a new version is PENDING for so many look-ups
        self.refuse = False  # new versions become FAILURE

    def find(self, schema_id):
        if "SchemaArn" in schema_id:
            registry, name = schema_id["SchemaArn"].split("/")[1:]
        else:
            registry, name = schema_id["RegistryName"], schema_id["SchemaName"]
        schema = self.registries.get(registry, {}).get(name)
        if schema is None:
            raise Refusal(
                "EntityNotFoundException",
                f"Schema is not found. RegistryName: {registry}, SchemaName: {name}",
            )
        return registry, name, schema

    def by_id(self, version_id):
        for registry, schemas in self.registries.items():
            for name, schema in schemas.items():
                for version in schema.versions:
                    if version.id == version_id:
                        return registry, name, schema, version
        raise Refusal("EntityNotFoundException", f"Schema version {version_id} is not found.")

    @staticmethod
    def pick(schema, number):
        if number.get("LatestVersion"):
            versions = schema.versions[-1:]
        else:
            versions = [v for v in schema.versions if v.number == number.get("VersionNumber")]
        if not versions:
            raise Refusal("EntityNotFoundException", "Schema version is not found.")
        return versions[0]

    def GetSchemaVersion(self, params):
        if "SchemaVersionId" in params:
            registry, name, schema, version = self.by_id(params["SchemaVersionId"])
        else:
            registry, name, schema = self.find(params["SchemaId"])
            version = self.pick(schema, params["SchemaVersionNumber"])
        if version.status == "PENDING" and version.outcome != "PENDING":
            version.pending -= 1
            if version.pending < 0:
                version.status = version.outcome
        return {
            "SchemaVersionId": version.id,
            "SchemaDefinition": version.definition,
            "DataFormat": schema.data_format,
            "SchemaArn": arn("schema", registry, name),
            "VersionNumber": version.number,
            "Status": version.status,
            "CreatedTime": version.created,
        }

    def GetSchema(self, params):
        registry, name, schema = self.find(params["SchemaId"])
        return {
            "RegistryName": registry,
            "RegistryArn": arn("registry", registry),
            "SchemaName": name,
            "SchemaArn": arn("schema", registry, name),
            "DataFormat": schema.data_format,
            "Compatibility": schema.compatibility,
            "SchemaCheckpoint": 1,
            "LatestSchemaVersion": len(schema.versions),
            "NextSchemaVersion": len(schema.versions) + 1,
            "SchemaStatus": "AVAILABLE",
        }

    def ListSchemaVersions(self, params):
        registry, name, schema = self.find(params["SchemaId"])
        start = int(params.get("NextToken", 0))
        stop = start + min(params.get("MaxResults", 25), 100)
        newest_first = schema.versions[::-1]
        answer = {
            "Schemas": [
                {
                    "SchemaArn": arn("schema", registry, name),
                    "SchemaVersionId": version.id,
                    "VersionNumber": version.number,
                    "Status": version.status,
                    "CreatedTime": version.created,
                }
                for version in newest_first[start:stop]
            ]
        }
        return answer | ({"NextToken": str(stop)} if stop < len(newest_first) else {})

    def CheckSchemaVersionValidity(self, params):
        problem = self.problem(params["SchemaDefinition"])
        return {"Valid": True} if problem is None else {"Valid": False, "Error": problem}

    @staticmethod
    def problem(definition):
        try:
            value = json.loads(definition)
        except ValueError as error:
            return f"JSON schema is not valid: {error}"
        draft = value.get("$schema", "draft-07") if isinstance(value, dict) else "draft-07"
        if not any(known in draft for known in ("draft-04", "draft-06", "draft-07")):
            return f"Unsupported draft: {draft}"
        return None if isinstance(value, (dict, bool)) else "JSON schema is not valid"

    def compatible(self, schema, definition):
        """A simplified check: additionalProperties: true in a closed object breaks FORWARD and FULL."""
        if self.refuse:
            return False
        if not schema.live() or schema.compatibility in ("NONE", "BACKWARD", "BACKWARD_ALL"):
            return True
        old, new = json.loads(schema.live()[-1].definition), json.loads(definition)
        closed = old.get("additionalProperties") is False
        return not (closed and new.get("additionalProperties") is not False)

    def RegisterSchemaVersion(self, params):
        _, _, schema = self.find(params["SchemaId"])
        problem = self.problem(params["SchemaDefinition"])
        if problem:
            raise Refusal("InvalidInputException", problem)
        if schema.compatibility == "DISABLED":
            raise Refusal("InvalidInputException", "Compatibility DISABLED does not allow versions")
        for version in schema.live():
            if json.loads(version.definition) == json.loads(params["SchemaDefinition"]):
                return self._registered(version)
        ok = self.compatible(schema, params["SchemaDefinition"])
        version = schema.add(params["SchemaDefinition"], "AVAILABLE" if ok else "FAILURE")
        if self.pending:
            version.status, version.pending = "PENDING", self.pending
        return self._registered(version)

    @staticmethod
    def _registered(version):
        return {
            "SchemaVersionId": version.id,
            "VersionNumber": version.number,
            "Status": version.status,
        }

    def GetRegistry(self, params):
        name = params["RegistryId"]["RegistryName"]
        if name not in self.registries:
            raise Refusal("EntityNotFoundException", f"Registry is not found. RegistryName: {name}")
        return {"RegistryName": name, "RegistryArn": arn("registry", name), "Status": "AVAILABLE"}

    def CreateRegistry(self, params):
        name = params["RegistryName"]
        if name in self.registries:
            raise Refusal("AlreadyExistsException", f"Registry already exists. {name}")
        self.registries[name] = {}
        return {"RegistryName": name, "RegistryArn": arn("registry", name)}

    def CreateSchema(self, params):
        registry = params.get("RegistryId", {}).get("RegistryName", "default-registry")
        name = params["SchemaName"]
        if registry not in self.registries:
            raise Refusal("EntityNotFoundException", f"Registry is not found. {registry}")
        if name in self.registries[registry]:
            raise Refusal("AlreadyExistsException", f"Schema already exists. {name}")
        mode = params.get("Compatibility", "NONE")
        if mode not in MODES:
            raise Refusal("InvalidInputException", f"Compatibility: {mode}")
        definition = params.get("SchemaDefinition")
        if definition is not None and (problem := self.problem(definition)):
            raise Refusal("InvalidInputException", problem)
        schema = self.registries[registry][name] = Schema(params["DataFormat"], mode)
        version = {}  # members of the answer, with the names of the service model
        if definition is not None:
            made = schema.add(definition)
            version = {
                "SchemaCheckpoint": 1,
                "LatestSchemaVersion": 1,
                "NextSchemaVersion": 2,
                "SchemaVersionId": made.id,
                "SchemaVersionStatus": made.status,
            }
        return version | {
            "RegistryName": registry,
            "SchemaName": name,
            "SchemaArn": arn("schema", registry, name),
            "DataFormat": schema.data_format,
            "Compatibility": schema.compatibility,
            "SchemaStatus": "AVAILABLE",
        }

    def GetSchemaVersionsDiff(self, params):
        _, _, schema = self.find(params["SchemaId"])
        first = self.pick(schema, params["FirstSchemaVersionNumber"])
        second = self.pick(schema, params["SecondSchemaVersionNumber"])
        return {"Diff": json.dumps([{"from": first.definition, "to": second.definition}])}


def error_answer(code, message="", status=400):
    return status, {}, {"__type": code, "Message": message}


# Faults that replace the answer: status, headers, body.
REFUSALS = {
    "throttle": lambda: error_answer("ThrottlingException", "Rate exceeded"),
    "throttle_header": lambda: (
        400,
        {"x-amzn-ErrorType": "ThrottlingException:http://internal.amazon.com/coral/"},
        {},
    ),
    "unavailable": lambda: error_answer("ServiceUnavailable", "", 503),
    "internal": lambda: error_answer("InternalServiceException", "", 500),
    "denied": lambda: error_answer(
        "AccessDeniedException",
        "User: arn:aws:sts::123456789012:assumed-role/x is not authorized to perform: "
        "glue:GetSchemaVersion",
    ),
    "forbidden": lambda: error_answer("com.amazonaws.glue#AccessDeniedException", "no", 403),
    "not_found": lambda: error_answer("EntityNotFoundException", "Schema is not found."),
    "expired": lambda: error_answer("ExpiredTokenException", "The security token has expired"),
    "garbage": lambda: (200, {}, b"<html>this is not JSON</html>"),
}

# Faults that change a good answer.
CHANGES = {
    "empty": {"SchemaDefinition": ""},
    "garbage_definition": {"SchemaDefinition": '{"type":'},
    "avro": {"DataFormat": "AVRO"},
    "pending": {"Status": "PENDING"},
    "failure": {"Status": "FAILURE"},
    "deleting": {"Status": "DELETING"},
}

BREAKS = ("truncated", "hang", "drip", "reset", "close")


class GluePeer:
    """The common interface of the emulations of Glue, besides `url`, put() and stored()."""

    def __init__(self, key=None):
        self.key = key
        self.stranger = ("AKIDSTRANGER", "secret", "")  # a key that is not accepted
        self.ca_file = None
        self.calls = []  # (operation, parameters) of every request
        self.news = threading.Condition()

    def config(self):
        """The section `aws` of a configuration."""
        return {"region": REGION, "endpoint_url": self.url}

    def environment(self):
        """Environment variables with the first access key."""
        env = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"}
        if self.key:
            env |= {"AWS_ACCESS_KEY_ID": self.key[0], "AWS_SECRET_ACCESS_KEY": self.key[1]}
            env |= {"AWS_SESSION_TOKEN": self.key[2]} if self.key[2] else {}
        return env | ({"AWS_CA_BUNDLE": str(self.ca_file)} if self.ca_file else {})

    def note_call(self, operation, params):
        with self.news:
            self.calls.append((operation, params))
            self.news.notify_all()

    def count(self, operation="GetSchemaVersion"):
        with self.news:
            return sum(name == operation for name, _ in self.calls)

    def wait_calls(self, operation, count, patience=PATIENCE):
        deadline = time.monotonic() + patience
        with self.news:
            while sum(name == operation for name, _ in self.calls) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"not {count} calls of {operation}: {self.calls}"
                self.news.wait(left)


class GlueServer(GluePeer):
    def __init__(self, tls=None, keys=(KEY,)):
        super().__init__(keys[0] if keys else None)
        self.registry = Registry()
        self.signatures = SignatureCheck("glue")
        for key in keys:
            self.signatures.allow(*key)
        self.skew = 0  # seconds by which its clock is ahead
        self.signers = []  # access key ids of the accepted calls
        self.connections = 0
        self.problems = []  # mistakes in requests or answers
        self.ended = threading.Event()
        self._fault, self._times = None, None
        self._model = botocore.session.get_session().get_service_model("glue")
        self._tls = tls
        self._folder = None

    # Start and stop.

    def __enter__(self):
        glue = self

        class Handler(GlueHandler):
            server_of = glue

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        if self._tls:
            self._folder = tempfile.TemporaryDirectory()
            certificates = Certificates(self._folder.name)
            self.ca_file = certificates.ca
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificates.make(self._tls))
            self.http.socket = context.wrap_socket(
                self.http.socket, server_side=True, do_handshake_on_connect=False
            )
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.ended.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()
        if self._folder:
            self._folder.cleanup()
        if kind is None:
            assert not self.problems, self.problems

    # Settings of clients.

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    # For tests.

    def put(self, definition, schema=SCHEMA, registry=REGISTRY, **options):
        """Add a version, given as text or as JSON. Creates registry and schema if they are missing."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        status = options.pop("status", "AVAILABLE")
        with self.news:
            schemas = self.registry.registries.setdefault(registry, {})
            return schemas.setdefault(schema, Schema(**options)).add(text, status)

    def stored(self, schema=SCHEMA):
        return self.registry.registries[REGISTRY][schema]

    def fault(self, name, times=None):
        """Let calls fail in this way (None: not any more); `times`: only so many calls."""
        known = (None, *REFUSALS, *CHANGES, *BREAKS)
        assert name in known, f"{name} is none of {known}"
        with self.news:
            self._fault, self._times = name, times

    def wait_signers(self, count, patience=PATIENCE):
        """Wait until so many different keys have signed accepted calls. Returns the last one."""
        deadline = time.monotonic() + patience
        with self.news:
            while len(set(self.signers)) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"not {count} keys sign: {self.signers}"
                self.news.wait(left)
            return self.signers[-1]

    # For the HTTP handler.

    def now(self):
        return time.time() + self.skew

    def note(self, operation, params):
        """Record the call. Returns the fault that applies to it."""
        with self.news:
            self.note_call(operation, params)
            fault = self._fault
            if self._times is not None:
                self._times -= 1
                if self._times < 0:
                    self._fault = self._times = fault = None
            return fault

    def let_in(self, key_id):
        with self.news:
            self.signers.append(key_id)
            self.news.notify_all()

    def complain(self, problem):
        with self.news:
            self.problems.append(problem)

    def validate(self, operation, side, value):
        model = self._model.operation_model(operation)
        shape = model.input_shape if side == "request" else model.output_shape
        report = botocore.validate.ParamValidator().validate(value, shape)
        if report.has_errors():
            self.complain(f"{operation} {side}: {report.generate_report()}")

    def answer(self, operation, params, fault):
        """Status, headers and body of the answer to a valid request."""
        if fault in REFUSALS:
            return REFUSALS[fault]()
        self.validate(operation, "request", params)
        with self.news:
            answer = getattr(self.registry, operation)(params)
        self.validate(operation, "response", answer)
        if operation == "GetSchemaVersion":
            answer |= CHANGES.get(fault, {})
        return 200, {}, answer


class GlueHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_of = None

    def setup(self):
        super().setup()
        with self.server_of.news:
            self.server_of.connections += 1

    def handle(self):
        try:
            super().handle()
        except OSError:  # the client has closed or rejects our certificate
            self.close_connection = True

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(timestamp or self.server_of.now(), usegmt=True)

    def version_string(self):
        return "Server"

    def do_POST(self):
        glue = self.server_of
        body = read_body(self)
        prefix, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        fault = None
        try:
            if prefix != "AWSGlue" or not hasattr(Registry, operation):
                glue.complain(f"X-Amz-Target: {self.headers.get('X-Amz-Target')}")
                raise Refusal("UnknownOperationException", "")
            if self.headers.get("Content-Type") != CONTENT_TYPE:
                glue.complain(f"Content-Type: {self.headers.get('Content-Type')}")
            params = json.loads(body)
            fault = glue.note(operation, params)
            key_id = glue.signatures.check("POST", self.path, self.headers, body, glue.now())
            glue.let_in(key_id)
            status, headers, answer = glue.answer(operation, params, fault)
        except Refusal as refusal:
            status, headers, answer = error_answer(refusal.code, refusal.message, refusal.status)
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.reply(status, headers, text, fault if fault in BREAKS else None)

    do_GET = do_PUT = do_POST

    def reply(self, status, headers, text, fault):
        if fault in ("reset", "close", "hang"):
            return self.end(fault)
        self.send_response(status)
        for name, value in {"Content-Type": CONTENT_TYPE, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if fault == "truncated":
            self.wfile.write(text[: len(text) // 2])
            self.close_connection = True
        elif fault == "drip":
            for at in range(len(text)):
                if self.server_of.ended.wait(0.2):
                    break
                self.wfile.write(text[at : at + 1])
        else:
            self.wfile.write(text)
        return None

    def end(self, fault):
        """Close without an answer."""
        self.close_connection = True
        if fault == "hang":
            self.connection.settimeout(0.1)
            while not self.server_of.ended.is_set():
                try:
                    if not self.connection.recv(1):
                        break
                except TimeoutError:
                    continue
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
