"""make attack-test: attacks by bad clients must not disturb a good client.

The attacks: the four of slowhttptest; a flood of our own, also over TLS (thousands of connections that idle, stop
within a request or handshake, send slowly, or reset); and more one-byte connections than the server allows.
Meanwhile a good client posts over new connections: none may fail, and p99 must be below 100 ms. Memory must stay
bounded, and all descriptors must be closed at the end.

    attack.py PROGRAM [--seconds 6] [--connections 2000]
"""

import argparse
import json
import multiprocessing
import pathlib
import random
import resource
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/attack"
CERT, KEY, CA = (ROOT / f"build/dev-cert/{name}.pem" for name in ("cert", "key", "ca"))
P99_MS = 100
MEMORY_MIB = 256  # limit of the memory added during an attack
DEADLINE, IDLE = 4, 8  # seconds; the server's `deadline` and `idle_timeout`

SLOWHTTPTEST = {
    "slow headers": ["-H", "-i", "1"],
    "slow body": ["-B", "-i", "1", "-s", "8192", "-t", "POST"],
    "range": ["-R", "-a", "10", "-b", "3000", "-t", "HEAD"],
    "slow read": ["-X", "-w", "1", "-y", "2", "-n", "1", "-z", "1", "-k", "3"],
}


class Server:
    def __init__(self, program, tls=False, **limits):
        self.tls = tls
        http = limits | {
            "listen": "127.0.0.1:0",
            "threads": 2,
            "deadline": f"{DEADLINE}s",
            "idle_timeout": f"{IDLE}s",
        }
        if tls:
            http["tls"] = {"cert_file": str(CERT), "key_file": str(KEY)}
        config = WORK / "sluice.json"
        config.write_text(
            json.dumps(
                {"http": http, "store": {"path": ""}, "sinks": [], "log": {"level": "error"}}
            )
        )
        self.process = subprocess.Popen(
            [program, "serve", "-c", config], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        self.port = json.loads(self.process.stdout.readline())["port"]
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.context = ssl.create_default_context(cafile=str(CA)) if tls else None

    def url(self):
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/events"

    def descriptors(self):
        return len(list(pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def memory_mib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
        return 0

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)


class Good(threading.Thread):
    """Posts events one after another, each over a new connection."""

    def __init__(self, server, event):
        super().__init__(daemon=True)
        self.server = server
        self.request = (
            b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(event) + event
        )
        self.times, self.failures = [], []
        self.done = threading.Event()

    def once(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            context = self.server.context
            sock = context.wrap_socket(raw, server_hostname="localhost") if context else raw
            sock.sendall(self.request)
            answer = b""
            while piece := sock.recv(65536):
                answer += piece
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise OSError(f"answered {answer[:60]!r}")

    def run(self):
        while not self.done.is_set():
            began = time.monotonic()
            try:
                self.once()
                self.times.append(time.monotonic() - began)
            except OSError as error:
                self.failures.append(repr(error))
            time.sleep(0.002)


def slowhttptest(port, url, options, args):
    command = ["slowhttptest", *options, "-c", str(args.connections), "-r", "500"]
    subprocess.run(
        [*command, "-l", str(args.seconds), "-p", "3", "-u", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=args.seconds + 60,
    )


HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 32
HALVES = [
    b"",
    b"P",
    b"POST /events HTTP/1.1\r\nHost: h\r\n",
    b"POST /events HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{",
    b"POST /events HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{",
    HELLO,
]
RESET = struct.pack("ii", 1, 0)  # struct linger with time 0: close() resets the connection


def bad_connection(port):
    sock = socket.socket()
    sock.settimeout(5)
    sock.connect(("127.0.0.1", port))
    return sock


def drip(held):
    for sock in random.sample(held, min(len(held), 500)):
        try:
            sock.send(b"a")
        except OSError:
            pass  # the server has cut it, as it should


def own_flood(port, _url, _options, args):
    """Open connections, stop within a request, send slowly, reset, open again."""
    held = []
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        for _ in range(100):
            try:
                sock = bad_connection(port)
                sock.sendall(random.choice(HALVES))
            except OSError:
                continue
            if random.random() < 0.2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                sock.close()
            else:
                held.append(sock)
        drip(held)
        while len(held) > args.connections:
            held.pop(random.randrange(len(held))).close()
        time.sleep(0.05)
    for sock in held:
        sock.close()


def one_byte_flood(port, _url, _options, args):
    """Keep opening connections, more than the server allows, and send one byte on each."""
    held = []
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        for _ in range(50):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            held.append(sock)
        time.sleep(0.05)
        for sock in held[-50:]:
            try:
                sock.send(b"P")
            except OSError:
                pass  # not accepted yet, or cut
        while len(held) > 2500:
            held.pop(0).close()
    for sock in held:
        sock.close()


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def until_back(server, before):
    """Wait until the bad connections are closed, which takes at most the idle time-out. Returns the number of
    descriptors."""
    end = time.monotonic() + DEADLINE + IDLE + 5
    while server.descriptors() > before and time.monotonic() < end:
        time.sleep(0.1)
    return server.descriptors()


def attack(server, event, name, run, options, args):
    """Run one attack and print the result. True: all limits were kept."""
    before = server.descriptors(), server.memory_mib()
    good = Good(server, event)
    good.start()
    # A separate process, so that the attack does not slow down the good client's interpreter.
    bad = multiprocessing.Process(target=run, args=(server.port, server.url(), options, args))
    bad.start()
    bad.join()
    peak = server.memory_mib()
    good.done.set()
    good.join()
    after = until_back(server, before[0])
    p99 = percentile(good.times, 0.99) * 1000 if good.times else float("inf")
    wrong = []
    if good.failures:
        wrong.append(f"{len(good.failures)} failures, the first: {good.failures[0]}")
    if p99 >= P99_MS:
        wrong.append("too slow")
    if peak - before[1] > MEMORY_MIB:
        wrong.append("too much memory")
    if after > before[0]:
        wrong.append("descriptors are missing")
    print(
        f"  {'FAIL' if wrong else 'ok  '}  {'TLS' if server.tls else 'plain':5} {name:14}"
        f" {len(good.times):6} answers, p99 {p99:5.1f} ms, +{peak - before[1]:5.1f} MiB,"
        f" descriptors {before[0]} -> {after}" + "".join(f"; {what}" for what in wrong),
        flush=True,
    )
    return not wrong


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--connections", type=int, default=2000)
    args = options.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    args.connections = min(args.connections, most // 4)
    WORK.mkdir(parents=True, exist_ok=True)
    sample = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
    event = json.dumps(sample, separators=(",", ":")).encode()
    attacks = [("own flood", own_flood, None)]
    if shutil.which("slowhttptest"):
        attacks = [(name, slowhttptest, what) for name, what in SLOWHTTPTEST.items()] + attacks
    good = True
    for tls in (False, True):
        server = Server(args.program, tls)
        try:
            for name, run, what in attacks if not tls else attacks[-1:]:
                good &= attack(server, event, name, run, what, args)
        finally:
            good &= server.stop() == 0
    server = Server(args.program, max_connections=800)
    try:
        good &= attack(server, event, "scarce slots", one_byte_flood, None, args)
    finally:
        good &= server.stop() == 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
