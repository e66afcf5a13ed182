"""Malformed and hostile input: it is answered, or its connection is cut, and the server keeps working.

tests/unit/server/http has a row for each malformed request line, header and chunk."""

import random
import socket
import time

import pytest

from client import Closed, encode, request
from server import RELEASE, SLOW

MIB = 1024 * 1024
HEAD = b"POST /events HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(autouse=True)
def unharmed(shared, event):
    """After each test the server must answer a valid request."""
    yield
    assert shared.post(event).status == 200


@pytest.mark.skipif(not RELEASE, reason="measures memory")
def test_what_a_large_body_took_is_given_back(sluice, event):
    server = sluice()
    for _ in range(3):
        server.post(b"[" + b"0," * (MIB - 2) + b"0]")
        large = server.post(b'{"detail":[' + b'{"a":[{}]},' * 190_000 + b"0]}")
        assert large.json["details"] == "<array> is not of type 'object'"
    assert server.post(event).status == 200
    end = time.monotonic() + 10
    while server.memory()["RssAnon"] >= 16 * 1024 and time.monotonic() < end:
        time.sleep(0.02)  # memory is released a little later
    assert server.memory()["RssAnon"] < 16 * 1024


def send_and_drain(server, data, patience):
    """Send these bytes; read until the server closes or sends nothing for `patience` seconds."""
    with server.connect(timeout=patience) as connection:
        try:
            connection.send(data)
            while connection.socket.recv(65536):
                pass
        except (TimeoutError, ConnectionError):
            pass


# Bodies.


LARGE_OR_DEEP = {
    "2 MiB of [": b"[" * 2 * MIB,
    "400000 objects": b'{"a":' * 400_000,
    "100 levels": b"[" * 100 + b"]" * 100,
    "one string": b'"' + b"a" * (2 * MIB - 2) + b'"',
    "blanks": b" " * 2 * MIB,
    "a million zeros": b"[" + b"0," * (MIB - 2) + b"0]",
    "NULs": b"\x00" * MIB,
    "a number of 1 MiB": b'{"detail":' + b"9" * MIB + b"}",
    "not UTF-8": b"\xff" * MIB,
}


@pytest.mark.parametrize("name", LARGE_OR_DEEP)
def test_large_and_deep_bodies_are_400(shared, name):
    answer = shared.post(LARGE_OR_DEEP[name])
    assert answer.status == 400
    assert len(answer.body) < 2000


def test_a_large_event_is_served(shared, event):
    event["detail"]["interaction"]["attributes"] = {f"key {n}": "x" * 100 for n in range(15_000)}
    answer = shared.post(event)
    assert answer.status == 200
    assert len(answer.json["attributes"]) == 15_000


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


def test_late_requests_are_cut_at_the_deadline(sluice):
    server = sluice(http={"deadline": "500ms", "idle_timeout": "1s"})
    began = time.monotonic()
    starts = [
        b"",
        b"POST",
        HEAD,
        HEAD + b"Content-Length: 5\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ]
    connections = [server.connect() for _ in starts]
    for connection, start in zip(connections, starts, strict=True):
        connection.send(start)
    for connection in connections:
        with pytest.raises(Closed) as closed:
            connection.answer()
        assert closed.value.rest == b""
    assert time.monotonic() - began < 4 * SLOW


def test_an_endless_chunk_header_does_not_spin(sluice):
    server = sluice(http={"deadline": "1500ms"})
    connections = [server.connect() for _ in range(10)]
    for number, connection in enumerate(connections):
        line = b"0" * 20_000 if number % 2 else b"2;" + b"a" * 20_000  # digits; an extension
        connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + line)
    for _ in range(2):  # before and after the deadline
        time.sleep(0.2)
        before = server.run_time()
        time.sleep(1)
        assert server.run_time() - before < 0.2 * SLOW
        for connection in connections:  # libmicrohttpd 1.0 and later sends an answer first
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


# Unusual requests that are served.


def test_a_chunked_body_is_read(shared, event):
    body = encode(event)
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)] + [b""]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    assert shared.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks).status == 200


def test_byte_by_byte_is_read(shared, event):
    with shared.connect() as connection:
        for byte in request("POST", "/events", encode(event)):
            connection.send(bytes([byte]))
        assert connection.answer().status == 200


def test_http_1_0_is_served_and_closed(shared, event):
    body = encode(event)
    with shared.connect() as connection:
        connection.send(
            b"POST /events HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        assert connection.answer().status == 200
        assert connection.is_closed()


def test_a_half_closing_client_gets_its_answer(shared, event):
    with shared.connect() as connection:
        connection.send(request("POST", "/events", encode(event)))
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.answer().status == 200


def test_random_bytes_do_no_harm(shared):
    source = random.Random(7)
    for _ in range(60):
        send_and_drain(shared, source.randbytes(source.randint(1, 3000)) + b"\r\n\r\n", patience=0.05)


def test_mutated_requests_do_no_harm(shared, event):
    source = random.Random(11)
    good = bytearray(request("POST", "/events", encode(event)))
    for _ in range(80):
        data = bytearray(good)
        for _ in range(source.randint(1, 6)):
            data[source.randrange(len(data))] = source.randrange(256)
        send_and_drain(shared, bytes(data), patience=0.03)


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_many_requests_on_one_connection(shared, version):
    with shared.connect() as connection:
        for _ in range(100):
            connection.send(b"GET /healthz %s\r\nHost: a\r\nConnection: keep-alive\r\n\r\n" % version)
            try:
                assert connection.answer("GET").status == 200
            except Closed:
                assert version == b"HTTP/1.0"
                return
