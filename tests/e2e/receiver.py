"""An HTTP server for an HTTP sink; the test's plan decides its answers."""

import gzip
import json
import ssl
import time

from http_peer import HttpPeer, HttpPeerHandler


class ReceiverHandler(HttpPeerHandler):
    def do_POST(self):
        raw = self.body()
        self.peer.bodies.append(raw)
        packed = self.headers.get("Content-Encoding") == "gzip"
        body = json.loads(gzip.decompress(raw) if packed else raw)
        self.peer.take(self, body if isinstance(body, list) else [body])


class Receiver(HttpPeer):
    """Answers 200, or what `plan` returns. `records` has the records of requests answered 2xx, in order.
    `accept(headers)`, if set, decides before the plan: a status, or None. `bodies` has what was sent.
    With `client_ca`, clients must show a certificate of this authority."""

    handler = ReceiverHandler

    def __init__(self, port=0, certificate=None, client_ca=None):
        super().__init__(port)
        self.accept = lambda headers: None
        self.bodies = []
        self.records = []
        self.requests = self.calls  # (headers, records, status, time)
        self.words = b""  # the body of each answer
        self.plan = lambda records: (200, {})  # None: no answer until the receiver stops
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
            if client_ca:
                self.tls.verify_mode = ssl.CERT_REQUIRED
                self.tls.load_verify_locations(client_ca)
        self.start()

    @property
    def url(self):
        return f"{super().url}/records"

    def take(self, handler, records):
        refused = self.accept(handler.headers)
        told = (refused, {}) if refused else self.plan(records)
        status, headers = told or (0, {})
        with self.changed:
            self.requests.append((dict(handler.headers), records, status, time.monotonic()))
            if 200 <= status < 300:
                self.records += records
            self.changed.notify_all()
        if told is None:
            self.ending.wait()
            handler.close_connection = True
            return
        handler.send(status, headers, self.words)
