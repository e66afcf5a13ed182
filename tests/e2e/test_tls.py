"""HTTPS: versions, resumption, certificate changes under load, slow handshakes."""

import hashlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
import yaml
from cryptography import x509

from certificates import client_hello, make_pair, put_pair, trusting
from client import Closed, Connection, encode, request
from server import PATIENCE, ROOT, SLOW, defaults, merge, run

BODY = encode({"detail": {"interaction": {"id": "a", "start_time": "b"}}})
HEALTH = request("GET", "/healthz")
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """Several certificates with keys, made once."""
    folder = tmp_path_factory.mktemp("pairs")
    return [make_pair(folder, f"server{i}", days=10 + i) for i in range(4)]


@pytest.fixture
def pair(folder, pairs):
    """A copy of the first pair, which the test may change."""
    return copy(pairs[0], folder, "live")


def copy(pair, folder, name):
    out = {}
    for key, path in pair.items():
        out[key] = str(shutil.copy(path, folder / f"{name}.{key}"))
    return out


@pytest.fixture
def secure(sluice, pair):
    """Start a server that uses the pair for TLS."""

    def start(http=None, **changes):
        server = sluice(http={"tls": pair} | (http or {}), **changes)
        server.context = trusting(pair)
        return server

    return start


def expiry(text):
    for line in text.splitlines():
        if line.startswith("sluice_tls_certificate_expiry_timestamp_seconds "):
            return float(line.split()[1])
    return None


def test_the_ready_line_says_tls_and_requests_are_answered(secure):
    server = secure()
    assert server.ready["tls"] is True
    assert server.post(BODY).status == 200
    with server.connect() as connection:
        for _ in range(3):
            connection.send(request("POST", "/events", BODY))
            assert connection.answer().status == 200


X25519, P_256, P_384 = 0x1D, 0x17, 0x18
SHARES = {
    X25519: bytes(31) + b"\x09",
    P_256: bytes.fromhex(  # the generator of the curve
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ),
    P_384: bytes.fromhex(
        "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e"
        "3872760ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e81"
        "9d7a431d7c90ea0e5f"
    ),
}


@pytest.mark.parametrize("groups", [[X25519, P_256], [P_256, X25519], [P_384, P_256, X25519]])
def test_a_client_of_tls_1_3_alone_is_answered_in_one_round_trip(secure, groups):
    """With one key share and without renegotiation_info: a ServerHello, no HelloRetryRequest."""
    server = secure()
    retry = hashlib.sha256(b"HelloRetryRequest").digest()
    with Connection(server.address, PATIENCE) as connection:
        connection.send(client_hello(groups, (groups[0], SHARES[groups[0]])))
        while len(connection.buffer) < 43:
            connection.more()
        assert connection.buffer[0] == 0x16 and connection.buffer[5] == 2
        assert connection.buffer[11:43] != retry


@pytest.mark.parametrize("version", VERSIONS)
def test_the_cheapest_cipher_is_taken_whatever_the_client_prefers(secure, version, pair):
    server = secure()
    server.context = trusting(pair, version=version)
    offered = [cipher["name"] for cipher in server.context.get_ciphers()]
    assert "AES_256" in offered[0]
    with server.connect() as connection:
        cipher, _, bits = connection.socket.cipher()
        assert bits == 128 and "GCM_SHA256" in cipher.replace("-", "_")


@pytest.mark.parametrize("version", VERSIONS)
def test_sessions_are_resumed(secure, version, pair):
    server = secure()
    server.context = trusting(pair, version=version)
    with server.connect() as connection:
        connection.send(HEALTH)
        assert connection.answer().status == 200
        session = connection.socket.session
        assert not connection.socket.session_reused
        assert connection.socket.version() == version.name.replace("_", ".")
    with server.connect(session=session) as connection:
        assert connection.socket.session_reused
        connection.send(HEALTH)
        assert connection.answer().status == 200


