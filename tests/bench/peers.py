"""make bench-peers: Sluice beside other servers that do the same job, in one interleaved run.

Each peer reads the event as JSON, validates its detail against the schema, answers the record of
nine fields and writes a log line. Before the measurement its answers to the sample events are
compared with Sluice's. The figure is CPU time per event. "stored" is Sluice with each event on
stable storage before the answer, which no peer does.

The second table has servers that append the records to a file; their time counts until they are there.
Benthos does the whole job and answers when write() has returned. Sluice answers when the record is on
stable storage: "delivered" in its store, before it is in the file; "filed" in the file, without a store.

A peer whose toolchain is missing is left out, and says so. Everything is installed below
build/bench, in pinned versions.

    peers.py [--rounds 5] [--seconds 2] [--connections 64]
"""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

import stores
from bench import (
    HERE,
    ROOT,
    SCHEMA,
    SERVER_CPUS,
    WORK,
    WORKERS,
    Server,
    free_port,
    in_turns,
    measure,
    option_parser,
    ratios,
    report,
    sample_event,
    spread,
    start_fastify,
    start_sluice,
    target,
)

PEERS = WORK / "peers"
SAMPLES = ROOT / "conf/samples"
OWN = ("sluice", "stored", "delivered", "filed")
ANSWERING = {
    "sluice": "**Sluice**",
    "stored": "**Sluice, stored**",
    "axum": "axum with the `jsonschema` crate (LTO, mimalloc)",
    "go": "Go net/http with santhosh-tekuri/jsonschema",
    "fastify": "Fastify with ajv",
    "uvicorn": "uvicorn, uvloop, jsonschema",
}
FILING = {
    "delivered": "**Sluice, stored**, then in the file",
    "filed": "**Sluice** without a store, in the file",
    "benthos": "Benthos 4.60: the whole job, not synced",
}


def run(what, command, **options):
    """Run a step of an installation. False, and a message: it failed."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    except FileNotFoundError:
        print(f"{what} is left out: there is no {command[0]} here.")
        return False
    if done.returncode:
        print(f"{what} is left out: {' '.join(command[:2])} failed:\n{done.stderr[-2000:]}")
    return done.returncode == 0


def started(name, command, port, **options):
    server = Server(name, command, port, **options)
    server.wait_for(lambda text: "ready" in text)
    server.wait_port()
    return server


def start_axum():
    built = PEERS / "axum"
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--target-dir", built]
    if not run("axum", command, cwd=HERE / "peers/axum"):
        return None
    port = free_port()
    program = built / "release/sluice-bench-axum"
    return started("axum", [program, WORKERS, port, SCHEMA, WORK / "axum.log"], port)


def start_go():
    program = PEERS / "go"
    if not run("Go", ["go", "build", "-o", program, "."], cwd=HERE / "peers/go"):
        return None
    port = free_port()
    return started("go", [program, WORKERS, port, SCHEMA, WORK / "go.log"], port)


def start_uvicorn():
    place = PEERS / "uvicorn"
    wanted = HERE / "peers/uvicorn/requirements.txt"
    if not (place / "bin/uvicorn").exists():
        install = [place / "bin/pip", "install", "--quiet", "-r", wanted]
        venv = [sys.executable, "-m", "venv", place]
        if not run("uvicorn", venv) or not run("uvicorn", install):
            return None
    port = free_port()
    command = [place / "bin/uvicorn", "app:app", "--app-dir", HERE / "peers/uvicorn"]
    command += ["--workers", WORKERS, "--host", "127.0.0.1", "--port", port, "--loop", "uvloop"]
    command += ["--http", "httptools", "--no-access-log", "--log-level", "warning"]
    env = os.environ | {"SCHEMA": str(SCHEMA), "LOG": str(WORK / "uvicorn.log")}
    server = Server("uvicorn", command, port, env=env | {"PYTHONDONTWRITEBYTECODE": "1"})
    server.wait_port()
    return server


def start_benthos():
    """The engine of Redpanda Connect, which Bento was forked from."""
    program, place = PEERS / "benthos", HERE / "peers/benthos"
    if not run("Benthos", ["go", "build", "-o", program, "."], cwd=place):
        return None
    port = free_port()
    files = {"SCHEMA": SCHEMA, "LOG": WORK / "benthos.log", "FILE": new_file("benthos")}
    env = {name: str(value) for name, value in (files | {"GOMAXPROCS": WORKERS, "PORT": port}).items()}
    server = Server("benthos", [program, "run", place / "pipeline.yaml"], port, env=os.environ | env)
    server.wait_port()
    return server


def records_file(name):
    return WORK / name / "records.ndjson"


def new_file(name):
    file = stores.fresh(name) / "records.ndjson"
    file.touch()
    return file


def start_stored():
    place = stores.fresh("stored")
    return stores.start("stored", place, {"path": str(place / "sluice.db")}, [])


def start_delivered():
    place = stores.fresh("delivered")
    return stores.start("delivered", place, {"path": str(place / "sluice.db")}, [stores.file_sink(place)])


def start_filed():
    place = new_file("filed").parent
    return stores.start("filed", place, {"path": ""}, [stores.file_sink(place)])


def answer(server, body):
    """Status, and what of the answer does not depend on time or on the words of a library."""
    url = f"http://127.0.0.1:{server.port}/events"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            status, text, headers = reply.status, reply.read(), reply.headers
    except urllib.error.HTTPError as error:
        status, text, headers = error.code, error.read(), error.headers
    found = json.loads(text)
    if not headers["X-Request-Id"] or headers["Content-Type"].split(";")[0] != "application/json":
        raise SystemExit(f"{server.name}: a header is missing: {headers.items()}")
    if status == 200 and not found.pop("processed_at"):
        raise SystemExit(f"{server.name}: no processed_at")
    return status, list(found.items()) if status == 200 else found["error"]


def compare_answers(sluice, peer):
    """Fastify's own parser answers malformed JSON with its own words: only the status counts. Benthos sorts members."""
    samples = ["interaction.started", "interaction.started.missing-id", "interaction.started.wrong-type"]
    bodies = [(SAMPLES / f"{name}.json").read_bytes() for name in samples]
    for body in bodies + [b"{}", b'{"detail":'][: 1 if peer.name == "fastify" else 2]:
        ours, theirs = answer(sluice, body), answer(peer, body)
        if peer.name == "benthos" and ours[0] == 200:
            ours = 200, sorted(ours[1])
        if ours != theirs:
            raise SystemExit(f"{peer.name} does another job: {body[:60]}: {theirs}, not {ours}")


