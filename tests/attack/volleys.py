"""make attack-test, second part: many legal but costly requests of one sender at once ("volleys") must not
disturb another sender, and must not cause wrong verdicts.

    volleys.py PROGRAM [NAME...]

Each volley has its own server. Meanwhile a good sender posts the sample event over new connections. There are
limits for its slowest answer and its failures, and for the server's memory. Prints a line for
each volley; the exit status is 1 when one fails.
"""

import http.server
import json
import multiprocessing
import os
import pathlib
import resource
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/attack"
WORST_MS = 1000  # slowest answer to the good sender; on an idle machine 250
DEADLINE = 4  # seconds; the server's `deadline`
COSTLY = {"items": {"anyOf": [{"pattern": "^(\\w+\\s?)+$"}, {"maxLength": 40}]}}
SAMPLE = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
REGISTRY = "GenesysInteractionRegistry"


def post(body):
    return (
        b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    ) + body


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Server:
    def __init__(self, program, name, nofile=None, **changes):
        self.folder = WORK / name
        schemas = self.folder / "schemas" / REGISTRY
        schemas.mkdir(parents=True, exist_ok=True)
        shipped = ROOT / "conf/schemas" / REGISTRY / "InteractionStartedSchema.json"
        (schemas / "InteractionStartedSchema.json").write_text(shipped.read_text())
        (schemas / "Costly.json").write_text(json.dumps(COSTLY))
        transform = str(ROOT / "conf/transforms/interaction.started.yaml")
        routes = [
            {"match": match, "registry": REGISTRY, "schema": schema, "transform": transform}
            for match, schema in (
                ({"source": "costly"}, "Costly"),
                ({"source": "*"}, "InteractionStartedSchema"),
            )
        ]
        config = {
            "http": {"listen": "127.0.0.1:0", "threads": 2, "deadline": f"{DEADLINE}s"},
            "registry": {"dir": str(self.folder / "schemas")},
            "routes": routes,
            "store": {"path": ""},
            "sinks": [],
            "log": {"level": "error"},
        }
        for key, value in changes.items():
            config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
        file = self.folder / "sluice.json"
        file.write_text(json.dumps(config))
        limit = nofile and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile)))
        self.process = subprocess.Popen(
            [program, "serve", "-c", file],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "none"},
            preexec_fn=limit,
        )
        self.lines = []
        for line in self.process.stdout:
            ready = json.loads(line)
            if ready["event"] == "ready":
                break
        self.port = ready["port"]
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def memory_mib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
        return 0

    def connect(self, timeout=60):
        sock = socket.socket()
        sock.settimeout(timeout)
        sock.connect(("127.0.0.1", self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def ask(self, request, timeout=60):
        """Status and body of the answer; status 0: the connection was closed without one."""
        answer = b""
        with self.connect(timeout) as sock:
            try:
                sock.sendall(request)
                while piece := sock.recv(65536):
                    answer += piece
            except ConnectionError:
                pass
        if not answer:
            return 0, b""
        return int(answer.split(b" ", 2)[1]), answer.partition(b"\r\n\r\n")[2]

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Good:
    """A well-behaved sender."""

    def __init__(self, server):
        self.server, self.times, self.failures = server, [], []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def _run(self):
        request = post(compact(SAMPLE))
        while not self.done.is_set():
            began = time.monotonic()
            try:
                status, body = self.server.ask(request, timeout=30)
                if status != 200:
                    self.failures.append((status, body[:100]))
            except OSError as error:
                self.failures.append(repr(error))
            self.times.append(time.monotonic() - began)
            time.sleep(0.005)

    def worst_ms(self):
        return max(self.times) * 1000


def volley(server, requests):
    """Send all requests at once, each on its own connection. Returns the number of answers by status."""
    socks = [server.connect() for _ in requests]
    for sock, request in zip(socks, requests):
        threading.Thread(target=sock.sendall, args=(request,), daemon=True).start()
    statuses = {}
    for sock in socks:
        answer = b""
        try:
            while piece := sock.recv(65536):
                answer += piece
        except OSError:
            pass
        status = int(answer.split(b" ", 2)[1]) if answer else 0
        statuses[status] = statuses.get(status, 0) + 1
        sock.close()
    return statuses


def report(name, wrong, text):
    print(f"  {'FAIL' if wrong else 'ok  '}  {name:18} {text}" + "".join(f"; {w}" for w in wrong),
          flush=True)
    return not wrong


def judge(good, wrong):
    if good.failures:
        wrong.append(f"{len(good.failures)} of {len(good.times)} good posts failed: "
                     f"{good.failures[0]}")
    if good.worst_ms() > WORST_MS:
        wrong.append("the good sender waited")
    return wrong


def costly_event(strings=3000):
    return compact({"id": "c", "source": "costly", "detail": ["a" * 13 + "!"] * strings})


def costly_checks(program):
    """100 events at once; the validation of each uses its complete budget of 0.2 s."""
    server = Server(program, "costly", validation={"budget": "200ms"})
    bodies = [costly_event()] * 100
    with Good(server) as good:
        began = time.monotonic()
        statuses = volley(server, [post(body) for body in bodies])
        took = time.monotonic() - began
    wrong = judge(good, [])
    if statuses.get(0):
        wrong.append(f"{statuses[0]} without an answer")
    if took > DEADLINE + 2:
        wrong.append("answers came after the deadline")
    wrong += ["it did not end well"] if server.stop() else []
    return report("costly checks", wrong,
                  f"worst {good.worst_ms():6.1f} ms, statuses {statuses}, {took:.1f} s")


def large_bodies(program):
    """150 bodies of 390 KB that consist of empty objects."""
    server = Server(program, "large")
    body = b'{"detail":[' + b"{}," * 130_000 + b"{}]}"
    with Good(server) as good:
        began = time.monotonic()
        statuses = volley(server, [post(body)] * 150)
        took = time.monotonic() - began
    wrong = judge(good, [])
    if took > DEADLINE + 2:
        wrong.append("answers came after the deadline")
    wrong += ["it did not end well"] if server.stop() else []
    return report("large bodies", wrong,
                  f"worst {good.worst_ms():6.1f} ms, statuses {statuses}, {took:.1f} s")


def poisoned_array(program):
    """Costly elements before a good one in an array: the good one is accepted, and each costly one gets a final 400
    in one of the attempts."""
    server = Server(program, "poisoned", validation={"budget": "200ms"})
    costly = [json.loads(costly_event()) | {"id": f"c{n}"} for n in range(8)]
    body = compact(costly + [SAMPLE | {"id": "good"}])
    refused, attempts, good = set(), 0, None
    while len(refused) < len(costly) and attempts < 12:
        attempts += 1
        status, answer = server.ask(post(body))
        for one in json.loads(answer).get("results", []):
            if one["id"] == "good":
                good = one["status"] if good in (None, 200) else good
            elif one["status"] == 400:
                refused.add(one["id"])
    wrong = [] if good == 200 else [f"the good one is {good}"]
    if len(refused) < len(costly):
        wrong.append("a costly element never had its turn")
    wrong += ["it did not end well"] if server.stop() else []
    return report("poisoned array", wrong, f"{len(refused)} refused in {attempts} attempts")


class SlowGlue(http.server.ThreadingHTTPServer):
    """An endpoint that accepts requests and answers only after `release` is set."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        release = self.release = threading.Event()

        class Silent(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                release.wait(60)
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Silent)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # clients may close the connection


def unknown_schema(program):
    """100 bodies of 64 KB of empty objects wait for a schema: memory stays near their size."""
    glue = SlowGlue()
    server = Server(
        program,
        "unknown",
        registry={"kind": "glue", "cache_dir": str(WORK / "unknown/cache")},
        aws={"region": "eu-central-1", "endpoint_url": f"http://127.0.0.1:{glue.server_port}"},
    )
    before = server.memory_mib()
    body = b'{"detail":[' + b"{}," * 21_000 + b"{}]}"
    peak, done = [0], threading.Event()

    def watch():
        while not done.is_set():
            peak[0] = max(peak[0], server.memory_mib())
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    statuses = volley(server, [post(body)] * 100)
    done.set()
    watcher.join()
    end = time.monotonic() + 5
    while server.memory_mib() - before > 16 and time.monotonic() < end:
        time.sleep(0.05)
    after = server.memory_mib() - before
    wrong = []
    if peak[0] - before > 100:
        wrong.append("too much memory")
    if after > 16:
        wrong.append("memory was kept")
    glue.release.set()
    wrong += ["it did not end well"] if server.stop() else []
    return report("unknown schema", wrong,
                  f"peak +{peak[0] - before:.0f} MiB, kept +{after:.0f} MiB, statuses {statuses}")


MIB = 1024 * 1024


def announced_bodies(program):
    """48 senders announce a body of 2 MiB and send no byte of it."""
    server = Server(program, "announced")
    head = b"POST /events HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (2 * MIB)
    held = [server.connect() for _ in range(48)]
    for sock in held:
        sock.sendall(head)
    with Good(server) as good:
        time.sleep(DEADLINE - 1)
    for sock in held:
        sock.close()
    wrong = judge(good, [])
    wrong += ["it did not end well"] if server.stop() else []
    return report("announced bodies", wrong,
                  f"worst {good.worst_ms():6.1f} ms, {len(good.times)} good posts")


def hold_one_byte(port, count):
    """Keep `count` connections open, each with one byte of a request; replace the oldest by new ones."""
    held = []
    while True:
        sock = socket.socket()
        sock.settimeout(1)
        try:
            sock.connect(("127.0.0.1", port))
            sock.send(b"P")
            held.append(sock)
        except OSError:
            sock.close()
        if len(held) > count:
            held.pop(0).close()


def one_byte_each(program):
    """Keep 2,500 connections with one byte each, while the server may have 1,024 descriptors."""
    server = Server(program, "one_byte", nofile=1024)
    flood = multiprocessing.Process(target=hold_one_byte, args=(server.port, 2500), daemon=True)
    flood.start()
    time.sleep(1)
    with Good(server) as good:
        time.sleep(6)
    flood.terminate()
    flood.join()
    wrong = judge(good, [])
    wrong += ["it did not end well"] if server.stop() else []
    return report("one byte each", wrong,
                  f"worst {good.worst_ms():6.1f} ms, {len(good.times)} good posts")


VOLLEYS = [costly_checks, large_bodies, poisoned_array, announced_bodies, unknown_schema,
           one_byte_each]


def main():
    program, *names = sys.argv[1:]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    good = True
    for one in VOLLEYS:
        if not names or one.__name__ in names:
            good &= one(program)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
