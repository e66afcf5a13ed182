"""Hostile and broken requests: the answer is right, and the server is as it was afterwards."""

import gzip
import random
import socket
import time

import pytest

from client import Closed, encode, request
from server import RELEASE, SLOW

MIB = 1024 * 1024
HEAD = b"POST /events HTTP/1.1\r\nHost: a\r\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: smuggled\r\n\r\n"


@pytest.fixture(autouse=True)
def unharmed(shared, event):
    """After each test here the next request is served."""
    yield
    assert shared.post(event).status == 200


@pytest.mark.skipif(not RELEASE, reason="measures memory")
def test_what_a_large_body_took_is_given_back(sluice, event):
    server = sluice()
    for _ in range(3):
        server.post(b"[" + b"0," * (MIB - 2) + b"0]")
        large = server.post(b'{"detail":[' + b'{"a":[{}]},' * 190_000 + b"0]}")
        assert large.json["details"] == "Event too expensive to check"
    assert server.post(event).status == 200
    end = time.monotonic() + 10
    while server.memory()["RssAnon"] >= 16 * 1024 and time.monotonic() < end:
        time.sleep(0.02)  # it is given back a moment later
    assert server.memory()["RssAnon"] < 16 * 1024


def everything(server, data, patience=1.0 * SLOW):
    """All that comes back for these bytes until the server closes or is silent for a while."""
    out = b""
    with server.connect(timeout=patience) as connection:
        try:
            connection.send(data)
            while True:
                piece = connection.socket.recv(65536)
                if not piece:
                    break
                out += piece
        except (TimeoutError, ConnectionError):
            pass
    return out


def status_of(out):
    return int(out.split(b" ", 2)[1]) if out.startswith(b"HTTP/1.") else None


# Bodies.


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 2 * MIB,
        b'{"a":' * 400_000,
        b"[" * 100 + b"]" * 100,
        b'"' + b"a" * (2 * MIB - 2) + b'"',
        b" " * 2 * MIB,
        b"[" + b"0," * (MIB - 2) + b"0]",
        b"\x00" * MIB,
        b'{"detail":' + b"9" * MIB + b"}",
        b"\xff" * MIB,
    ],
    ids=[
        "2 MiB of [",
        "400000 objects",
        "100 levels",
        "one string",
        "blanks",
        "a million zeros",
        "NULs",
        "a number of 1 MiB",
        "no UTF-8",
    ],
)
def test_large_and_deep_bodies_are_400(shared, body):
    answer = shared.post(body)
    assert answer.status == 400
    assert len(answer.body) < 2000


def test_a_large_event_is_served(shared, event):
    event["detail"]["interaction"]["attributes"] = {f"key {n}": "x" * 100 for n in range(15_000)}
    answer = shared.post(event)
    assert answer.status == 200
    assert len(answer.json["attributes"]) == 15_000


def test_gzip_is_415(shared, event):
    body = gzip.compress(encode(event))
    answer = shared.post(body, headers={"Content-Encoding": "gzip"})
    assert answer.status == 415
    assert shared.post(body).status == 400


def test_a_body_that_ends_early_leaves_nothing_behind(sluice):
    server = sluice(http={"deadline": "500ms"})
    for length in (0, 1, 1000):
        with server.connect() as connection:
            connection.send(HEAD + b"Content-Length: 2000\r\n\r\n" + b" " * length)
            connection.socket.shutdown(socket.SHUT_WR)
            with pytest.raises((Closed, TimeoutError)):
                connection.answer()


def test_a_connection_reset_in_the_middle_leaves_nothing_behind(shared):
    for _ in range(50):
        with shared.connect() as connection:
            connection.send(HEAD + b"Content-Length: 2000\r\n\r\n{")
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"POST",
        HEAD,
        HEAD + b"Content-Length: 5\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["silent", "half a line", "half a head", "half a body", "half a chunk"],
)
def test_a_late_request_is_cut_at_the_deadline(sluice, start):
    server = sluice(http={"deadline": "500ms", "idle_timeout": "1s"})
    began = time.monotonic()
    with server.connect() as connection:
        connection.send(start)
        with pytest.raises(Closed) as closed:
            connection.answer()
    assert closed.value.rest == b""
    assert time.monotonic() - began < 4 * SLOW


def test_dripping_bytes_do_not_extend_the_deadline(sluice):
    server = sluice(http={"deadline": "500ms", "idle_timeout": "1s"})
    began = time.monotonic()
    with server.connect() as connection:
        connection.send(HEAD + b"Content-Length: 1000000\r\n\r\n")
        with pytest.raises(OSError):
            while time.monotonic() - began < 30:
                connection.send(b" ")
                time.sleep(0.02)
    assert time.monotonic() - began < 4 * SLOW


