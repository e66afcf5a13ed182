"""An HTTP server for an HTTP sink; the test's plan decides its answers."""

import gzip
import http.server
import json
import ssl
import threading
import time


class Receiver:
    """Answers 200, or what `plan` returns. `records` has the records of requests answered 2xx, in order.
    `accept(headers)`, if set, decides before the plan: a status, or None. `bodies` has what was sent.
    With `client_ca`, clients must show a certificate of this authority."""

    def __init__(self, port=0, certificate=None, client_ca=None):
        self.accept = lambda headers: None
        self.bodies = []
        self.changed = threading.Condition()
        self.records = []
        self.requests = []  # (headers, records, status, time)
        self.words = b""  # the body of each answer
        self.plan = lambda records: (200, {})  # None: no answer until the receiver stops
        self.ending = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.bodies.append(raw)
                packed = self.headers.get("Content-Encoding") == "gzip"
                body = json.loads(gzip.decompress(raw) if packed else raw)
                receiver.take(self, body if isinstance(body, list) else [body])

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # closed connections are expected
                pass

        self.server = Quiet(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            if client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(client_ca)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}/records"

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
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.words)))
        handler.end_headers()
        handler.wfile.write(self.words)

    def wait(self, is_so, patience):
        with self.changed:
            assert self.changed.wait_for(lambda: is_so(self), patience), self.requests[-5:]

    def close(self):
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()
