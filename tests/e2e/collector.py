"""An OpenTelemetry collector as far as tests need one: OTLP over HTTP, as JSON."""

import json

from http_peer import HttpPeer, HttpPeerHandler


class CollectorHandler(HttpPeerHandler):
    def do_POST(self):
        there = self.peer
        body = json.loads(self.body())
        plan = there.plan(body)
        with there.changed:
            there.calls.append((self.path, dict(self.headers), body))
            if plan and plan[0] == 200:
                there.spans += [
                    span
                    for resource in body["resourceSpans"]
                    for scope in resource["scopeSpans"]
                    for span in scope["spans"]
                ]
            there.changed.notify_all()
        if plan is None:
            there.ending.wait()
            self.close_connection = True
            return
        status, answer = plan
        self.send(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())


class Collector(HttpPeer):
    """`spans` has those of calls answered 200. `plan(body)` returns a status and an answer; None: never answer."""

    handler = CollectorHandler

    def __init__(self):
        super().__init__()
        self.plan = lambda body: (200, {"partialSuccess": {}})
        self.spans = []

    def find(self, count, **wanted):
        """Wait for so many spans whose members have these values; in the order of their start."""

        def found(there):
            return [span for span in there.spans if all(span.get(key) == value for key, value in wanted.items())]

        self.wait(lambda there: len(found(there)) >= count)
        spans = found(self)
        assert len(spans) == count, spans
        return sorted(spans, key=lambda span: int(span["startTimeUnixNano"]))


def attributes(span):
    """The attributes as a dictionary; numbers are texts in OTLP's JSON."""
    out = {}
    for item in span["attributes"]:
        [(kind, value)] = item["value"].items()
        assert kind in ("stringValue", "intValue") and isinstance(value, str), item
        out[item["key"]] = int(value) if kind == "intValue" else value
    assert len(out) == len(span["attributes"])
    return out
