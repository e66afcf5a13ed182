"""An HTTP server on a free port of 127.0.0.1, in the place of one that a test needs.

    class Echo(HttpPeer):
        class handler(HttpPeerHandler):
            def do_POST(self):
                self.send(200, body=self.body())

    with Echo() as peer:          # or Echo().start() and close()
        client(peer.url)

What a peer adds to `problems` fails the test at the end of the `with` block.
"""

import email.utils
import http.server
import socket
import ssl
import struct
import threading
import time


class HttpPeerHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    peer = None  # the HttpPeer that it serves

    def log_message(self, *_):
        pass

    def version_string(self):
        return "Server"

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(timestamp or self.peer.now(), usegmt=True)

    def handle(self):
        try:
            super().handle()
        except OSError:  # the client has left, or rejects our certificate
            self.close_connection = True

    def body(self):
        """The body of the request. ConnectionError: the client ended before it had sent all of it."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError(f"{len(body)} of {length} bytes")
        return body

    def send(self, status, headers=None, body=b""):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reset(self):
        """Reset the connection, without an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


class HttpPeer:
    """With `tls`, the files of a certificate and its key, or a context, it speaks TLS."""

    handler = HttpPeerHandler

    def __init__(self, port=0, tls=None):
        self.port, self.tls = port, tls
        self.calls = []  # what the subclass notes of each request
        self.changed = threading.Condition()
        self.ending = threading.Event()  # ends what waits for the end of the peer
        self.problems = []
        self.skew = 0  # seconds by which its clock is ahead

    def start(self):
        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):  # closed connections are expected
                pass

        self.http = Quiet(("127.0.0.1", self.port), type("Handler", (self.handler,), {"peer": self}))
        self.port = self.http.server_address[1]
        if self.tls:
            context = self.tls
            if not isinstance(context, ssl.SSLContext):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.tls)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def close(self):
        self.ending.set()
        self.http.shutdown()
        self.http.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        self.close()
        if kind is None:
            assert not self.problems, self.problems

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def now(self):
        return time.time() + self.skew

    def complain(self, problem):
        with self.changed:
            self.problems.append(problem)

    def wait(self, is_so, patience=20):
        with self.changed:
            assert self.changed.wait_for(lambda: is_so(self), patience), self.calls[-5:]
