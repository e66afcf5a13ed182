"""Emulated sources of AWS credentials: STS, container agents, instance metadata, profiles.

    keys = Keys(glue, life=2)          # makes KEY0, KEY1, …, which the emulated Glue accepts
    with Metadata(keys) as peer:
        server = sluice(env=peer.environment(folder) | …)

Each peer checks its requests strictly and adds every deviation to its `problems`, which must be empty at
the end.
"""

import datetime
import json
import sys
import threading
import time
import urllib.parse

import botocore.session
import botocore.validate

from aws_signatures import REGION, Refusal, SignatureCheck
from http_peer import HttpPeer, HttpPeerHandler


class Keys:
    """A sequence of access keys. `life`: seconds after which each expires; None: never."""

    def __init__(self, glue, life=None, token="token"):
        self.glue, self.life, self.token = glue, life, token
        self.count = 0
        self.lock = threading.Lock()

    def next(self):
        with self.lock:
            number, self.count = self.count, self.count + 1
        return self.make(number)

    def make(self, number):
        key = {
            "AccessKeyId": f"KEY{number}",
            "SecretAccessKey": f"secret/{number}",
            "Token": f"{self.token}{number}",
        }
        if self.glue:
            self.glue.signatures.allow(*key.values())
        if self.life:
            key["Expiration"] = time.time() + self.life
        return key


def iso(seconds):
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def in_words(key):
    """The key with its expiry in the format of container agents and instance metadata."""
    return key | ({"Expiration": iso(key["Expiration"])} if "Expiration" in key else {})


class ProviderHandler(HttpPeerHandler):
    def do_GET(self):
        peer = self.peer
        body = self.body()
        peer.requests += 1
        try:
            status, answer = peer.answer(self.command, self.path, self.headers, body)
        except Refusal as refusal:
            peer.complain(f"{self.command} {self.path}: {refusal}")
            status = refusal.status
            answer = {"Error": {"Code": refusal.code, "Message": refusal.message}}
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.send(status, body=text.encode())

    do_POST = do_PUT = do_GET


class Peer(HttpPeer):
    """A source of credentials; subclasses answer requests."""

    handler = ProviderHandler

    def __init__(self, keys):
        super().__init__()
        self.keys = keys
        self.requests = 0

    def expect(self, ok, problem):
        if not ok:
            raise Refusal("Unexpected", problem)


class Sts(Peer):
    """AssumeRole, signed by `source`; AssumeRoleWithWebIdentity with the token in a file."""

    ROLE = "arn:aws:iam::123456789012:role/sluice"
    SOURCE = ("AKIDSOURCE", "source+secret", "")

    def __init__(self, keys):
        super().__init__(keys)
        self.signatures = SignatureCheck("sts")
        self.signatures.allow(*self.SOURCE)
        self.web_token = "eyJhbGciOi.eyJzdWIi.sig+1"
        self.model = botocore.session.get_session().get_service_model("sts")

    def answer(self, method, path, headers, body):
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        action = form.pop("Action")
        self.expect((method, path) == ("POST", "/"), "expected POST /")
        self.expect(form.pop("Version") == "2011-06-15", "Version")
        self.expect(headers["Accept"] == "application/json", "Accept")
        if "DurationSeconds" in form:
            form["DurationSeconds"] = int(form["DurationSeconds"])
        shape = self.model.operation_model(action).input_shape
        report = botocore.validate.ParamValidator().validate(form, shape)
        self.expect(not report.has_errors(), report.generate_report())
        self.expect(form["RoleArn"] == self.ROLE, "RoleArn")
        if action == "AssumeRole":
            self.signatures.check(method, path, headers, body, self.now())
        else:
            self.expect("Authorization" not in headers, "it must not be signed")
            self.expect(form["WebIdentityToken"] == self.web_token, "WebIdentityToken")
        key = self.keys.next()
        key["SessionToken"] = key.pop("Token")
        key.setdefault("Expiration", time.time() + 3600)
        return 200, {f"{action}Response": {f"{action}Result": {"Credentials": key}}}


class WebIdentity(Sts):
    """IAM roles for service accounts: the variables that EKS sets."""

    def environment(self, folder):
        (folder / "web-token").write_text(self.web_token)
        return {
            "AWS_ROLE_ARN": self.ROLE,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "web-token"),
            "AWS_ROLE_SESSION_NAME": "pod",
            "AWS_ENDPOINT_URL_STS": self.url,
        }


