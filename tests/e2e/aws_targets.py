"""Services of AWS that take records, emulated, for tests of the sinks.

    with AwsTarget(Kinesis()) as peer:
        server = sluice(sinks=[peer.sink()], env=peer.environment())
        peer.next(Fault(entries={0: "later"}))   # entry 0 of the next call fails
        peer.plan = lambda entries: Fault(call="denied")   # all calls fail, until peer.plan = None
        peer.arrived()                            # the records that were stored, in order, parsed

The signature of every request is recomputed with botocore. Requests are validated against botocore's
model of the service and against the service's limits; mistakes are in `peer.problems`, and the end of the
`with` block asserts that it is empty. aws_services.py has the services.
"""

import dataclasses
import json
import threading
import time

import botocore.validate

from aws_services import EntryRefusal
from aws_signatures import KEY, REGION, Refusal, SignatureCheck, environment
from http_peer import HttpPeer, HttpPeerHandler

# Members that botocore of Debian does not know yet.
NEWER = {"StreamARN", "ReturnValuesOnConditionCheckFailure"}


@dataclasses.dataclass
class Fault:
    """What happens to one call.

    entries: position -> a name in ENTRY_FAULTS, or "missing" from the answer although it is stored.
    call: a name in CALL_FAULTS, or
        reset  close the connection, nothing is stored;  lost  store, then close the connection;
        hang   no answer until the peer stops;  garbage  200 that is not JSON;  html  500 with HTML;
        empty  200 with an empty JSON object
    """

    entries: dict = dataclasses.field(default_factory=dict)
    call: str = ""
    delay: float = 0


def known(params):
    """The parameters without the newer ones."""
    if isinstance(params, dict):
        return {name: known(value) for name, value in params.items() if name not in NEWER}
    return [known(value) for value in params] if isinstance(params, list) else params


class AwsTargetHandler(HttpPeerHandler):
    def do_POST(self):
        peer, service = self.peer, self.peer.service
        body = self.body()
        try:
            self.check(body)
            params = service.read(body)
        except Refusal as refusal:
            peer.complain(f"{refusal.code}: {refusal.message}")
            self.send(refusal.status, *service.error(400, refusal.code, refusal.message))
            return
        peer.validate(params)
        peer.current.request = (dict(self.headers.items()), body)
        fault = peer.enter(params)
        try:
            time.sleep(fault.delay)
            if fault.call == "hang":
                peer.ending.wait()
            answer = None if fault.call == "hang" else peer.serve(params, fault)
        finally:
            peer.leave()
        if answer is None:
            self.reset()
        else:
            self.send(*answer)

    def check(self, body):
        peer, service = self.peer, self.peer.service
        target = None if service.target.startswith(".") else service.target
        expected = {"X-Amz-Target": target, "Content-Type": service.content_type}
        for name, value in expected.items():
            if value and self.headers.get(name) != value:
                raise Refusal("UnknownOperationException", f"{name}: {self.headers.get(name)}")
        peer.signatures.check("POST", self.path, self.headers, body, time.time())

    def send(self, status, headers, body):
        names = {"Content-Type": self.peer.service.content_type, "x-amzn-RequestId": "4f1c"}
        super().send(status, names | headers, body)


class AwsTarget(HttpPeer):
    """One service; `calls` has the parameters of each call."""

    handler = AwsTargetHandler

    def __init__(self, service, port=0):
        super().__init__(port)
        self.service = service
        self.signatures = SignatureCheck(service.signing)
        self.signatures.allow(*KEY)
        self.in_flight = self.most_in_flight = 0
        self.plan = None  # a function from the entries of a call to its Fault, or None
        self.current = threading.local()  # its `request`: headers and body of the call that is served
        self._next = []

    # Settings.

    def sink(self, **changes):
        """The configuration of a sink of this kind."""
        return {
            "name": "target",
            "kind": self.service.kind,
            "region": REGION,
            "endpoint_url": self.url,
            "max_backoff": "20ms",
        } | self.service.sink() | changes  # fmt: skip

    def environment(self):
        return environment()

    # For tests.

    def next(self, *faults):
        """The faults of the next calls, in order; they come before `plan`."""
        with self.changed:
            self._next += faults

    def stored(self):
        with self.changed:
            return list(self.service.stored)

    def arrived(self):
        """The records that were stored, parsed, in order."""
        return [json.loads(one.data) for one in self.stored()]

    # For the HTTP handler.

    def enter(self, params):
        """Note the call. Returns its fault."""
        entries = self.service.entries(params)
        with self.changed:
            self.calls.append(params)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self.changed.notify_all()
            if self._next:
                return self._next.pop(0)
            return (self.plan and self.plan(entries)) or Fault()

    def leave(self):
        with self.changed:
            self.in_flight -= 1
            self.changed.notify_all()

    def validate(self, params):
        report = botocore.validate.ParamValidator().validate(known(params), self.service.shape)
        if report.has_errors():
            self.complain(report.generate_report())

    def outcomes(self, entries, faults):
        """Store the entries. Returns (position, entry, refusal) of those that are in the answer."""
        found = []
        for number, entry in enumerate(entries):
            name = faults.get(number)
            refusal = None
            if name not in (None, "missing"):
                code, is_senders = self.service.ENTRY_FAULTS[name]
                refusal = EntryRefusal(code, "told by the test", is_senders)
            else:
                try:
                    self.service.take(entry)
                except EntryRefusal as refused:
                    if refused.code != "DuplicateItem":
                        self.problems.append(f"{refused.code}: {refused.message}")
                    refusal = refused
            if name != "missing":
                found.append((number, entry, refusal))
        return found

    def serve(self, params, fault):
        """Status, headers and body; None: close the connection."""
        if fault.call in self.service.CALL_FAULTS:
            status, code = self.service.CALL_FAULTS[fault.call]
            return (status, *self.service.error(status, code, "told by the test"))
        if fault.call in ("reset", "html"):
            return None if fault.call == "reset" else (500, {}, b"<html>Internal Error</html>")
        try:
            self.service.check(params)
        except Refusal as refusal:
            self.complain(f"{refusal.code}: {refusal.message}")
            return (refusal.status, *self.service.error(400, refusal.code, refusal.message))
        with self.changed:
            outcomes = self.outcomes(self.service.entries(params), fault.entries)
            self.changed.notify_all()
        if fault.call == "lost":
            return None
        broken = {"garbage": b"this is not JSON", "empty": b"{}"}
        return 200, {}, broken.get(fault.call) or self.encode(outcomes)

    def encode(self, outcomes):
        answer = self.service.answer(outcomes)
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()
