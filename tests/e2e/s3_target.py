"""A bucket of S3, emulated, for tests of the S3 sink.

    with S3Target() as peer:
        server = sluice(sinks=[peer.sink(prefix="{time:%Y}/")], env=peer.environment())
        peer.plan = lambda method, key: "denied"   # all calls fail, until peer.plan = None
        peer.records()                              # of all objects, parsed

The signature of every request is recomputed with botocore, and the hash and the checksum of its body are
compared. What S3 refuses, what many readers of S3 cannot handle, and metadata that does not fit its object
are in `peer.problems`; the end of the `with` block asserts that it is empty.
"""

import base64
import collections
import ctypes
import gzip
import hashlib
import json
import struct
import time
import urllib.parse

from aws_signatures import KEY, REGION, Refusal, SignatureCheck, environment
from http_peer import HttpPeer, HttpPeerHandler

BUCKET = "lake"
KEY_MAX = 1024
RANGE = "x-amz-meta-sluice-range"

# What a plan can say, besides
#   lost   store it, then close the connection;   reset  close it, and store nothing;
#   hang   no answer until the peer stops;        overwrite  ignore If-None-Match, as some stores do
FAULTS = {
    "moved": (301, "PermanentRedirect", {"x-amz-bucket-region": "eu-south-1"}),
    "region": (400, "AuthorizationHeaderMalformed", {}),
    "denied": (403, "AccessDenied", {}),
    "missing": (404, "NoSuchBucket", {}),
    "kms": (400, "KMS.DisabledException", {}),
    "busy": (503, "SlowDown", {}),
    "broken": (500, "InternalError", {}),
    "conflict": (409, "ConditionalRequestConflict", {}),
    "digest": (400, "BadDigest", {}),
    "late": (400, "RequestTimeout", {}),
    "unknown": (501, "NotImplemented", {}),
}
CONFIGURATION = ("moved", "region", "denied", "missing", "kms", "unknown")

Stored = collections.namedtuple("Stored", "body headers")


def crc32c(data):
    """CRC-32C in Base64, as S3 wants it."""
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return base64.b64encode(struct.pack(">I", crc ^ 0xFFFFFFFF)).decode()


def expand_zstd(body):
    """With the library that the server itself is linked with: Python has none of its own."""
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    room = ctypes.create_string_buffer(64 * len(body) + 65536)
    size = library.ZSTD_decompress(room, ctypes.c_size_t(len(room)), body, ctypes.c_size_t(len(body)))
    assert not library.ZSTD_isError(ctypes.c_size_t(size))
    return room.raw[:size]


def expand(key, body):
    """The lines of an object."""
    if key.endswith(".gz"):
        return gzip.decompress(body)
    if key.endswith(".zst"):
        return expand_zstd(body)
    return body


def object_problems(key, body, headers):
    """What does not fit in an object."""
    text = expand(key, body)
    lines = text.splitlines()
    if not text.endswith(b"\n"):
        yield f"{key}: the last line has no end"
    span, count, digest = headers[RANGE].split(" ")
    first, last = map(int, span.split("-"))
    if (int(count), digest) != (len(lines), hashlib.sha256(text).hexdigest()) or last < first:
        yield f"{key}: {headers[RANGE]} does not fit"


def key_problems(key):
    segments = key.split("/")
    if len(key.encode()) > KEY_MAX or any(ord(c) < 32 or 127 <= ord(c) < 160 for c in key):
        yield f"{key!r}: too long, or has control characters"
    if any(segment in ("", ".", "..") for segment in segments):
        yield f"{key!r}: has an empty segment, . or .."


class S3Handler(HttpPeerHandler):
    def do_PUT(self):
        self.serve("PUT", self.body())

    def do_HEAD(self):
        self.serve("HEAD", b"")

    def serve(self, method, body):
        peer = self.peer
        bucket, _, key = urllib.parse.unquote(self.path[1:]).partition("/")
        try:
            self.check(method, bucket, body)
        except Refusal as refusal:
            peer.complain(f"{refusal.code}: {refusal.message}")
            self.fail(refusal.status, refusal.code)
            return
        fault = peer.enter(method, key)
        time.sleep(peer.delay)
        if fault == "hang":
            peer.ending.wait()
        if fault in FAULTS:
            self.fail(*FAULTS[fault])
        elif fault in ("hang", "reset"):
            self.reset()
        elif method == "HEAD":
            self.head(key)
        else:
            self.put(key, body, fault)

    def put(self, key, body, fault):
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.peer.put(key, body, headers, fault == "overwrite")
        if fault == "lost":
            self.reset()
        elif status == 200:
            self.send(200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
        else:
            self.fail(status, "PreconditionFailed")

    def head(self, key):
        with self.peer.changed:
            found = self.peer.objects.get(key)
        if not found:
            self.fail(404, "NoSuchKey")
            return
        self.send(200, {name: value for name, value in found.headers.items() if name.startswith("x-amz-meta-")})

    def check(self, method, bucket, body):
        signed = self.headers.get("x-amz-content-sha256", "")
        if bucket != BUCKET:
            raise Refusal("NoSuchBucket", bucket)
        self.peer.signatures.check(method, self.path, self.headers, body, time.time())
        if signed != hashlib.sha256(body).hexdigest():
            raise Refusal("XAmzContentSHA256Mismatch", signed)
        if method == "HEAD":
            return
        expected = {"If-None-Match": "*", "Content-Type": "application/x-ndjson", "Content-Encoding": None}
        for name, value in expected.items():
            if self.headers.get(name) != value:
                raise Refusal("InvalidArgument", f"{name}: {self.headers.get(name)}")
        if self.headers.get("x-amz-checksum-crc32c", crc32c(body)) != crc32c(body):
            raise Refusal("BadDigest", "crc32c")

    def fail(self, status, code, headers=None):
        region = "<Region>eu-south-1</Region>" if code == "AuthorizationHeaderMalformed" else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>told by the test</Message>{region}</Error>"
        )
        self.send(status, headers, body.encode())


class S3Target(HttpPeer):
    """One bucket; `calls` has method and key of each call."""

    handler = S3Handler

    def __init__(self, port=0):
        super().__init__(port)
        self.signatures = SignatureCheck("s3")
        self.signatures.allow(*KEY)
        self.objects = {}
        self.delay = 0
        self.plan = None  # a function from method and key to the name of a fault, or None

    def sink(self, **changes):
        return {
            "name": "lake",
            "kind": "s3",
            "bucket": BUCKET,
            "region": REGION,
            "endpoint_url": self.url,
            "max_age": "50ms",
            "max_backoff": "20ms",
        } | changes

    def environment(self):
        return environment()

    def keys(self):
        with self.changed:
            return list(self.objects)

    def records(self):
        """The records in all objects, parsed."""
        with self.changed:
            objects = list(self.objects.items())
        return [json.loads(line) for key, one in objects for line in expand(key, one.body).splitlines()]

    # For the HTTP handler.

    def enter(self, method, key):
        """Note the call. Returns the name of its fault."""
        with self.changed:
            self.calls.append((method, key))
            self.changed.notify_all()
            return self.plan and self.plan(method, key)

    def put(self, key, body, headers, overwrite):
        """The status."""
        with self.changed:
            if key in self.objects and not overwrite:
                return 412
            self.problems += [*key_problems(key), *object_problems(key, body, headers)]
            self.objects[key] = Stored(body, headers)
            self.changed.notify_all()
            return 200