@pytest.mark.parametrize(
    "line", [b"0" * 20_000, b"2;" + b"a" * 20_000], ids=["digits", "extension"]
)
def test_a_chunks_line_without_end_keeps_no_processor_busy(sluice, line):
    server = sluice(http={"deadline": "1500ms"})
    connections = [server.connect() for _ in range(10)]
    for connection in connections:
        connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + line)
    for _ in range(2):  # before the deadline, and after it
        time.sleep(0.2)
        before = server.run_time()
        time.sleep(1)
        assert server.run_time() - before < 0.2 * SLOW
        for connection in connections:  # versions of the library from 1.0 on answer first
            with pytest.raises(Closed):
                connection.answer()
                connection.more()


def test_an_idle_connection_is_closed_after_its_time(sluice):
    server = sluice(http={"idle_timeout": "1s"})
    with server.connect() as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.answer("GET").status == 200
        began = time.monotonic()
        assert connection.is_closed()
        assert 0.5 < time.monotonic() - began < 5 * SLOW


# Ways of sending that are fine.


def chunked(body, size):
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
def test_chunked_bodies_are_read(shared, event, size):
    answer = shared.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(encode(event), size))
    assert answer.status == 200


def test_chunked_in_other_case_is_chunked(shared, event):
    answer = shared.raw(HEAD + b"transfer-encoding: Chunked\r\n\r\n" + chunked(encode(event), 50))
    assert answer.status in (200, 501)


def test_chunk_extensions_are_ignored(shared):
    answer = shared.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n")
    assert answer.status == 400
    if answer.header("X-Request-Id"):  # libmicrohttpd 1.0 to 1.0.9 refuses them by itself
        assert answer.json["error"] == "Processing failed"


def test_byte_by_byte_is_read(shared, event):
    with shared.connect() as connection:
        for byte in request("POST", "/events", encode(event)):
            connection.send(bytes([byte]))
        assert connection.answer().status == 200