def logs_a_line(peer):
    """Is there a line for each request so far? The peers write their logs within 10 ms or so."""
    file = WORK / f"{peer.name}.log"
    if not file.exists() or b"request" not in file.read_bytes()[-4096:]:
        raise SystemExit(f"{peer.name} writes no log lines")


def check_file(server, record):
    """The last whole line of its file has the record."""
    with open(records_file(server.name), "rb") as lines:
        lines.seek(-min(16_384, os.fstat(lines.fileno()).st_size), os.SEEK_END)
        last = json.loads(lines.read().splitlines(keepends=True)[-2])
    last.pop("processed_at")
    if last != record:
        raise SystemExit(f"{server.name} writes {last}, not {record}")


def lines_after(file):
    """What waits until the file has a new line for each request."""
    start = file.stat().st_size

    def wait(_server, wanted):
        end = time.monotonic() + 60
        with open(file, "rb") as lines:
            lines.seek(start)
            while wanted > 0:
                found = lines.read(1 << 20).count(b"\n")
                wanted -= found
                if time.monotonic() > end:
                    raise SystemExit(f"{file} lacks {wanted} lines")
                time.sleep(0 if found else 0.02)

    return wait


def measure_all(servers, options, event):
    def one(server, turn):
        if server.name in ANSWERING and server.name != "stored":
            return measure(server, event, options.seconds, options.connections, False)
        settle = stores.drain if server.name in ("stored", "delivered") else lines_after(records_file(server.name))
        return stores.measure(server, f"t{turn}", options.seconds, 4 * options.connections, settle)

    for server in servers:
        one(server, "warm")
    return in_turns(servers, options.rounds, one)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    return f"{datetime.date.today()}, {model}, {os.cpu_count()} cores, Linux {platform.release()}"


def print_table(runs, titles, base):
    """A table as README.md has it; `base`: its first row."""
    print("\n| | CPU per event | × first row (spread) | requests/s | RSS |\n|---|--:|--:|--:|--:|")
    for name in filter(runs.get, titles):
        middle = {key: statistics.median(one[key] for one in runs[name]) for key in ("cpu", "rps", "rss")}
        times = "1" if name == base else spread(ratios(runs, name, base, "cpu"), ".2f").replace("..", "–")
        print(
            f"| {titles[name]} | {middle['cpu']:.1f} µs | {times} | {middle['rps']:,.0f} "
            f"| {middle['rss']:.0f} MiB |"
        )


def print_targets(runs):
    print("\nTargets")
    peers = [name for name in runs if name not in OWN]
    pairs = [("sluice", peer) for peer in peers]
    pairs += [("stored", peer) for peer in peers if peer != "axum"]
    pairs += [("delivered", peer) for peer in peers if peer in FILING]
    good = [
        target(f"CPU of {ours} against {peer}", ratios(runs, ours, peer, "cpu"), 1.0, True)
        for ours, peer in pairs
    ]
    return all(good)


def main():
    options = option_parser(rounds=5, seconds=2, connections=64).parse_args()

    event = sample_event()
    PEERS.mkdir(parents=True, exist_ok=True)
    servers = []
    try:
        for start in (start_sluice, start_stored, start_axum, start_go, start_uvicorn, start_fastify):
            servers += filter(None, [start()])
        for start in (start_delivered, start_filed, start_benthos):
            servers += filter(None, [start()])
        sluice = servers[0]
        peers = [server for server in servers if server.name not in OWN]
        for peer in peers:
            compare_answers(sluice, peer)
        runs = measure_all(servers, options, event)
        for peer in peers:
            logs_a_line(peer)
        record = dict(answer(sluice, event.read_bytes())[1])
        for server in servers:
            if server.name in FILING:
                check_file(server, record)
    finally:
        for server in servers:
            server.stop()

    report("Keep-alive", runs)
    print(f"\n{machine()}; servers on {len(SERVER_CPUS)} core(s); {options.rounds} rounds of {options.seconds} s")
    print_table(runs, ANSWERING, "sluice")
    print_table(runs, FILING, "delivered")
    return 0 if print_targets(runs) else 1


if __name__ == "__main__":
    sys.exit(main())
