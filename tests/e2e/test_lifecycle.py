"""Start, stop and memory of the process."""

import json
import os
import resource
import signal
import subprocess
import time

import pytest
import yaml

from client import Closed, Connection, encode, request
from server import (
    BINARY,
    RELEASE,
    SLOW,
    Server,
    defaults,
    environment,
    merge,
    run,
    wait_for,
)

EVENT = {"detail": {"interaction": {"id": "a", "start_time": "b"}}}
HEAD = b"POST /events HTTP/1.1\r\nHost: a\r\n"


def in_flight(server, body):
    """A connection with a request in flight: the server has its headers and waits for the body."""
    connection = server.connect()
    connection.send(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
    connection.more()
    connection.buffer = b""
    return connection


def test_the_ready_line_says_where(shared):
    line = shared.ready
    assert list(line) == ["ts", "level", "event", "version", "address", "port", "tls"]
    assert (line["level"], line["event"], line["version"]) == ("info", "ready", "0.1.0")
    assert (line["address"], line["tls"]) == ("127.0.0.1", False)
    assert line["port"] > 0


def test_the_ready_line_as_text(sluice):
    server = sluice(log={"format": "text"})
    line = next(text for text in server.lines if " ready " in text)
    stamp, rest = line.rstrip("\n").split(" ", 1)
    assert len(stamp) == len("2026-11-23T06:22:01.123456Z")
    assert rest == f"info ready version=0.1.0 address=127.0.0.1 port={server.address[1]} tls=false"


def test_the_ready_line_comes_at_any_level(sluice):
    server = sluice(log={"level": "error"})
    server.get("/healthz")
    assert [line["event"] for line in server.log()] == ["ready"]


def test_ipv6_loopback(sluice):
    server = sluice(http={"listen": "[::1]:0"})
    assert server.ready["address"] == "::1"
    assert server.get("/healthz").status == 200


def test_sigterm_does_not_wait_for_idle_connections(sluice):
    server = sluice()
    with server.connect() as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.answer("GET").status == 200
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 3 * SLOW


def test_sigterm_lets_a_request_in_flight_finish(sluice):
    server = sluice()
    body = encode(EVENT)
    with in_flight(server, body) as connection:
        server.signal(signal.SIGTERM)
        server.wait_refused()
        connection.send(body)
        answer = connection.answer()
        assert (answer.status, answer.header("Connection").lower()) == (200, "close")
        assert connection.is_closed()
    server.stop()


def test_drain_delay_tells_the_balancer_first(sluice):
    server = sluice(http={"drain_delay": "1s"})
    server.signal(signal.SIGTERM)
    for _ in range(100):
        answer = server.get("/readyz")
        if answer.status == 503:
            break
        time.sleep(0.005)
    assert answer.status == 503
    assert answer.json["ready"] is False
    assert answer.json["checks"]["draining"]["ok"] is False
    assert server.get("/healthz").status == 200
    server.wait()
    server.stop()


def test_a_second_sigterm_ends_it_at_once(sluice):
    server = sluice(http={"deadline": "60s"})
    with in_flight(server, b"{}"):
        server.signal(signal.SIGTERM)
        server.wait_log(event="stopping")
        began = time.monotonic()
        while server.process.poll() is None:  # within a second it counts as the first signal
            server.signal(signal.SIGTERM)
            time.sleep(0.02)
        assert time.monotonic() - began < 5 * SLOW  # a complete drain takes ten seconds
    server.discard()


@pytest.mark.skipif(not RELEASE, reason="sanitizers have a signal handler of their own")
def test_it_leaves_no_core_dump(sluice):
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        server = sluice()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    server.signal(signal.SIGABRT)  # not SIGQUIT, which background processes of a shell ignore
    ended = os.waitid(os.P_PID, server.process.pid, os.WEXITED | os.WNOWAIT)
    assert (ended.si_code, ended.si_status) == (os.CLD_KILLED, signal.SIGABRT)
    server.discard()


def test_a_sigterm_that_comes_twice_at_once_counts_once(sluice):
    """`timeout` sends SIGTERM to the process and to its group."""
    server = sluice()
    body = encode(EVENT)
    with in_flight(server, body) as connection:
        server.signal(signal.SIGTERM)
        server.wait_log(event="stopping")
        server.signal(signal.SIGTERM)
        connection.send(body)
        assert connection.answer().status == 200
    server.stop()


def test_a_drain_ends_though_a_client_never_finishes(sluice):
    server = sluice(http={"deadline": "500ms"})
    with in_flight(server, b"{}") as connection:
        server.signal(signal.SIGTERM)
        with pytest.raises((Closed, ConnectionError)):
            connection.answer()
        server.stop()


def test_no_request_is_lost_when_it_stops_under_load(sluice):
    """Every request that was sent completely gets its answer, or the connection closes without one."""
    server = sluice()
    body = encode(EVENT)
    connections = [server.connect() for _ in range(40)]
    for connection in connections:
        connection.send(request("POST", "/events", body))
    server.signal(signal.SIGTERM)
    for connection in connections:
        try:
            assert connection.answer().status in (200, 503)
        except Closed as closed:
            assert closed.rest == b""  # never a part of an answer
        connection.close()
    server.stop()


def test_a_busy_port_is_3(sluice, folder):
    server = sluice()
    listen = f"127.0.0.1:{server.address[1]}"
    config = folder / "second.yaml"
    config.write_text(yaml.safe_dump(merge(defaults(), {"http": {"listen": listen}})))
    result = run("serve", "-c", config, cwd=folder)
    assert result.returncode == 3
    assert "ready" not in result.stdout
    assert listen in result.stderr


def test_it_listens_again_right_after_it_stopped(sluice, folder):
    first = sluice()
    first.get("/healthz")
    first.stop()
    listen = f"127.0.0.1:{first.address[1]}"
    assert sluice(http={"listen": listen}).get("/healthz").status == 200


def test_a_changed_secret_is_read_again(sluice, secret):
    path = secret("alpha")
    server = sluice(auth={"api_keys": [{"header": "x-api-key", "value_file": path}]})
    assert server.post(EVENT, headers={"x-api-key": "alpha"}).status == 200
    with open(path, "w", encoding="utf-8") as file:
        file.write("beta")
    wait_for(lambda: server.post(EVENT, headers={"x-api-key": "beta"}).status == 200)
    assert server.post(EVENT, headers={"x-api-key": "alpha"}).status == 401


def test_serve_is_the_default_command(folder):
    config = folder / "sluice.yaml"
    config.write_text(yaml.safe_dump(defaults()))
    process = subprocess.Popen(
        [str(BINARY), "-c", str(config)],
        cwd=folder,
        text=True,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert any('"event":"ready"' in line for line in process.stdout)
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_it_is_ready_in_milliseconds(folder):
    """Of CPU time; how long that takes depends on what else the machine does."""
    server = Server(folder, defaults()).wait_ready()
    took = server.run_time()
    server.stop()
    assert took < 0.050 * SLOW
    assert server.ready_after < 5 * SLOW


@pytest.mark.skipif(not RELEASE, reason="measures memory")
def test_it_is_small_when_idle(sluice):
    memory = sluice().memory()
    assert memory["RssAnon"] <= 6 * 1024
    assert memory["VmRSS"] <= 24 * 1024


@pytest.mark.skipif(not RELEASE, reason="measures memory")
def test_it_stays_small_under_load(sluice):
    server = sluice()
    data = request("POST", "/events", encode(EVENT)) * 50
    with server.connect() as connection:
        for round_ in range(40):
            connection.send(data)
            for _ in range(50):
                assert connection.answer().status == 200
            if round_ == 5:
                early = server.memory()["RssAnon"]
    assert server.memory()["RssAnon"] <= early + 512


def test_a_log_without_a_reader_stops_nothing(folder):
    (folder / "quiet.yaml").write_text(yaml.safe_dump(defaults()))
    process = subprocess.Popen(
        [BINARY, "serve", "-c", "quiet.yaml"], cwd=folder, env=environment(), stdout=subprocess.PIPE
    )
    try:
        ready = b""
        while not ready.endswith(b"\n"):
            ready += process.stdout.read1(1)
        address = ("127.0.0.1", json.loads(ready)["port"])
        with Connection(address, 30) as connection:
            for _ in range(8000):  # more lines than the pipe and the server's queue hold
                connection.send(request("GET", "/healthz"))
                assert connection.answer("GET").status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
