"""make bench-peers: Sluice beside other servers that do the same job, in one interleaved run.

Each peer reads the event as JSON, validates its detail against the schema, answers the record of
nine fields and writes a log line. Before the measurement its answers to the sample events are
compared with Sluice's. The figure is CPU time per event. "stored" is Sluice with each event on
stable storage before the answer, which no peer does.

A peer whose toolchain is missing is left out, and says so. Everything is installed below
build/bench, in pinned versions.

    peers.py [--rounds 5] [--seconds 2] [--connections 64]
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
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


def start_stored():
    place = stores.fresh("stored")
    return stores.start("stored", place, {"path": str(place / "sluice.db")}, [])


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
    """Fastify's own parser answers malformed JSON with its own words; only the status counts."""
    samples = ["interaction.started", "interaction.started.missing-id", "interaction.started.wrong-type"]
    bodies = [(SAMPLES / f"{name}.json").read_bytes() for name in samples]
    for body in bodies + [b"{}", b'{"detail":'][: 1 if peer.name == "fastify" else 2]:
        ours, theirs = answer(sluice, body), answer(peer, body)
        if ours != theirs:
            raise SystemExit(f"{peer.name} does another job: {body[:60]}: {theirs}, not {ours}")


def logs_a_line(peer):
    """Is there a line for each request so far? The peers write their logs within 10 ms or so."""
    file = WORK / f"{peer.name}.log"
    if not file.exists() or not file.stat().st_size:
        raise SystemExit(f"{peer.name} writes no log lines")


def measure_all(servers, options, event):
    def one(server, turn):
        if server.name == "stored":
            return stores.measure(server, f"t{turn}", options.seconds, 4 * options.connections)
        return measure(server, event, options.seconds, options.connections, False)

    for server in servers:
        one(server, "warm")
    return in_turns(servers, options.rounds, one)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    return f"{datetime.date.today()}, {model}, {os.cpu_count()} cores, Linux {platform.release()}"


def print_table(runs):
    """The table as README.md has it."""
    print(f"\n{machine()}; servers on {len(SERVER_CPUS)} core(s)\n")
    print("| | CPU per event | × Sluice (spread) | requests/s | RSS |\n|---|--:|--:|--:|--:|")
    for name, rounds in runs.items():
        middle = {key: statistics.median(one[key] for one in rounds) for key in ("cpu", "rps", "rss")}
        times = spread(ratios(runs, name, "sluice", "cpu"), ".2f")
        print(
            f"| {name} | {middle['cpu']:.1f} µs | {times} | {middle['rps']:,.0f} "
            f"| {middle['rss']:.0f} MiB |"
        )


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=2)
    options.add_argument("--connections", type=int, default=64)
    options = options.parse_args()

    event = sample_event()
    PEERS.mkdir(parents=True, exist_ok=True)
    servers = []
    try:
        for start in (start_sluice, start_stored, start_axum, start_go, start_uvicorn, start_fastify):
            servers += filter(None, [start()])
        peers = servers[2:]
        for peer in peers:
            compare_answers(servers[0], peer)
        runs = measure_all(servers, options, event)
        for peer in peers:
            logs_a_line(peer)
    finally:
        for server in servers:
            server.stop()

    report("Keep-alive", runs)
    print_table(runs)
    print("\nTargets")
    good = [
        target(f"CPU against {peer.name}", ratios(runs, "sluice", peer.name, "cpu"), 1.0, True)
        for peer in peers
    ] + [
        target(f"CPU stored against {peer.name}", ratios(runs, "stored", peer.name, "cpu"), 1.0, True)
        for peer in peers
        if peer.name != "axum"
    ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
