"""A receiver for the HTTP sink that keeps the records and can fail in several ways."""

import collections
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """`behave(number, records)` decides the answer: a status; "hang": none for 30 s; "drop": the connection is
    closed; "late": the records are accepted, then the connection is closed."""

    def __init__(self, behave=lambda number, records: 200, port=0, tls=None):
        self.behave = behave
        self.lock = threading.Lock()
        self.records = []  # the records of requests answered 2xx or "late", in order of arrival
        self.keys = []  # Idempotency-Key of those requests
        self.statuses = collections.Counter()
        self.number = 0
        self.release = threading.Event()  # ends the waiting of "hang"
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                receiver.take(self)

            def log_message(self, *_):
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass  # a killed server resets its connections

        self.server = Quiet(("127.0.0.1", port), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/records"

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self.lock:
            self.number += 1
            value = json.loads(body)
            records = value if isinstance(value, list) else [value]
            verdict = self.behave(self.number, records)
            self.statuses[verdict] += 1
            if verdict == "late" or (isinstance(verdict, int) and verdict < 300):
                self.records += records
                self.keys.append(handler.headers["Idempotency-Key"])
        if verdict == "hang":
            self.release.wait(30)
        if not isinstance(verdict, int):
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(verdict)
        if verdict == 301:
            handler.send_header("Location", "http://127.0.0.1:1/")
        if verdict == 429:
            handler.send_header("Retry-After", "1")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def taken(self):
        with self.lock:
            return list(self.records)

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
