"""make bench, second part: what it costs to be on stable storage before saying 200.

One interleaved run of the same program: without a store, with one, and with one that delivers to a
file. Then the time of a commit as a caller sees it, quiet and while the store is being tidied up.

    durable.py [--rounds 5] [--seconds 3] [--connections 256]
"""

import argparse
import contextlib
import signal
import sqlite3
import sys
import time

from bench import CLIENT_CPUS, SERVER_CPUS, WORK, in_turns, ratios, report, spread, target
from stores import HOUR_US, file_sink, fill, fresh, measure, start

OLD_ROWS = 3_000_000  # to be forgotten while it is measured


def costs(options):
    """CPU and throughput, without and with a store."""
    places = {name: fresh(name) for name in ("answer", "stored", "delivered")}
    setups = {
        "answer": ({"path": ""}, []),
        "stored": ({"path": str(places["stored"] / "sluice.db")}, []),
        "delivered": (
            {"path": str(places["delivered"] / "sluice.db")},
            [file_sink(places["delivered"])],
        ),
    }
    servers = []
    try:
        servers = [start(name, places[name], *setup) for name, setup in setups.items()]
        for server in servers:
            measure(server, "warm", 1, options.connections, drained=True)
        runs = in_turns(
            servers,
            options.rounds,
            lambda server, turn: measure(
                server, f"r{turn}", options.seconds, options.connections, drained=True
            ),
        )
    finally:
        for server in servers:
            server.stop()
    report(f"Durable, {options.connections} connections", runs)
    print("\nTargets")
    cpu, rps = (
        {name: ratios(runs, name, "answer", what) for name in ("stored", "delivered")}
        for what in ("cpu", "rps")
    )
    good = [
        target("CPU, stored against answer only", cpu["stored"], 2.2, True),
        target("throughput, stored against answer only", rps["stored"], 0.45, False),
    ]
    print(
        f"        delivered to a file as well: CPU {spread(cpu['delivered'], '.2f')}, "
        f"throughput {spread(rps['delivered'], '.2f')}"
    )
    return all(good)


def latencies(options):
    """The time of a commit as a few callers see it: nothing to tidy up, and always something."""
    places = {name: fresh(name) for name in ("quiet", "tidying")}
    stores = {name: {"path": str(place / "sluice.db")} for name, place in places.items()}
    servers = []
    try:
        for name in stores:
            start(name, places[name], stores[name], []).stop()
        now = int(time.time() * 1_000_000) // HOUR_US
        fill(stores["quiet"]["path"], seen=OLD_ROWS, hours=range(now - 20, now - 10))
        fill(stores["tidying"]["path"], seen=OLD_ROWS, hours=range(now - 60, now - 50))
        servers = [start(name, places[name], stores[name], []) for name in stores]
        for server in servers:
            measure_alone(servers, server, "warm", 1)
        before = {name: seen_rows(store) for name, store in stores.items()}
        runs = in_turns(
            servers,
            options.rounds,
            lambda server, turn: measure_alone(servers, server, f"r{turn}", options.seconds),
        )
        after = {name: seen_rows(store) for name, store in stores.items()}
    finally:
        for server in servers:
            server.stop()
    print("\nCommit as 8 callers see it, microseconds")
    for name, rounds in runs.items():
        texts = [f"{key} {spread([one[key] for one in rounds], '.0f')}" for key in ("p50", "p99", "p999")]
        print(f"  {name:10} " + "   ".join(texts))
    for name in runs:
        print(f"  {name}: of {before[name]} rows {after[name]} are left")
    print("\nTargets")
    good = target("p99.9 while tidying up", ratios(runs, "tidying", "quiet", "p999"), 3, True)
    if after["quiet"] < before["quiet"]:
        print("  FAIL  it was not quiet")
        good = False
    if after["tidying"] >= before["tidying"] or after["tidying"] < OLD_ROWS / 20:
        print("  FAIL  it was not tidying up all the time")
        good = False
    return good


def seen_rows(store):
    """How many events are remembered."""
    with contextlib.closing(sqlite3.connect(f"file:{store['path']}?mode=ro", uri=True)) as db:
        return db.execute("SELECT value FROM state WHERE name = 'seen_rows'").fetchone()[0]


def measure_alone(servers, one, word, seconds):
    """The others stand still meanwhile, since they tidy up all the more when nothing comes."""
    others = [server for server in servers if server is not one]
    for server in others:
        server.process.send_signal(signal.SIGSTOP)
    try:
        return measure(one, word, seconds, 8)
    finally:
        for server in others:
            server.process.send_signal(signal.SIGCONT)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--connections", type=int, default=256)
    options = options.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    print(f"\nclient on processors {CLIENT_CPUS}, servers on {SERVER_CPUS}; "
          f"{options.rounds} rounds of {options.seconds} s")
    good = [costs(options), latencies(options)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