def test_expect_gets_100_first(shared, event):
    body = encode(event)
    with shared.connect() as connection:
        connection.send(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        connection.more()
        connection.send(body)
        answer = connection.answer()
    assert (answer.status, answer.interim) == (200, [100])


def test_http_1_0_is_served_and_closed(shared, event):
    body = encode(event)
    with shared.connect() as connection:
        connection.send(
            b"POST /events HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        assert connection.answer().status == 200
        assert connection.is_closed()


def test_close_is_obeyed(shared, event):
    with shared.connect() as connection:
        connection.send(request("POST", "/events", encode(event), {"Connection": "close"}))
        assert connection.answer().status == 200
        assert connection.is_closed()


def test_pipelined_requests_are_answered_in_order(shared):
    ids = [f"p{number}" for number in range(20)]
    body = encode({"detail": {"interaction": {"id": "a", "start_time": "b"}}})
    with shared.connect() as connection:
        connection.send(
            b"".join(request("POST", "/events", body, {"X-Request-Id": name}) for name in ids)
        )
        answers = [connection.answer() for _ in ids]
    assert [answer.header("X-Request-Id") for answer in answers] == ids
    assert {answer.status for answer in answers} == {200}


def test_a_half_closing_client_gets_its_answer(shared, event):
    with shared.connect() as connection:
        connection.send(request("POST", "/events", encode(event)))
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.answer().status == 200


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_many_requests_on_one_connection(shared, version):
    with shared.connect() as connection:
        for _ in range(100):
            connection.send(
                b"GET /healthz %s\r\nHost: a\r\nConnection: keep-alive\r\n\r\n" % version
            )
            try:
                assert connection.answer("GET").status == 200
            except Closed:
                assert version == b"HTTP/1.0"
                return


# Framing. Each is followed by a second request in disguise: it must not be answered as one.

FRAMING = [
    ("two lengths that differ", b"Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}", {400}),
    ("the same length twice", b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", {400}),
    (
        "length and chunked",
        b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {400},
    ),
    (
        "chunked and length",
        b"Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\n",
        {400},
    ),
    (
        "two codings",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        {400, 501},
    ),
    ("gzip coding", b"Transfer-Encoding: gzip\r\n\r\n", {501}),
    ("identity coding", b"Transfer-Encoding: identity\r\n\r\n", {501}),
    ("blank before the colon", b"Content-Length : 2\r\n\r\n{}", {400, 411}),
    ("folded line before the length", b"X: a\r\n Content-Length: 2\r\n\r\n{}", {400, 411}),
    ("folded line that makes a length", b"Content-Lengt: 60\r\n h\r\n\r\n", {400}),
    ("header without a name", b"Content-Length: 0\r\n: a\r\n", {400}),
    ("a line of NUL behind a length", b"Content-Length: 0\r\n\0: a\r\n", {400}),
    ("NUL behind chunked", b"Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n", {400}),
    ("bare LF before a length", b"X: a\nContent-Length: 2\r\n\r\n{}", {400}),
    ("request behind chunks", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    (
        "request behind a trailer without a name",
        b"Transfer-Encoding: chunked\r\n\r\n0\r\na: b\r\n: a\r\n",
        {400},
    ),
    ("expectation of nothing", b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", {400}),
    ("folded length", b"Content-Length:\r\n 2\r\n\r\n{}", {400, 411}),
    ("a line that starts with NUL", b"\0X: a\r\nContent-Length: 2\r\n\r\n{}", {400, 411}),
    ("bare CR in a value", b"X: a\rb\r\nContent-Length: 2\r\n\r\n{}", {400, 411}),
    ("control character in a value", b"X: a\x01b\r\nContent-Length: 2\r\n\r\n{}", {400, 411}),
    ("length abc", b"Content-Length: abc\r\n\r\n{}", {400}),
    ("length -1", b"Content-Length: -1\r\n\r\n{}", {400}),
    ("length +2", b"Content-Length: +2\r\n\r\n{}", {400}),
    ("length 2,2", b"Content-Length: 2,2\r\n\r\n{}", {400}),
    ("length 0x2", b"Content-Length: 0x2\r\n\r\n{}", {400}),
    ("length beyond 64 bits", b"Content-Length: 99999999999999999999999\r\n\r\n{}", {400, 413}),
    ("empty length", b"Content-Length:\r\n\r\n{}", {400, 411}),
    ("two hosts", b"Host: b\r\nContent-Length: 2\r\n\r\n{}", {400}),
    ("no colon", b"Nonsense\r\nContent-Length: 2\r\n\r\n{}", {400, 411}),
    ("chunk size zz", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", {400}),
    (
        "chunk size too large",
        b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
        {400, 413},
    ),
    ("chunk without its end", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n", {400}),
]


@pytest.mark.parametrize(
    ("fields", "statuses"), [row[1:] for row in FRAMING], ids=[row[0] for row in FRAMING]
)
def test_dubious_framing_is_refused_and_smuggles_nothing(shared, fields, statuses):
    out = everything(shared, HEAD + fields + SMUGGLED)
    assert status_of(out) in statuses
    assert b"smuggled" not in out


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", {400}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505, None}),
        (b"GET /healthz\r\n\r\n", {400, None}),
        (b"GET /healthz HTTP/3.0\r\nHost: a\r\n\r\n", {400, 505}),
        (b"GET ftp://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404}),
        (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404}),
        (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404, 405}),
        (b"GET /healthz#x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", {400, 404}),
        (b"GET /health%7a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", {404}),
        (b"GET /healthz%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", {400, 404}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400, None}),
        (b"\x00" * 1000 + b"\r\n\r\n", {400, 431, None}),
        (b"\r\n\r\n\r\n\r\n", {None}),
        (b"A" * 100_000, {400, 414, 431, None}),
    ],
    ids=[
        "no host",
        "HTTP/2 preface",
        "HTTP/0.9",
        "HTTP/3.0",
        "absolute form of another scheme",
        "asterisk",
        "CONNECT",
        "fragment",
        "escaped path",
        "NUL in the path",
        "TLS hello",
        "NULs",
        "empty lines",
        "an endless line",
    ],
)
def test_odd_request_lines_are_refused(shared, data, statuses):
    out = everything(shared, data)
    assert status_of(out) in statuses


def test_random_bytes_do_no_harm(shared):
    source = random.Random(7)
    for _ in range(60):
        everything(shared, source.randbytes(source.randint(1, 3000)) + b"\r\n\r\n", patience=0.05)


def test_mutated_requests_do_no_harm(shared, event):
    source = random.Random(11)
    good = bytearray(request("POST", "/events", encode(event)))
    for _ in range(150):
        data = bytearray(good)
        for _ in range(source.randint(1, 6)):
            data[source.randrange(len(data))] = source.randrange(256)
        everything(shared, bytes(data), patience=0.03)
