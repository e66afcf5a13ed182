"""What emulated services of AWS have in common: their errors, keys, and the check of signatures with botocore."""

import calendar
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials

REGION = "eu-west-1"
KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "")
CLOCK_TOLERANCE = 300


class Refusal(Exception):
    """An error of the service: `code`, and the HTTP status with which AWS sends it."""

    def __init__(self, code, message, status=400):
        super().__init__(code, message)
        self.code, self.message, self.status = code, message, status


def environment(key=KEY, **more):
    """The environment of a server that has this access key and no other source of credentials."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    env = {name: value for name, value in zip(names, key or ()) if value}
    return env | {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"} | more


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
