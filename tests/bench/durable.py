"""make bench, second part: what it costs to be on stable storage before saying 200.

One interleaved run of the same program: without a store, with one, and with one that delivers to a file; then many
more pairs of the first two, for the targets. Then the time of a commit as a caller sees it: quiet, while the store is
being tidied up, and while refused events are posted again.

    durable.py [--rounds 9] [--seconds 3] [--connections 256]
"""

import contextlib
import json
import shutil
import signal
import sqlite3
import sys
import time
import urllib.error

import callers
from bench import (
    PROCESSORS,
    ROOT,
    SCHEMA,
    by_turns,
    in_turns,
    option_parser,
    post,
    ratios,
    report,
    sample_event,
    spread,
    target,
)
from stores import HOUR_US, drain, file_sink, fill, fresh, measure, metrics, start

OLD_ROWS = 3_000_000  # to be forgotten while it is measured
LATER_EVENTS = 2_000  # of each round: refused because their schema does not exist yet
ARRAY = 500
TABLE_ROUNDS = 3
PAIRS, PAIR_MS = 20, 2000  # of slices; the log is moved in each
LATER_ROUNDS = 15  # of a second each: the disk's own delays are rarer than rounds


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
            measure(server, "warm", 1, options.connections, settle=drain)
        runs = in_turns(
            servers,
            TABLE_ROUNDS,
            lambda server, turn: measure(
                server, f"r{turn}", options.seconds, options.connections, settle=drain
            ),
        )
        event = sample_event("numbered.json", id="NUMBER______", time="TIME________________")
        turns = by_turns(servers[:2], event, PAIRS, PAIR_MS, options.connections)
    finally:
        for server in servers:
            server.stop()
    report(f"Durable, {options.connections} connections, {TABLE_ROUNDS} rounds", runs)
    print(f"\nTargets, of {PAIRS} pairs of slices of {PAIR_MS} ms")
    good = [
        target("CPU, stored against answer only", ratios(turns, "stored", "answer", "cpu"), 1.8, True),
        target("throughput, stored against answer only", ratios(turns, "stored", "answer", "rps"), 0.55, False),
    ]
    cpu, rps = (ratios(runs, "delivered", "answer", what) for what in ("cpu", "rps"))
    print(f"        delivered to a file as well: CPU {spread(cpu, '.2f')}, throughput {spread(rps, '.2f')}")
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
    report_latencies(runs)
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


def report_latencies(runs):
    print("\nCommit as 8 callers see it, microseconds")
    for name, rounds in runs.items():
        texts = [f"{key} {spread([one[key] for one in rounds], '.0f')}" for key in ("p50", "p99", "p999")]
        print(f"  {name:10} " + "   ".join(texts))


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


class Later:
    """A server with one schema for each round. Events of a round are refused until its schema exists; then the
    server posts them again."""

    def __init__(self, name, rounds):
        place = fresh(name)
        self.folder = place / "schemas" / SCHEMA.parent.name
        shutil.copytree(SCHEMA.parent, self.folder)
        transform = str(ROOT / "conf/transforms/interaction.started.yaml")
        schemas = {f"later{turn}": f"Later{turn}" for turn in range(rounds)} | {"*": SCHEMA.stem}
        routes = [
            {"match": {"source": source}, "registry": SCHEMA.parent.name, "schema": schema, "transform": transform}
            for source, schema in schemas.items()
        ]
        registry = {"dir": str(place / "schemas"), "cache_dir": str(place / "cache")}
        store = {"path": str(place / "sluice.db")}
        self.server = start(name, place, store, [], routes=routes, registry=registry)
        self.name = name

    def refuse(self, turn, count):
        event = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
        for first in range(0, count, ARRAY):
            events = [event | {"id": f"later{turn}-{first + i}", "source": f"later{turn}"} for i in range(ARRAY)]
            with contextlib.suppress(urllib.error.HTTPError):  # 400
                post(self.server, json.dumps(events).encode())
        time.sleep(0.5)  # idle, it moves what it wrote into its database, which is no part of posting again

    def appear(self, turn):
        """Make the schema, and wait until the first events have been posted again."""
        before = metrics(self.server)["sluice_store_accepted_total"]
        shutil.copy(SCHEMA, self.folder / f"Later{turn}.json")
        self.server.wait_for(lambda _: metrics(self.server)["sluice_store_accepted_total"] > before)

    def is_resubmitted(self, turn):
        line = f'"schema":"Later{turn}","events":{LATER_EVENTS},'
        return any(line in text for text in self.server.output().splitlines())


def resubmission():
    """The time of a commit as a few callers see it, while events that had no schema are posted again. The server that
    posts them again and the one that does not take turns of a second."""
    quiet, busy = (Later(name, LATER_ROUNDS) for name in ("alone", "again"))
    rates = []
    ended = 0

    def one_round(later, turn):
        nonlocal ended
        if later is quiet:
            return callers.measure(later.server, f"r{turn}", 1, 8)
        later.refuse(turn, LATER_EVENTS)
        later.appear(turn)
        begun, before = time.monotonic(), metrics(later.server)["sluice_store_accepted_total"]
        found = callers.measure(later.server, f"r{turn}", 1, 8)
        again = metrics(later.server)["sluice_store_accepted_total"] - before - found["requests"]
        rates.append(again / (time.monotonic() - begun))
        ended += later.is_resubmitted(turn)
        later.server.wait_for(lambda _: later.is_resubmitted(turn), seconds=300)
        return found

    try:
        for later in (quiet, busy):
            callers.measure(later.server, "warm", 1, 8)
        runs = in_turns([quiet, busy], LATER_ROUNDS, one_round)
    finally:
        quiet.server.stop()
        busy.server.stop()
    report_latencies(runs)
    print("\nTargets")
    good = [
        target("p99 during resubmission", ratios(runs, "again", "alone", "p99"), 1.5, True),
        target("events resubmitted a second meanwhile", rates, 400, False),
    ]
    if ended > LATER_ROUNDS / 2:
        print("  FAIL  all events were posted again before the end of most rounds")
    return all(good) and ended <= LATER_ROUNDS / 2


def main():
    options = option_parser(rounds=9, seconds=3, connections=256).parse_args()
    print(f"\n{PROCESSORS}; {options.rounds} rounds of {options.seconds} s where nothing else is said")
    good = [costs(options), latencies(options), resubmission()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
