"""The server as a child process: configuration, log lines, requests, a clean exit."""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import yaml

from client import Connection, encode, request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = (ROOT / os.environ.get("SLUICE_BIN", "build/sluice")).absolute()
MODE = BINARY.resolve().parent.name  # release, debug, asan, ...
RELEASE = MODE == "release"
SLOW = {"asan": 10, "tsan": 20, "coverage": 4, "debug": 4}.get(MODE, 1)  # factor for time limits
PATIENCE = 20 * (1 if RELEASE else 3)  # seconds; longest wait of a test

REGISTRY = "GenesysInteractionRegistry"
SCHEMA = "InteractionStartedSchema"

# The members of the record of the shipped transform, in order.
RECORD = [
    "interaction_id",
    "start_time",
    "channel_type",
    "queue_id",
    "queue_name",
    "customer_email",
    "customer_name",
    "attributes",
    "processed_at",
]


def environment(extra=None):
    """The environment of the server, without variables of the test run that change its settings."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLUICE_", "AWS_")) and not name.lower().endswith("_proxy")
    }
    env["AWS_CONFIG_FILE"] = "/nonexistent"  # not ~/.aws/config, which may have a region
    if MODE == "tsan":
        env["TSAN_OPTIONS"] = "atexit_sleep_ms=0"
    env.update(extra or {})
    return env


def merge(base, changes):
    """Merge `changes` into `base`, mapping by mapping. Lists and scalars are replaced."""
    out = dict(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merge(out[key], value)
        else:
            out[key] = value
    return out


def defaults():
    http = {"listen": "127.0.0.1:0", "threads": 2}
    if not RELEASE:
        http["deadline"] = "20s"  # instead of 4 s, for a slow build on a busy machine
    return {"http": http, "store": {"path": ""}}


def furnish(folder):
    """Copy the shipped schemas and transforms into a working directory."""
    for name in ("schemas", "transforms"):
        shutil.copytree(ROOT / "conf" / name, folder / "conf" / name, dirs_exist_ok=True)


def run(*args, cwd, stdin=None, env=None, timeout=PATIENCE):
    """Run one command; its output is text unless `stdin` is bytes."""
    return subprocess.run(
        [str(BINARY), *map(str, args)],
        cwd=cwd,
        input=stdin,
        env=environment(env),
        capture_output=True,
        text=not isinstance(stdin, bytes),
        timeout=timeout,
        check=False,
    )


def wait_for(condition, what="it", patience=PATIENCE):
    """Call `condition()` until its result is true. Returns the result."""
    deadline = time.monotonic() + patience
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what} does not come"
        time.sleep(0.02)
    return answer


class Server:
    def __init__(
        self, folder, config, env=None, text=None, nofile=None, prefix=(), fds=()
    ):
        self.folder = folder
        self.file = folder / "sluice.yaml"
        self.file.write_text(text if text is not None else yaml.safe_dump(config, sort_keys=False))
        self.lines = []  # lines of standard output
        self.news = threading.Condition()
        self.stderr_file = folder / "stderr"
        self.checked = False
        self.context = None  # SSL context, for a server with TLS
        self.asked = False  # SIGTERM was sent
        self.env = env
        self.started = time.monotonic()
        with open(self.stderr_file, "wb") as stderr:
            self.process = subprocess.Popen(
                [*prefix, str(BINARY), "serve", "-c", str(self.file)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment(env),
                pass_fds=fds,
                preexec_fn=nofile
                and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))),
            )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    # The log.

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.decode())
                self.news.notify_all()
        with self.news:
            self.lines.append(None)
            self.news.notify_all()

    def stderr(self):
        return self.stderr_file.read_text(errors="replace")[:4000]

    def wait_ready(self):
        """Wait for the log line `ready`, which has the address."""
        line = self.wait_text(lambda text: '"event":"ready"' in text or " ready " in text)
        self.ready_after = time.monotonic() - self.started
        if line.startswith("{"):
            self.ready = json.loads(line)
        else:
            self.ready = dict(re.findall(r"(\w+)=(\S+)", line))
        self.address = (self.ready["address"], int(self.ready["port"]))
        return self

    def wait_text(self, wanted, patience=PATIENCE):
        """Wait for the first log line that `wanted` accepts."""
        deadline = time.monotonic() + patience
        at = 0
        with self.news:
            while True:
                while at < len(self.lines):
                    line = self.lines[at]
                    at += 1
                    if line is None:
                        code = self.process.wait()
                        raise AssertionError(f"the server left with {code}: {self.stderr()}")
                    if wanted(line):
                        return line
                left = deadline - time.monotonic()
                assert left > 0, f"no such log line among {self.lines}; {self.stderr()}"
                self.news.wait(left)

    def wait_log(self, patience=PATIENCE, **fields):
        """Wait for the first JSON log line with these fields."""

        def wanted(text):
            line = json.loads(text)
            return all(line.get(key) == value for key, value in fields.items())

        return json.loads(self.wait_text(wanted, patience))

    def log(self):
        """All complete log lines so far, parsed."""
        with self.news:
            return [json.loads(line) for line in self.lines if line is not None]

    # Requests.

    def connect(self, timeout=PATIENCE, session=None, **more):
        return Connection(self.address, timeout, self.context, session, **more)

    def request(self, method, path, body=None, headers=None):
        with self.connect() as connection:
            connection.send(request(method, path, encode(body), headers))
            return connection.answer(method)

    def get(self, path, headers=None):
        return self.request("GET", path, None, headers)

    def post(self, body, path="/events", headers=None):
        return self.request("POST", path, body, headers)

    def metric(self, name):
        """The value of a metric; `name` includes the labels, if there are any."""
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"no metric {name}")

    def raw(self, data, method="POST"):
        """Send these bytes on a new connection. Returns the first answer."""
        with self.connect() as connection:
            connection.send(data)
            return connection.answer(method)

    # The process.

    def memory(self):
        """RSS and its anonymous part, in KiB."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {key: int(re.search(rf"{key}:\s+(\d+)", text)[1]) for key in ("VmRSS", "RssAnon")}

    def run_time(self):
        """CPU time so far, in seconds."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def has_low_priority(self, name):
        """Is the thread with this name nicer than the process, as far as the system goes?"""
        tasks = list(pathlib.Path(f"/proc/{self.process.pid}/task").iterdir())
        own = os.getpriority(os.PRIO_PROCESS, self.process.pid)
        [found] = [task.name for task in tasks if (task / "comm").read_text().strip() == name]
        return os.getpriority(os.PRIO_PROCESS, int(found)) == min(own + 10, 19)

    def wait_refused(self):
        """Wait until connections are refused."""
        for _ in range(500):
            try:
                socket.create_connection(self.address, timeout=1).close()
            except OSError:
                return
            time.sleep(0.01)
        raise AssertionError("still listening")

    def signal(self, number):
        self.asked = self.asked or number == signal.SIGTERM
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        code = self.process.wait(patience)
        self.reader.join(patience)
        return code

    def stop(self):
        """Send SIGTERM, and check that it exits with 0 and that standard error is empty."""
        self.checked = True
        if not self.asked:  # a second SIGTERM ends it at once
            self.signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server does not stop on SIGTERM") from None
        assert (code, self.stderr()) == (0, "")

    def discard(self):
        """Do not check how the process ends: the test ends it itself."""
        self.checked = True
        if self.process.poll() is None:
            self.process.kill()
        self.wait()


TRANSFORM = "conf/transforms/interaction.started.yaml"


def route(**changes):
    """The shipped route with all its keys, plus these changes."""
    return {
        "match": {"source": "*", "detail-type": "*"},
        "registry": REGISTRY,
        "schema": SCHEMA,
        "payload": "/detail",
        "id": "/id",
        "transform": TRANSFORM,
    } | changes


def put_schema(folder, name, schema):
    """Write a schema into the registry's folder: bytes unchanged, other values as JSON."""
    data = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    (folder / "conf/schemas" / REGISTRY / f"{name}.json").write_bytes(data)


def put_transform(folder, name, fields):
    """Write a transform file. Returns its name for a route."""
    path = f"conf/transforms/{name}.yaml"
    (folder / path).write_text(yaml.safe_dump({"fields": fields}, sort_keys=False))
    return path
