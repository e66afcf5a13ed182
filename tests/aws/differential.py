#!/usr/bin/python3
"""Our signatures and endpoints compared with botocore's.

    differential.py SIGN [REQUESTS] [SEED]     default 5000, 1

Signatures: random requests. Paths and queries are what a client sends: encoded once, in any order,
with names that come more than once, and, for services other than S3, with segments that normalising
removes. botocore signs a query as it is, so queries are encoded by the one rule (RFC 3986,
upper-case hex digits).

Endpoints: every region that botocore knows, with and without FIPS and dual-stack, for each service;
buckets of S3 at AWS and at other servers.
"""

import datetime
import itertools
import json
import random
import subprocess
import sys
import urllib.parse
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.endpoint_provider
import botocore.exceptions
import botocore.session

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


def set_clock(moment):
    """A patch of the time that botocore signs with; older versions read the clock themselves."""
    if hasattr(botocore.auth, "get_current_datetime"):
        return mock.patch("botocore.auth.get_current_datetime", return_value=moment)
    return mock.patch("botocore.auth.datetime", **{"datetime.utcnow.return_value": moment})


def sent_by(request):
    """The request, the time and the credentials as botocore takes them."""
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
    credentials = botocore.credentials.Credentials(
        request["key"], request["secret"], request["token"] or None
    )
    return sent, moment, credentials


def theirs(request):
    """The Authorization that botocore makes of it."""
    sent, moment, credentials = sent_by(request)
    kind = botocore.auth.S3SigV4Auth if request["s3"] else botocore.auth.SigV4Auth
    with set_clock(moment):
        kind(credentials, request["service"], request["region"]).add_auth(sent)
    return sent.headers["Authorization"]


def make_presigned(rng):
    """A request whose signature is in the query. botocore keeps one parameter of each name."""
    request = make(rng)
    pairs = dict(pair.split("=") for pair in request["query"].split("&") if pair)
    query = "&".join(f"{name}={value}" for name, value in pairs.items() if name)
    request.update(method="GET", s3=False, service="kafka-cluster", body="", query=query)
    return {**request, "expires": rng.choice([60, 900])}


def theirs_presigned(request):
    """The signature in the query that botocore makes of it."""
    sent, moment, credentials = sent_by(request)
    with set_clock(moment):
        botocore.auth.SigV4QueryAuth(
            credentials, request["service"], request["region"], expires=request["expires"]
        ).add_auth(sent)
    return sent.url.rpartition("X-Amz-Signature=")[2]


def ask(program, lines):
    """The answers of our program."""
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    done = subprocess.run([program], input=text.encode(), capture_output=True, check=True)
    answers = done.stdout.decode().splitlines()
    assert len(answers) == len(lines), f"{len(answers)} answers to {len(lines)} lines"
    return answers


def report(what, differences, count):
    for line, ours, theirs in differences[:3]:
        print(f"{json.dumps(line)}\n ours   {ours}\n theirs {theirs}")
    print(f"{what}: {count - len(differences)} passed, {len(differences)} failed")
    return bool(differences)


def compare_signatures(program, count, seed):
    rng = random.Random(seed)
    requests = [make(rng) for _ in range(count)]
    differences = []
    for request, answer in zip(requests, ask(program, requests)):
        ours = json.loads(answer)["Authorization"]
        if ours != theirs(request):
            differences.append((request, ours, theirs(request)))
    return report("signatures", differences, count)


def compare_presigned(program, count, seed):
    rng = random.Random(seed)
    requests = [make_presigned(rng) for _ in range(count)]
    differences = []
    for request, query in zip(requests, ask(program, requests)):
        ours = query.rpartition("X-Amz-Signature=")[2]
        if ours != theirs_presigned(request):
            differences.append((request, ours, theirs_presigned(request)))
    return report("presigned", differences, count)


HOSTS = ["glue", "sts", "kinesis", "firehose", "sqs", "sns", "events", "dynamodb", "kafka", "s3"]
BUCKETS = ["logs", "a.b", "Logs", "a_b", "0-1", "-ab", "ab-", "a" * 63, "a" * 64]
CUSTOM = [
    "https://minio",
    "http://minio:9000/x",
    "http://127.0.0.1:9000",
    "http://[::1]:9000",
    "https://bucket.vpce-1-2.s3.eu-west-1.vpce.amazonaws.com",
]


def endpoint_choices(regions):
    flags = [False, True]
    for host, region, fips, dual in itertools.product(HOSTS, regions, flags, flags):
        if host == "kafka" and (fips or dual):
            continue  # only signed, never called
        line = {"host": host, "region": region, "fips": fips, "dual_stack": dual}
        yield {**line, "bucket": "logs"} if host == "s3" else line
    for bucket, path_style in itertools.product(BUCKETS, flags):
        line = {"host": "s3", "region": "eu-west-1", "bucket": bucket, "path_style": path_style}
        yield line
        for custom in CUSTOM:
            if "." not in bucket or custom.startswith("https"):
                yield {**line, "custom": custom}


def is_newer(line):
    """Did these rules come after botocore 1.29 of Debian 12?"""
    gov_fips = line["region"].startswith("us-gov-") and line.get("fips")
    return gov_fips and (line["host"] == "kinesis" or line["host"] == "events")


def their_endpoint(provider, line):
    """The URL of botocore's rules; None when they refuse the choice."""
    parameters = {
        "Region": line["region"],
        "UseFIPS": line.get("fips", False),
        "UseDualStack": line.get("dual_stack", False),
    }
    if line["host"] == "sts":
        parameters["UseGlobalEndpoint"] = False
    if "bucket" in line:
        parameters.update(Bucket=line["bucket"], ForcePathStyle=line.get("path_style", False))
    if "custom" in line:
        parameters["Endpoint"] = line["custom"]
    try:
        return provider.resolve_endpoint(**parameters).url
    except botocore.exceptions.EndpointProviderError:
        return None


def compare_endpoints(program):
    loader = botocore.session.get_session().get_component("data_loader")
    partitions = loader.load_data("partitions")
    providers = {
        host: botocore.endpoint_provider.EndpointProvider(
            loader.load_service_model(host, "endpoint-rule-set-1"), partitions
        )
        for host in HOSTS
    }
    names = [name for partition in partitions["partitions"] for name in partition["regions"]]
    regions = [name for name in names if not name.endswith("-global")]
    old = tuple(map(int, botocore.__version__.split(".")[:2])) < (1, 40)
    lines = [line for line in endpoint_choices(regions) if not (old and is_newer(line))]
    differences = []
    count = 0
    for line, ours in zip(lines, ask(program, lines)):
        theirs = their_endpoint(providers[line["host"]], line)
        count += theirs is not None
        if theirs is not None and ours != theirs:
            differences.append((line, ours, theirs))
    assert count > 700
    return report("endpoints", differences, count)


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    failed = [
        compare_signatures(program, count, seed),
        compare_presigned(program, count // 5, seed),
        compare_endpoints(program),
    ]
    return any(failed)


if __name__ == "__main__":
    sys.exit(main())
