"""The interface to the service manager, which the test plays, and the shipped units."""

import select
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from client import Connection, encode, request
from server import PATIENCE, ROOT, Server, defaults, merge, put_schema, route, run

BODY = encode({"detail": {"interaction": {"id": "a", "start_time": "b"}}})


class Manager:
    """Listens on NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(self.path)

    def hear(self):
        return self.socket.recv(4096).decode().split("\n")


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.socket.close()


def test_the_manager_hears_of_start_reload_and_stop(sluice, manager):
    server = sluice(env={"NOTIFY_SOCKET": manager.path})
    assert manager.hear() == ["READY=1"]
    server.signal(signal.SIGHUP)
    first, second = manager.hear()
    assert first == "RELOADING=1"
    assert int(second.removeprefix("MONOTONIC_USEC=")) > 0
    assert manager.hear() == ["READY=1"]
    server.signal(signal.SIGTERM)
    assert manager.hear() == ["STOPPING=1"]
    server.stop()


def test_the_watchdog_is_fed_while_the_loops_turn(sluice, manager):
    server = sluice(env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"})
    assert manager.hear() == ["READY=1"]
    for _ in range(4):
        assert manager.hear() == ["WATCHDOG=1"]
    assert server.post(BODY).status == 200


def test_the_watchdog_is_fed_while_checks_are_costly(folder, sluice, manager):
    put_schema(folder, "Costly", {"items": {"anyOf": [{"pattern": "^(\\w+\\s?)+$"}, {"maxLength": 40}]}})
    server = sluice(
        env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"},
        http={"deadline": "60s"},
        validation={"budget": "10m"},
        routes=[route(schema="Costly")],
    )
    assert manager.hear() == ["READY=1"]
    senders = [server.connect() for _ in range(8)]
    for sender in senders:
        sender.send(request("POST", "/events", encode({"detail": ["a" * 13 + "!"] * 30_000})))
    for _ in range(6):
        assert manager.hear() == ["WATCHDOG=1"]
    assert not select.select([sender.socket for sender in senders], [], [], 0)[0]  # all are still being checked
    for sender in senders:
        sender.close()
    server.discard()  # a drain would wait for the checks


def test_the_watchdog_is_not_fed_for_another_process(sluice, manager):
    sluice(env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    assert manager.hear() == ["READY=1"]
    manager.socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        manager.hear()


# Replaces itself by the server: LISTEN_PID must be the server's process id. Sockets begin at descriptor 3.
ACTIVATE = """
import os, sys
given = [os.dup(int(number)) for number in sys.argv[1].split(",")]
given = [os.dup2(fd, 100 + i) for i, fd in enumerate(given)]
for i, fd in enumerate(given):
    os.dup2(fd, 3 + i)
    os.close(fd)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


def activated(folder, sockets, names, config):
    fds = [one.fileno() for one in sockets]
    return Server(
        folder,
        config,
        env={"LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": names},
        prefix=[sys.executable, "-c", ACTIVATE, ",".join(map(str, fds))],
        fds=fds,
    )


def test_sockets_of_the_manager_are_used(folder):
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(
        ("127.0.0.1", 0)
    ) as second:
        with Connection(second.getsockname(), PATIENCE) as early:  # before the server has started
            early.send(request("POST", "/events", BODY))
            config = merge(defaults(), {"http": {"listen": "127.0.0.1:1"}})
            server = activated(folder, [first, second], "metrics:sluice.socket", config)
            server.wait_ready()
            assert early.answer().status == 200
        assert server.address == second.getsockname()
        assert server.ready["metrics_port"] == first.getsockname()[1]
        with Connection(first.getsockname(), PATIENCE) as connection:
            connection.send(request("GET", "/metrics"))
            assert connection.answer().status == 200
        server.stop()
        # The manager owns the port: it stays open for the next process.
        Connection(second.getsockname(), PATIENCE).close()


def test_health_finds_the_socket_of_the_manager(folder):
    with socket.create_server(("127.0.0.1", 0)) as given:
        config = merge(
            defaults(), {"http": {"listen": "127.0.0.1:1"}, "store": {"path": "var/sluice.db"}}
        )
        server = activated(folder, [given], "sluice.socket", config).wait_ready()
        asked = run("health", "-c", server.file, cwd=folder)
        assert (asked.returncode, asked.stderr) == (0, "")
        server.stop()
    asked = run("health", "-c", server.file, cwd=folder)
    assert asked.returncode == 1 and "127.0.0.1:1" in asked.stderr


def test_a_socket_does_not_open_the_server_to_everybody(folder):
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        server = activated(folder, [everywhere], "sluice.socket", defaults())
        assert server.wait() == 3
        assert "no credential is configured" in server.stderr()


@pytest.mark.parametrize("names", ["sluice.socket:sluice.socket", "metrics:metrics"])
def test_a_socket_that_nobody_would_serve_is_refused(folder, names):
    """Two ListenStream= lines in one unit have this effect."""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(
        ("127.0.0.1", 0)
    ) as second:
        server = activated(folder, [first, second], names, defaults())
        assert server.wait() == 3
        assert "socket 4 of the service manager is one too many" in server.stderr()


UNITS = ROOT / "conf/deploy"
ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(not ANALYZE, reason="no systemd-analyze")
def test_the_unit_is_locked_up():
    done = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--threshold=20", UNITS / "sluice.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.splitlines()[-1]


@pytest.mark.skipif(not ANALYZE, reason="no systemd-analyze")
def test_the_units_are_understood(tmp_path, folder):
    for name in ("sluice.service", "sluice.socket"):
        text = (UNITS / name).read_text().replace("/usr/local/bin/sluice", "/bin/true")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", tmp_path / "sluice.service", tmp_path / "sluice.socket"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "sluice" in line]
    assert (done.returncode, said) == (0, [])