class AssumedRole(Sts):
    """A profile with a role, and another one with the key that assumes it."""

    def environment(self, folder):
        (folder / "config").write_text(
            f"[profile app]\nrole_arn = {self.ROLE}\nsource_profile = base\n"
            f"external_id = out/side\nduration_seconds = 900\nregion = {REGION}\n"
        )
        (folder / "credentials").write_text(
            f"[base]\naws_access_key_id = {self.SOURCE[0]}\n"
            f"aws_secret_access_key = {self.SOURCE[1]}\n"
        )
        return {
            "AWS_PROFILE": "app",
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "AWS_ENDPOINT_URL_STS": self.url,
        }


class Container(Peer):
    """The common part of the agents of ECS and EKS pod identities."""

    authorization = "Basic cG9k"

    def answer(self, method, path, headers, _):
        self.expect((method, path) == ("GET", "/v1/credentials"), "expected GET /v1/credentials")
        self.expect(headers.get("Authorization") == self.authorization, "Authorization")
        return 200, in_words(self.keys.next())

    def environment(self, folder):
        del folder
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.authorization,
        }


class PodIdentity(Container):
    """EKS pod identity: the token is in a file and changes after each request."""

    def __init__(self, keys):
        super().__init__(keys)
        self.file = None
        self.authorization = "jwt.0"

    def answer(self, *request):
        answer = super().answer(*request)
        self.authorization = f"jwt.{self.requests}"
        self.file.write_text(self.authorization)
        return answer

    def environment(self, folder):
        self.file = folder / "pod-token"
        self.file.write_text(self.authorization)
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(self.file),
        }


class Metadata(Peer):
    """EC2's instance metadata service, version 2 only."""

    ROLES = "/latest/meta-data/iam/security-credentials/"

    def answer(self, method, path, headers, _):
        self.expect("X-Forwarded-For" not in headers, "through a proxy")
        if path == "/latest/api/token":
            self.expect(method == "PUT", "expected PUT")
            ttl = int(headers["X-aws-ec2-metadata-token-ttl-seconds"])
            self.expect(1 <= ttl <= 21600, f"ttl {ttl}")
            return 200, "session-token"
        self.expect(method == "GET", "expected GET")
        self.expect(headers["X-aws-ec2-metadata-token"] == "session-token", "no token")
        if path == self.ROLES:
            return 200, "sluice-role"
        self.expect(path == self.ROLES + "sluice-role", path)
        return 200, {"Code": "Success", "Type": "AWS-HMAC"} | in_words(self.keys.next())

    def environment(self, folder):
        del folder
        return {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url.replace("127.0.0.1", "localhost"),
            "AWS_EC2_METADATA_DISABLED": "false",
            "http_proxy": "http://127.0.0.1:1",  # a proxy that must not be used
            "no_proxy": "127.0.0.1",
        }


class Process(Peer):
    """A profile with a credential_process: a program that sends a request to this peer."""

    def answer(self, method, path, headers, _):
        key = in_words(self.keys.next())
        key["SessionToken"] = key.pop("Token")
        return 200, {"Version": 1} | key

    def environment(self, folder):
        (folder / "get key.py").write_text(
            "import sys, urllib.request\nprint(urllib.request.urlopen(sys.argv[1]).read().decode())"
        )
        (folder / "config").write_text(
            f"[default]\nregion = {REGION}\n"
            f"credential_process = {sys.executable} '{folder}/get key.py' {self.url}\n"
        )
        return {"AWS_CONFIG_FILE": str(folder / "config")}


class ProfileKeys(Peer):
    """Keys in ~/.aws/credentials; a rotation rewrites the file."""

    def __init__(self, keys):
        super().__init__(keys)
        self.file = None

    def rotate(self):
        key = self.keys.next()
        self.file.write_text(
            f"[default]\naws_access_key_id = {key['AccessKeyId']}\n"
            f"aws_secret_access_key = {key['SecretAccessKey']}\n"
            f"aws_session_token = {key['Token']}\n"
        )

    def environment(self, folder):
        (folder / ".aws").mkdir()
        self.file = folder / ".aws/credentials"
        self.rotate()
        return {"HOME": str(folder)}
