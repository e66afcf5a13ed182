"""A small HTTP client that sends exactly the bytes of the test. With an SSL context it uses TLS."""

import json
import socket


class Answer:
    """One response: status, headers (lower-case names; a repeated header is a list), body."""

    def __init__(self, status, headers, body, interim=()):
        self.status = status
        self.headers = headers
        self.body = body
        self.interim = list(interim)  # statuses of the preceding 1xx answers

    def header(self, name):
        values = self.headers.get(name.lower(), [])
        assert len(values) <= 1, f"{name} comes {len(values)} times"
        return values[0] if values else None

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:500]!r}>"


class Closed(Exception):
    """The server closed the connection before the answer was complete; `.rest` is the part received."""

    def __init__(self, rest):
        super().__init__(f"connection closed after {rest!r}")
        self.rest = rest


class Connection:
    """One TCP connection. Answers are read one at a time, so that tests can check pipelining."""

    def __init__(self, address, timeout, context=None, session=None, before=b"", source=None):
        """`before`: bytes that come before TLS. `source`: the client's own address."""
        self.socket = socket.create_connection(
            address, timeout=timeout, source_address=source and (source, 0)
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.socket.sendall(before)
        if context:
            self.socket = context.wrap_socket(
                self.socket, server_hostname="localhost", session=session
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        """Read some more bytes. Raises Closed when the connection has ended."""
        try:
            piece = self.socket.recv(65536)
        except ConnectionError:
            piece = b""
        if not piece:
            raise Closed(self.buffer)
        self.buffer += piece

    def _head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = first.split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), first
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            headers.setdefault(name.lower(), []).append(value.strip())
        return int(status), headers

    def answer(self, method="POST"):
        """Read the next final answer. Raises Closed when the connection ends before."""
        interim = []
        status, headers = self._head()
        while status < 200:
            interim.append(status)
            status, headers = self._head()
        body = b""
        if method != "HEAD" and status not in (204, 304):
            if "content-length" in headers:
                length = int(headers["content-length"][0])
                while len(self.buffer) < length:
                    self.more()
                body, self.buffer = self.buffer[:length], self.buffer[length:]
            else:
                try:
                    while True:
                        self.more()
                except Closed:
                    body, self.buffer = self.buffer, b""
        return Answer(status, headers, body, interim)

    def is_closed(self):
        """True when the server closes it without sending more. Waits up to the connection's time-out."""
        try:
            self.more()
        except Closed as closed:
            return closed.rest == b""
        except TimeoutError:
            return False
        return False


def request(method, path, body=None, headers=None, host="sluice"):
    """The bytes of one request. A header given as None is omitted. A POST with body None has no length."""
    fields = {"Host": host}
    if body is not None:
        fields["Content-Length"] = str(len(body))
    if method == "POST":
        fields["Content-Type"] = "application/json"
    fields.update(headers or {})
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def encode(value):
    """`value` as a body: bytes as they are, text as UTF-8, anything else as compact JSON."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
