"""make bench-before BEFORE=PROGRAM: this build beside an older one, in one interleaved run.

Each row starts both programs with the same configuration and measures them in turns. The figure is
this build's cost divided by the older one's, round by round: the CPU time per request, and the time
of the slowest request in a hundred.

    before.py PROGRAM [--rounds 15] [--seconds 1] [--only WORD] [--limit 1.02]
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

from bench import PROGRAM, ROOT, WORK, in_turns, measure, option_parser, ratios, sample_event, spread, start_sluice
from stores import drain, file_sink, fresh
from stores import measure as measure_unique
from stores import start as start_with_store
from tls import measure as measure_tls

CONNECTIONS = 64


def large_event():
    """The sample event with 256 KiB of attributes."""
    event = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
    text = {f"attribute_{n:04}": "x" * 100 for n in range(2300)}
    detail = event["detail"] | {"attributes": text}
    return sample_event("large.json", detail=detail)


def array_of_events():
    """A hundred sample events in one body."""
    event = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
    file = WORK / "array.json"
    file.write_text(json.dumps([event | {"id": f"{event['id'][:-4]}{n:04}"} for n in range(100)]))
    return file


def certificate():
    subprocess.run(
        ["make", "--no-print-directory", "dev-cert"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    return ROOT / "build/dev-cert/cert.pem", ROOT / "build/dev-cert/key.pem"


def plain(event, *, close=False, connections=CONNECTIONS, tls=None):
    """A row without a store: what starts a server, and what measures it."""

    def start(name, program):
        return start_sluice(name, program=program, tls=tls)

    def run(server, seconds, _):
        return measure(server, event, seconds, connections, close)

    return start, run


def tls_at_half_load(event):
    """A row of TLS 1.3 connections that come at half the rate that the slower program can take."""
    rates = []

    def start(name, program):
        return start_sluice(name, program=program, tls=certificate())

    def run(server, seconds, word):
        load = argparse.Namespace(connections=32, seconds=seconds)
        if word != "warm":
            return measure_tls(server, event, load, "1.3", [f"rate={min(rates) / 2:.0f}"])
        found = measure_tls(server, event, load, "1.3", [])
        rates.append(found["rps"])
        return found

    return start, run


def stored(sinks=lambda place: []):
    """A row with a store; what is delivered counts, too."""

    def start(name, program):
        place = fresh(name)
        store = {"path": str(place / "sluice.db")}
        return start_with_store(name, place, store, sinks(place), program)

    def run(server, seconds, word):
        return measure_unique(server, word, seconds, 4 * CONNECTIONS, settle=drain)

    return start, run


def rows():
    sample = sample_event()
    return {
        "keep-alive": plain(sample),
        "connection per request": plain(sample, close=True),
        "TLS connection per request": plain(sample, close=True, connections=32, tls=certificate()),
        "TLS at half load": tls_at_half_load(sample),
        "TLS keep-alive": plain(sample, connections=32, tls=certificate()),
        "body of 256 KiB": plain(large_event(), connections=8),
        "array of 100": plain(array_of_events(), connections=8),
        "stored": stored(),
        "stored and delivered": stored(lambda place: [file_sink(place)]),
    }


def compare(row, options):
    start, run = row
    servers = []
    try:
        for name, program in (("now", PROGRAM), ("before", options.program)):
            servers.append(start(name, program))
        for server in servers:
            run(server, 1, "warm")
        return in_turns(
            servers, options.rounds, lambda server, turn: run(server, options.seconds, f"r{turn}")
        )
    finally:
        for server in servers:
            server.stop()


def main():
    options = option_parser(rounds=15, seconds=1)
    options.add_argument("program", type=pathlib.Path)
    options.add_argument("--only", default="", help="rows whose name has this word")
    options.add_argument("--limit", type=float, default=1.02, help="greatest median of the CPU ratio")
    options = options.parse_args()
    options.program = options.program.resolve()

    good = True
    print(f"{'now against before':28} {'CPU us':>7} {'CPU ratio':>22} {'p99 ratio':>22}", flush=True)
    for name, row in rows().items():
        if options.only not in name:
            continue
        runs = compare(row, options)
        cpu, p99 = (ratios(runs, "now", "before", key) for key in ("cpu", "p99"))
        us = statistics.median(one["cpu"] for one in runs["now"])
        ok = statistics.median(cpu) <= options.limit
        good = good and ok
        print(
            f"{name:28} {us:7.1f} {spread(cpu, '.3f'):>22} {spread(p99, '.2f'):>22}"
            f"{'' if ok else '  FAIL'}",
            flush=True,
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