def test_the_development_certificate_is_that_of_a_server_and_its_ca_is_trusted(sluice, folder):
    """Strict clients do not accept a CA certificate as a server's."""
    subprocess.run([ROOT / "tests/dev_cert.sh", folder / "dev"], check=True, capture_output=True)
    ca, cert, key = (str(folder / f"dev/{name}.pem") for name in ("ca", "cert", "key"))
    words = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca, cert]
    subprocess.run(words, check=True, capture_output=True)
    leaf = x509.load_pem_x509_certificate(open(cert, "rb").read())
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    server = sluice(http={"tls": {"cert_file": cert, "key_file": key}})
    server.context = ssl.create_default_context(cafile=ca)
    assert server.post(BODY).status == 200


def test_plain_requests_are_not_answered(secure):
    server = secure()
    with Connection(server.address, PATIENCE) as connection:
        connection.send(HEALTH)
        with pytest.raises(Closed) as closed:
            connection.answer()
        assert b"HTTP" not in closed.value.rest
    assert server.post(BODY).status == 200


OLD_HELLO = b"\x16\x03\x01\0\x2d\x01\0\0\x29\x03\x02" + bytes(32) + b"\0\0\x02\xc0\x09\x01\0"  # TLS 1.1


def give_up(connection):
    """Connect with a client that does not trust the certificate."""
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(connection.socket, server_hostname="localhost")


def begin_with(data):
    def send(connection):
        connection.send(data)
        with pytest.raises(Closed):
            while True:
                connection.more()

    return send


