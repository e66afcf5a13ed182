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

import datetime
import json
import tempfile
import threading
import uuid

import botocore.session
import botocore.validate

from aws_signatures import KEY, REGION, Refusal, SignatureCheck, environment
from certificates import Certificates
from http_peer import HttpPeer, HttpPeerHandler

REGISTRY = "GenesysInteractionRegistry"
SCHEMA = "InteractionStartedSchema"
PATIENCE = 60
CONTENT_TYPE = "application/x-amz-json-1.1"
MODES = ["NONE", "DISABLED"] + [
    f"{way}{which}" for way in ("BACKWARD", "FORWARD", "FULL") for which in ("", "_ALL")
]


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
        self.changed = threading.Condition()

    def config(self):
        """The section `aws` of a configuration."""
        return {"region": REGION, "endpoint_url": self.url}

    def environment(self):
        """Environment variables with the first access key."""
        return environment(self.key, **({"AWS_CA_BUNDLE": str(self.ca_file)} if self.ca_file else {}))

    def note_call(self, operation, params):
        with self.changed:
            self.calls.append((operation, params))
            self.changed.notify_all()

    def count(self, operation="GetSchemaVersion"):
        with self.changed:
            return sum(name == operation for name, _ in self.calls)

    def wait_calls(self, operation, count, patience=PATIENCE):
        with self.changed:
            enough = self.changed.wait_for(lambda: self.count(operation) >= count, patience)
            assert enough, f"not {count} calls of {operation}: {self.calls}"


class GlueHandler(HttpPeerHandler):
    def setup(self):
        super().setup()
        with self.peer.changed:
            self.peer.connections += 1

    def do_POST(self):
        glue = self.peer
        body = self.body()
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
                if self.peer.ending.wait(0.2):
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
            while not self.peer.ending.is_set():
                try:
                    if not self.connection.recv(1):
                        break
                except TimeoutError:
                    continue
        if fault == "reset":
            self.reset()


class GlueServer(GluePeer, HttpPeer):
    handler = GlueHandler

    def __init__(self, tls=None, keys=(KEY,)):
        HttpPeer.__init__(self)
        GluePeer.__init__(self, keys[0] if keys else None)
        self.registry = Registry()
        self.signatures = SignatureCheck("glue")
        for key in keys:
            self.signatures.allow(*key)
        self.signers = []  # access key ids of the accepted calls
        self.connections = 0
        self._fault, self._times = None, None
        self._model = botocore.session.get_session().get_service_model("glue")
        if tls:
            self._folder = tempfile.TemporaryDirectory()
            certificates = Certificates(self._folder.name)
            self.ca_file = certificates.ca
            self.tls = certificates.make(tls)

    # For tests.

    def put(self, definition, schema=SCHEMA, registry=REGISTRY, **options):
        """Add a version, given as text or as JSON. Creates registry and schema if they are missing."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        status = options.pop("status", "AVAILABLE")
        with self.changed:
            schemas = self.registry.registries.setdefault(registry, {})
            return schemas.setdefault(schema, Schema(**options)).add(text, status)

    def stored(self, schema=SCHEMA):
        return self.registry.registries[REGISTRY][schema]

    def fault(self, name, times=None):
        """Let calls fail in this way (None: not any more); `times`: only so many calls."""
        known = (None, *REFUSALS, *CHANGES, *BREAKS)
        assert name in known, f"{name} is none of {known}"
        with self.changed:
            self._fault, self._times = name, times

    def wait_signers(self, count, patience=PATIENCE):
        """Wait until so many different keys have signed accepted calls. Returns the last one."""
        with self.changed:
            enough = self.changed.wait_for(lambda: len(set(self.signers)) >= count, patience)
            assert enough, f"not {count} keys sign: {self.signers}"
            return self.signers[-1]

    # For the HTTP handler.

    def note(self, operation, params):
        """Record the call. Returns the fault that applies to it."""
        with self.changed:
            self.note_call(operation, params)
            fault = self._fault
            if self._times is not None:
                self._times -= 1
                if self._times < 0:
                    self._fault = self._times = fault = None
            return fault

    def let_in(self, key_id):
        with self.changed:
            self.signers.append(key_id)
            self.changed.notify_all()

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
        with self.changed:
            answer = getattr(self.registry, operation)(params)
        self.validate(operation, "response", answer)
        if operation == "GetSchemaVersion":
            answer |= CHANGES.get(fault, {})
        return 200, {}, answer
