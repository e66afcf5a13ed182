"""Clients that post continuously: half of them on persistent connections, half on a new connection for each
event. As EventBridge does, they retry an event until it gets a final answer."""

import json
import threading
import time

from client import Closed, request
from server import PATIENCE

AGAIN = 0.05  # seconds before a retry


class Load:
    """Use it as a context: posts until the context ends. Each event has its own id."""

    def __init__(self, connect, event, clients=6, retries=False):
        self.connect = connect
        self.event = event
        self.retries = retries
        self.statuses = {}
        self.faults = []  # unexpected answers and errors
        self.interrupted = 0  # connections that were refused or ended without an answer
        self.slowest = 0.0  # seconds from an event's first attempt to its 200
        self.accepted = 0  # events that were answered 200
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.threads = [
            threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(clients)
        ]

    def _run(self, number):
        connection = None
        count = 0
        try:
            while not self.stopping.is_set():
                count += 1
                event = self.event | {"id": f"{number}-{count}"}
                connection = self._deliver(json.dumps(event).encode(), connection)
                if number % 2 and connection:
                    connection.close()
                    connection = None
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(repr(fault))

    def _deliver(self, body, connection):
        """Send until it is answered 200, or once. Returns the connection if it can be reused."""
        began = time.monotonic()
        while True:
            connection, status = self._attempt(body, connection)
            if status == 200:
                with self.lock:
                    self.accepted += 1
                    self.slowest = max(self.slowest, time.monotonic() - began)
            if status == 200 or not self.retries:
                return connection
            if time.monotonic() - began > PATIENCE:
                raise AssertionError(f"an event is not taken: {status}")
            time.sleep(AGAIN)

    def _attempt(self, body, connection):
        try:
            connection = connection or self.connect()
            connection.send(request("POST", "/events", body))
            answer = connection.answer()
        except (OSError, Closed):
            if not self.retries:
                raise
            with self.lock:
                self.interrupted += 1
            if connection:
                connection.close()
            return None, None
        if answer.status == 503:
            assert int(answer.header("Retry-After")) >= 1
        with self.lock:
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.header("Connection") == "close":
            connection.close()
            connection = None
        return connection, answer.status

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE * 2)
