"""Stands between a sink and a service by others, and lets calls and entries fail as a test says.

    with Relay(Kinesis(), kind) as peer:    # kind: of emulators.py
        server = sluice(sinks=[peer.sink()], env=peer.environment())
        peer.plan = lambda entries: Fault(entries={0: "later"})

A call without a fault is passed on and answered byte for byte; its signature is the sink's own. Entries that are to
fail are not passed on: the rest is signed again, and the outcomes of both are put together.
"""

import http.client
import json
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from aws_services import EntryRefusal, Stored
from aws_targets import AwsTarget
from aws_signatures import REGION


class Relay(AwsTarget):
    def __init__(self, service, kind):
        super().__init__(service)
        self.kind = kind
        self.signatures.allow(*kind.key, "")
        self.host = urllib.parse.urlsplit(kind.sink["endpoint_url"]).netloc

    def sink(self, **changes):
        mine = {"endpoint_url": f"http://127.0.0.1:{self.port}", "max_backoff": "20ms"}
        return self.kind.sink | mine | changes

    def environment(self):
        key = {"AWS_ACCESS_KEY_ID": self.kind.key[0], "AWS_SECRET_ACCESS_KEY": self.kind.key[1]}
        return super().environment() | key

    def stored(self):
        return [Stored(data) for data in self.kind.arrived()]

    def serve(self, params, fault):
        if fault.call in self.service.CALL_FAULTS or fault.call in ("reset", "html"):
            return super().serve(params, fault)
        places = range(len(self.service.entries(params)))
        failing = {at: name for at, name in fault.entries.items() if at in places and name != "missing"}
        if fault.entries:
            answer = self.answer_in_part(params, fault, failing)
        else:
            answer = self.forward(*self.current.request)
        broken = {"garbage": b"this is not JSON", "empty": b"{}"}
        if fault.call == "lost":
            return None
        return (200, {}, broken[fault.call]) if fault.call in broken else answer

    def forward(self, headers, body):
        """Status, headers and body of the service's answer."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.putrequest("POST", "/", skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        found = answer.read()
        connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower().startswith("x-amz")}
        return answer.status, kept, found

    def sign(self, body):
        """The headers of a call of our own."""
        content_type = {"Content-Type": self.service.content_type}
        headers = content_type | {"X-Amz-Target": self.service.target, "Host": self.host}
        request = botocore.awsrequest.AWSRequest("POST", f"http://{self.host}/", headers, body)
        key = botocore.credentials.Credentials(*self.kind.key)
        botocore.auth.SigV4Auth(key, self.service.signing, REGION).add_auth(request)
        return dict(request.headers.items()) | {"Content-Length": str(len(body))}

    def answer_in_part(self, params, fault, failing):
        """The entries that do not fail go to the service; `missing` ones are left out of its answer."""
        entries = self.service.entries(params)
        outcomes = []
        rest = [number for number in range(len(entries)) if number not in failing]
        if rest:
            whole = json.loads(self.current.request[1])
            inside = self.service.entries(whole)
            inside[:] = [inside[number] for number in rest]
            body = json.dumps(whole).encode()
            status, _, answer = self.forward(self.sign(body), body)
            assert status == 200, answer
            outcomes = list(zip(rest, self.refusals(json.loads(answer), len(rest))))
        for number, name in failing.items():
            code, is_senders = self.service.ENTRY_FAULTS[name]
            outcomes.append((number, EntryRefusal(code, "told by the test", is_senders)))
        told = [(number, entries[number], refusal) for number, refusal in sorted(outcomes, key=lambda one: one[0])]
        told = [one for one in told if fault.entries.get(one[0]) != "missing"]
        return 200, {}, self.encode(told)

    @staticmethod
    def refusals(answer, count):
        """For each entry of the service's answer the reason why it was refused, or None."""
        if "Responses" not in answer:
            assert not any(answer.get(name) for name in ("FailedRecordCount", "FailedEntryCount", "Failed")), answer
            return [None] * count
        errors = [one.get("Error") for one in answer["Responses"]]
        return [error and EntryRefusal(error["Code"], error.get("Item", {})) for error in errors]
