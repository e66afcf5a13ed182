"""A receiver for the HTTP sink that keeps the records and can fail in several ways."""

import collections
import json
import socket

from http_peer import HttpPeer, HttpPeerHandler


class ReceiverHandler(HttpPeerHandler):
    def do_POST(self):
        verdict = self.peer.take(json.loads(self.body()), self.headers["Idempotency-Key"])
        if verdict == "hang":
            self.peer.ending.wait(30)
        if not isinstance(verdict, int):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        headers = {301: {"Location": "http://127.0.0.1:1/"}, 429: {"Retry-After": "1"}}
        self.send(verdict, headers.get(verdict))


class Receiver(HttpPeer):
    """`behave(number, records)` decides the answer: a status; "hang": none for 30 s; "drop": the connection is
    closed; "late": the records are accepted, then the connection is closed."""

    handler = ReceiverHandler

    def __init__(self, behave=lambda number, records: 200, port=0, tls=None):
        super().__init__(port, tls)
        self.behave = behave
        self.records = []  # the records of requests answered 2xx or "late", in order of arrival
        self.keys = []  # Idempotency-Key of those requests
        self.statuses = collections.Counter()
        self.number = 0
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/records"

    def take(self, value, key):
        """How the request is answered."""
        with self.changed:
            self.number += 1
            records = value if isinstance(value, list) else [value]
            verdict = self.behave(self.number, records)
            self.statuses[verdict] += 1
            if verdict == "late" or (isinstance(verdict, int) and verdict < 300):
                self.records += records
                self.keys.append(key)
            return verdict

    def taken(self):
        with self.changed:
            return list(self.records)
