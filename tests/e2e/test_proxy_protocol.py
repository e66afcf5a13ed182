"""http.proxy_protocol: the client's address from a PROXY header, plain and with TLS; headers that are not accepted."""

import socket
import struct
import time

import pytest

from certificates import make_pair, trusting
from client import Closed, request
from server import SLOW, run, wait_for

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
PROXY, OTHER = "127.0.0.1", "127.0.0.2"  # only the first one is a trusted proxy


def v2(command, protocol, rest):
    return SIGNATURE + bytes([command, protocol]) + struct.pack(">H", len(rest)) + rest


PAIR_4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("10.0.0.1") + struct.pack(">HH", 5, 443)
PAIR_6 = socket.inet_pton(socket.AF_INET6, "2001:db8::1") * 2 + struct.pack(">HH", 5, 443)
TLVS = b"\xea\0\x05\x01vpce" + b"\x04\x03\x00" + bytes(768)

HEADERS = {
    "v1": (b"PROXY TCP4 192.0.2.7 10.0.0.1 5 443\r\n", "192.0.2.7"),
    "v1 of IPv6": (b"PROXY TCP6 2001:db8::1 ::2 5 443\r\n", "2001:db8::1"),
    "v1 unknown": (b"PROXY UNKNOWN\r\n", PROXY),
    "v2 with TLVs": (v2(0x21, 0x11, PAIR_4 + TLVS), "192.0.2.7"),
    "v2 of IPv6": (v2(0x21, 0x21, PAIR_6), "2001:db8::1"),
    "v2 local": (v2(0x20, 0, b""), PROXY),
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return make_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(params=["plain", "tls"])
def proxied(request, sluice, pair):
    """Start a server that takes PROXY headers from one address."""
    tls = request.param == "tls"

    def start(**http):
        http = {"proxy_protocol": True, "trusted_proxies": [PROXY]} | http
        server = sluice(http=({"tls": pair} if tls else {}) | http, log={"client_address": True})
        server.context = trusting(pair) if tls else None
        return server

    return start


def client_of(server, connection, name):
    """The client in the log line of one request on this connection."""
    connection.send(request("GET", "/nowhere", headers={"X-Request-Id": name}))
    assert connection.answer().status == 404
    return server.wait_log(event="request", request_id=name)["client"]


def refusals(server):
    return [line for line in server.log() if line["event"] == "request_not_understood"]


def test_the_header_names_the_client(proxied):
    server = proxied()
    for number, (header, client) in enumerate(HEADERS.values()):
        with server.connect(before=header) as connection:
            assert client_of(server, connection, f"a{number}") == client
            assert client_of(server, connection, f"b{number}") == client  # the header comes once
    with server.connect(source=OTHER) as connection:
        assert client_of(server, connection, "direct") == OTHER
    assert not refusals(server)


def is_refused(server, data, source=PROXY):
    """Send this on a new connection without TLS; the log says why it is closed without an answer."""
    before = len(refusals(server))
    context, server.context = server.context, None
    try:
        with server.connect(source=source) as connection:
            for piece in data if isinstance(data, list) else [data]:
                connection.send(piece)
            with pytest.raises(Closed) as closed:
                connection.more()
    except OSError:
        pass  # closed before all was sent
    else:
        assert closed.value.rest == b""
    finally:
        server.context = context
    line = wait_for(lambda: refusals(server)[before:], "a line about the refused header")[0]
    assert (line["reason"], line["client"]) == ("proxy_header", source)
    return line["detail"]


def test_what_is_not_accepted_is_closed_with_a_line(proxied):
    server = proxied(deadline="2s")
    tests = [
        ("not from trusted_proxies", HEADERS["v1"][0], OTHER),
        ("not from trusted_proxies", HEADERS["v2 local"][0], OTHER),
        ("not from trusted_proxies", b"PROXY nonsense\r\n", OTHER),
        ("absent", request("GET", "/healthz"), PROXY),
        ("absent", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\0\0", PROXY),
        ("invalid", b"PROXY TCP4 192.0.2.7 10.0.0.1 5 66443\r\n", PROXY),
        ("invalid", b"PROXY UNKNOWN " + b"a" * 100, PROXY),
        ("invalid", SIGNATURE + b"\x21\x11\xff\xff" + PAIR_4, PROXY),
        ("late", b"PROXY TCP4 192.0.2.7", PROXY),
        ("late", SIGNATURE + b"\x21\x11\x01\0" + PAIR_4, PROXY),
    ]
    for detail, data, source in tests:
        assert is_refused(server, data, source) == detail, data
    with server.connect(before=HEADERS["v1"][0]) as connection:
        connection.send(request("GET", "/metrics"))
        text = connection.answer().body.decode()
    assert f'sluice_http_not_understood_total{{reason="proxy_header"}} {len(tests)}\n' in text


def test_a_header_in_pieces_has_the_deadline_of_a_request(sluice):
    server = sluice(
        http={"proxy_protocol": True, "trusted_proxies": [PROXY], "deadline": "2s"},
        log={"client_address": True},
    )
    header = HEADERS["v2 with TLVs"][0]
    with server.connect() as connection:
        for byte in header[:60]:
            connection.send(bytes([byte]))
        connection.send(header[60:])
        assert client_of(server, connection, "pieces") == "192.0.2.7"
    began = time.monotonic()
    with server.connect() as connection, pytest.raises((Closed, OSError)):
        for byte in header:
            connection.send(bytes([byte]))
            time.sleep(0.02)
        raise AssertionError("it may drip for ever")
    assert 1.5 < time.monotonic() - began < 10 * SLOW


def test_a_proxy_may_keep_a_connection_for_later(sluice):
    server = sluice(
        http={"proxy_protocol": True, "trusted_proxies": [PROXY], "deadline": "1s"},
        log={"client_address": True},
    )
    with server.connect(before=HEADERS["v1"][0]) as connection:
        time.sleep(1.5)  # longer than the deadline, which begins with a request
        assert client_of(server, connection, "later") == "192.0.2.7"
    server.connect(before=HEADERS["v2 local"][0]).close()  # a health check of TCP
    server.connect().close()
    with server.connect(before=HEADERS["v1"][0]) as connection:
        assert client_of(server, connection, "last") == "192.0.2.7"
    assert not refusals(server)


def test_connections_count_by_the_client_in_the_header(sluice):
    server = sluice(
        http={
            "proxy_protocol": True,
            "trusted_proxies": [PROXY],
            "max_connections_per_address": 1,
        },
    )
    with server.connect(before=HEADERS["v1"][0]) as connection:
        connection.send(request("GET", "/healthz"))
        assert connection.answer().status == 200
        with server.connect(before=HEADERS["v1"][0]) as other, pytest.raises(Closed):
            other.more()
        for name in ("v2 of IPv6", "v2 local", "v1 unknown"):
            with server.connect(before=HEADERS[name][0]) as other:
                other.send(request("GET", "/healthz"))
                assert other.answer().status == 200


def test_the_health_command_speaks_it(proxied):
    server = proxied()
    port = server.address[1]
    config = server.file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}")
    (server.folder / "health.yaml").write_text(config)
    done = run("health", "-c", server.folder / "health.yaml", cwd=server.folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert not refusals(server)
