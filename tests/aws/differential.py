#!/usr/bin/python3
"""Random requests: the same signature from our signer and from botocore's.

    differential.py SIGN [REQUESTS] [SEED]     default 5000, 1

Paths and queries are what a client sends: encoded once, in any order, with names that come more
than once, and, for services other than S3, with segments that normalising takes away. botocore signs
a query as it stands, so queries are encoded by the one rule (RFC 3986, upper-case hex digits).
"""

import datetime
import json
import random
import subprocess
import sys
import urllib.parse
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials

LETTERS = "abcXYZ019-._~ /:=+&%$äሴ😀\"'()*,;@!"
PRINTABLE = "".join(map(chr, range(0x21, 0x7F))) + " "


def text(rng, letters=LETTERS, most=12, least=0):
    return "".join(rng.choice(letters) for _ in range(rng.randint(least, most)))


def quote(value):
    return urllib.parse.quote(value, safe="-_.~")


def make(rng):
    """A request as our signer takes it."""
    s3 = rng.random() < 0.4
    segments = [quote(text(rng)) for _ in range(rng.randint(0, 4))]
    if rng.random() < 0.4:
        segments = [rng.choice([part, ".", "..", ""]) for part in segments]
    query = [f"{quote(text(rng))}={quote(text(rng))}" for _ in range(rng.randint(0, 5))]
    if query and rng.random() < 0.3:
        query += [query[0].split("=")[0] + "=" + quote(text(rng)), query[-1]]
    headers = [["Host", f"{text(rng, 'abc.', 8, 1)}:{rng.randint(1, 65535)}"]]
    for _ in range(rng.randint(0, 4)):
        name = text(rng, "abcXYZ-", 5, 1)
        headers.append([f"X-{name}", text(rng, PRINTABLE, 20)])
    return {
        "method": rng.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]),
        "path": "/" + "/".join(segments),
        "query": "&".join(query),
        "headers": headers,
        "body": text(rng, LETTERS + "\n", 200),
        "key": text(rng, "AKIDXYZ0123", 20, 16),
        "secret": text(rng, PRINTABLE.strip(), 60, 1),
        "token": text(rng, "abc/+=", 300) if rng.random() < 0.5 else "",
        "region": rng.choice(["us-east-1", "eu-west-1", "cn-north-1"]),
        "service": "s3" if s3 else rng.choice(["glue", "sts", "kinesis"]),
        "time_us": rng.randint(0, 4102444800) * 1_000_000 + rng.randint(0, 999_999),
        "s3": s3,
    }


def theirs(request):
    """The Authorization that botocore makes of it."""
    moment = datetime.datetime.fromtimestamp(
        request["time_us"] // 1_000_000, datetime.timezone.utc
    ).replace(tzinfo=None)
    host = request["headers"][0][1]
    query = f"?{request['query']}" if request["query"] else ""
    sent = botocore.awsrequest.AWSRequest(
        method=request["method"],
        url=f"http://{host}{request['path']}{query}",
        data=request["body"].encode(),
    )
    for name, value in request["headers"]:
        sent.headers.add_header(name, value)
    kind = botocore.auth.S3SigV4Auth if request["s3"] else botocore.auth.SigV4Auth
    credentials = botocore.credentials.Credentials(
        request["key"], request["secret"], request["token"] or None
    )
    with mock.patch("botocore.auth.datetime") as clock:
        clock.datetime.utcnow.return_value = moment
        kind(credentials, request["service"], request["region"]).add_auth(sent)
    return sent.headers["Authorization"]


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    requests = [make(rng) for _ in range(count)]
    lines = "".join(json.dumps(request, ensure_ascii=False) + "\n" for request in requests)
    done = subprocess.run([program], input=lines.encode(), capture_output=True, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == count, f"{len(answers)} answers to {count} requests"
    differences = 0
    for request, answer in zip(requests, answers):
        ours = json.loads(answer)["Authorization"]
        if ours != theirs(request):
            differences += 1
            if differences <= 3:
                print(f"{json.dumps(request)}\n ours   {ours}\n theirs {theirs(request)}")
    print(f"signatures: {count - differences} passed, {differences} failed")
    return differences > 0


if __name__ == "__main__":
    sys.exit(main())