@pytest.mark.parametrize(
    ("reason", "begin"),
    [
        ("alert", give_up),
        ("not_tls", begin_with(HEALTH)),
        ("not_tls", begin_with(b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n")),
        ("server_name", begin_with(client_hello([X25519], (X25519, SHARES[X25519]), b"my_host"))),
        ("server_name", begin_with(client_hello([X25519], (X25519, SHARES[X25519]), b"host:80"))),
        ("unsupported", begin_with(OLD_HELLO)),
        ("late", begin_with(b"\x16\x03\x01\x02\0\x01\0")),
    ],
    ids=["a certificate that is not trusted", "HTTP", "PROXY", "_", ":", "TLS 1.1", "half"],
)
def test_a_handshake_that_fails_leaves_a_trace(secure, reason, begin):
    server = secure(http={"deadline": "1s"})
    with Connection(server.address, PATIENCE) as connection:
        begin(connection)
    line = server.wait_log(event="tls_handshake_failed")
    assert (line["reason"], line["client"]) == (reason, "127.0.0.1")
    assert reason != "alert" or line["detail"] == "CA is unknown"
    text = server.get("/metrics").body.decode()
    assert f'sluice_tls_handshake_failures_total{{reason="{reason}"}} 1\n' in text
    assert server.post(BODY).status == 200
    assert len([line for line in server.log() if line["event"] == "tls_handshake_failed"]) == 1


def test_a_length_that_is_none_is_refused_once(secure):
    """The HTTP library would answer by itself, twice. The server refuses before it, also over TLS."""
    server = secure()
    with server.connect() as connection:
        headers = {"Content-Length": "abc", "X-Request-Id": "r1"}
        connection.send(request("POST", "/events", b"{}", headers))
        answer = connection.answer()
        assert (answer.status, answer.header("X-Request-Id")) == (400, "r1")
        assert answer.json == {"error": "Bad Request"}
        assert connection.is_closed()


def test_large_bodies_and_answers(secure):
    server = secure()
    detail = {"interaction": {"id": "a", "start_time": "b", "attributes": {"x": "y" * 1800000}}}
    took = []
    while len(took) < 10 and min(took, default=60) > 0.6 * SLOW:  # a hundred records, one per turn of the loop
        began = time.monotonic()
        answer = server.post({"detail": detail})
        took.append(time.monotonic() - began)
        assert answer.status == 200
        assert len(answer.json["attributes"]["x"]) == 1800000
    assert min(took) < 0.6 * SLOW


def test_metrics_with_an_address_of_their_own_stay_plain(secure):
    server = secure(http={"metrics_listen": "127.0.0.1:0"})
    assert server.get("/metrics").status == 404
    with Connection(("127.0.0.1", server.ready["metrics_port"]), PATIENCE) as connection:
        connection.send(request("GET", "/metrics"))
        text = connection.answer("GET").body.decode()
    assert expiry(text) > time.time() + 9 * 86400


def test_the_certificate_changes_under_load(secure, pair, pairs, folder):
    server = secure(log={"level": "warn"})
    server.context = trusting(*pairs)
    done = threading.Event()
    failures, counts = [], [0, 0, 0]

    def client(index):
        while not done.is_set():
            try:
                assert server.post(BODY).status == 200
                counts[index] += 1
            except Exception as error:  # noqa: BLE001
                failures.append(error)

    threads = [threading.Thread(target=client, args=(i,)) for i in range(len(counts))]
    for thread in threads:
        thread.start()
    try:
        for number, other in enumerate(pairs[1:3], 1):
            wanted = ssl.PEM_cert_to_DER_cert(open(other["cert_file"]).read())
            put_pair(pair, copy(other, folder, f"new{number}"))
            deadline = time.monotonic() + PATIENCE
            served = None
            while served != wanted and time.monotonic() < deadline:
                with server.connect() as connection:
                    served = connection.socket.getpeercert(binary_form=True)
                time.sleep(0.05)
            assert served == wanted
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert min(counts) > 0
    assert expiry(server.get("/metrics").body.decode()) > time.time() + 11 * 86400


def test_a_connection_outlives_the_certificate_it_began_with(secure, pair, pairs, folder):
    server = secure()
    with server.connect() as connection:
        put_pair(pair, copy(pairs[1], folder, "new"))
        server.wait_log(event="tls_certificate_reloaded")
        connection.send(HEALTH)
        assert connection.answer().status == 200


def test_a_bad_pair_changes_nothing_and_is_told_once(secure, pair, pairs):
    server = secure()
    shutil.copy(pairs[1]["key_file"], pair["key_file"])
    line = server.wait_log(event="tls_certificate_refused")
    assert "the private key is not that of the certificate" in line["error"]
    time.sleep(2.5)  # the server checks the files twice in this time
    assert server.post(BODY).status == 200
    refused = [line for line in server.log() if line["event"] == "tls_certificate_refused"]
    assert len(refused) == 1


def test_a_handshake_has_a_deadline(secure):
    server = secure(http={"deadline": "300ms"})
    for half in (b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
        with Connection(server.address, PATIENCE) as connection:
            began = time.monotonic()
            connection.send(half)
            with pytest.raises(Closed):
                connection.more()
            assert 0.2 < time.monotonic() - began < 5 * SLOW


def test_after_the_handshake_a_client_may_think(secure):
    server = secure(http={"deadline": "300ms"})
    with server.connect() as connection:
        time.sleep(0.8)
        connection.send(HEALTH)
        assert connection.answer().status == 200
        time.sleep(0.8)
        connection.send(HEALTH)
        assert connection.answer().status == 200


def test_a_dripping_client_is_cut(secure):
    server = secure(http={"deadline": "300ms"})
    with server.connect() as connection:
        time.sleep(0.2)
        began = time.monotonic()
        with pytest.raises((Closed, OSError)):
            for byte in b"GET /healthz HTTP/1.1\r\nHost: " + b"a" * 10000:
                connection.send(bytes([byte]))
                time.sleep(0.02)
            raise AssertionError("it may drip for ever")
        assert 0.2 < time.monotonic() - began < 5 * SLOW


def test_noise_in_place_of_a_handshake(secure):
    server = secure()
    for noise in (b"\x00" * 100, b"\xff" * 5000, b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\r\n"):
        with Connection(server.address, PATIENCE) as connection:
            try:
                connection.send(noise)
                connection.socket.shutdown(socket.SHUT_WR)
                connection.answer()
            except (Closed, OSError):
                pass
    assert server.post(BODY).status == 200


def test_sigterm_lets_a_request_in_flight_finish(secure):
    server = secure()
    with server.connect() as idle, server.connect() as connection:
        connection.send(request("POST", "/events", BODY)[:-5])
        server.signal(signal.SIGTERM)
        server.wait_refused()  # from now on every answer has Connection: close
        connection.send(BODY[-5:])
        answer = connection.answer()
        assert (answer.status, answer.header("Connection").lower()) == (200, "close")
        assert idle.is_closed()
    server.stop()


def check(folder, tls):
    config = folder / "check.yaml"
    config.write_text(yaml.safe_dump(merge(defaults(), {"http": {"tls": tls}})))
    done = run("check", "-c", config, cwd=folder)
    return done.returncode, done.stdout, done.stderr


def test_check_says_what_is_wrong_with_the_pair(folder, pair, pairs, tmp_path):
    assert check(folder, pair) == (0, f"{folder}/check.yaml: ok\n", "")
    key = pairs[1]["key_file"]
    code, text, _ = check(folder, pair | {"key_file": key})
    assert code == 1
    assert f": http.tls.key_file: {key}: the private key is not that of the certificate\n" in text
    code, text, _ = check(folder, pair | {"cert_file": pair["key_file"]})
    assert code == 1 and "holds no certificate in PEM form" in text
    code, text, _ = check(folder, {"cert_file": pair["cert_file"]})
    assert code == 1 and ": http.tls: needs both files" in text
    (folder / "live.key_file").chmod(0o644)
    code, text, warnings = check(folder, pair)
    assert (code, text) == (0, f"{folder}/check.yaml: ok\n")
    assert warnings.startswith(f"warning: {folder}/check.yaml:") and "http.tls.key_file: " in warnings


def test_a_server_with_a_bad_pair_does_not_start(folder, pair, pairs):
    config = folder / "bad.yaml"
    tls = pair | {"key_file": pairs[1]["key_file"]}
    config.write_text(yaml.safe_dump(merge(defaults(), {"http": {"tls": tls}})))
    done = run("serve", "-c", config, cwd=folder)
    assert done.returncode == 3
    assert "http.tls: " in done.stderr and "private key is not that" in done.stderr


def test_new_connections_beside_requests_that_wait_for_the_store(secure):
    """The next bytes of a handshake may arrive while a suspended request is answered."""
    server = secure(http={"threads": 1}, store={"path": "var/sluice.db"}, log={"level": "warn"})
    failures = []

    def client():
        try:
            for _ in range(60):
                assert server.post(BODY).status == 200
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_half_a_record_keeps_no_processor_busy(secure):
    server = secure()
    connections = [server.connect() for _ in range(5)]
    for connection in connections:
        below = socket.socket(fileno=os.dup(connection.socket.fileno()))
        below.send(b"\x17\x03\x03\x40\x00abc")
        below.close()
    time.sleep(0.3)
    before = server.run_time()
    time.sleep(1)
    assert server.run_time() - before < 0.2 * SLOW
    for connection in connections:
        connection.close()


def test_half_a_handshake_keeps_no_processor_busy(secure):
    server = secure()
    connections = [Connection(server.address, PATIENCE) for _ in range(20)]
    for connection in connections:
        connection.send(b"\x16\x03\x01\x02\x00\x01\x00")
    assert server.post(BODY).status == 200
    before = server.run_time()
    time.sleep(1)
    assert server.run_time() - before < 0.2 * SLOW
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_reads_late_gets_every_answer(secure, version):
    """More answers than the kernel takes, the last of them with the end of the stream."""
    count = 3000
    server = secure(http={"deadline": "30s"})
    context = server.context
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", server.ready["port"]), PATIENCE) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        with context.wrap_socket(plain, server_hostname="localhost") as client:
            last = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

            def ask():
                for i in range(count):
                    client.sendall(last if i == count - 1 else HEALTH)

            asking = threading.Thread(target=ask)
            asking.start()
            time.sleep(1)
            text = b""
            while piece := client.recv(65536):
                text += piece
            asking.join()
    assert text.count(b"HTTP/1.1 200") == count and text.endswith(b'{"status":"ok"}')


def test_an_rsa_certificate_is_used_by_every_version(secure, folder, pair):
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=rsa"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", pair["key_file"], "-out", pair["cert_file"]]
    subprocess.run(["openssl", *words, *files], check=True, capture_output=True)
    server = secure()
    for version in VERSIONS:
        server.context = trusting(pair, version=version)
        assert server.get("/healthz").status == 200
