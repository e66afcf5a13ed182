"""A function of AWS Lambda on this machine: Lambda's emulator with the server, its Web Adapter, and an emulated SQS.

    unshare OPTIONS... python3 lambda_function.py EMULATOR ADAPTER COMMAND...

COMMAND is that of the image. It needs namespaces of its own: in these, /opt/extensions and the ports are free, so the
emulator starts the adapter as Lambda does, and the adapter needs no settings. Each line of standard input is an
invocation, {"payload":…, "fault":…}; all calls of SQS have this fault of aws_targets.py meanwhile. Its line of standard
output is {"answer":…, "records":…}: what the caller of the function gets, and all records in the queue so far. The
emulator, the adapter and the server write to standard error.
"""

import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from aws_services import Sqs  # noqa: E402  (its folder is on the path only now)
from aws_signatures import REGION  # noqa: E402
from aws_targets import AwsTarget, Fault  # noqa: E402
from server import PATIENCE, wait_for  # noqa: E402

INVOCATIONS = ("127.0.0.1", 9000)  # 8080 is the server's, 9001 the Runtime API's


def invoke(payload):
    connection = http.client.HTTPConnection(*INVOCATIONS, timeout=3 * PATIENCE)
    connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(payload))
    answer = connection.getresponse()
    return json.loads(answer.read())


def listens():
    try:
        http.client.HTTPConnection(*INVOCATIONS).connect()
    except OSError:
        return False
    return True


def main(emulator, adapter, *command):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/opt"], check=True)
    os.mkdir("/opt/extensions")
    shutil.copy(adapter, "/opt/extensions/lambda-adapter")
    with AwsTarget(Sqs()) as queue:
        settings = {"AWS_REGION": REGION, "AWS_ENDPOINT_URL_SQS": queue.url}
        subprocess.Popen([emulator, "--runtime-interface-emulator-address", "%s:%d" % INVOCATIONS, *command],
                         env=os.environ | queue.environment() | settings, stdin=subprocess.DEVNULL,
                         stdout=sys.stderr)  # fmt: skip
        wait_for(listens, "the emulator")
        for line in sys.stdin:
            order = json.loads(line)
            queue.plan = lambda entries, fault=order["fault"]: Fault(call=fault)
            print(json.dumps({"answer": invoke(order["payload"]), "records": queue.arrived()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
