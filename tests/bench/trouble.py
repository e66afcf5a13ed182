"""How long senders wait while a sink is in trouble.

    trouble.py [--rounds 3] [--seconds 4] [KIND...]

A server keeps each event in its store, writes it to a file, and sends it to one sink more, which is well, down, slow,
silent, or refuses. Senders post at an even pace, the same in all cases. The p99 of a case may not be above that of the
sink that is well, beyond what runs differ by. The store is in memory, so that the disk's times are not measured.
"""

import contextlib
import os
import pathlib
import shutil
import statistics
import sys
import tempfile

from bench import CLIENT_CPUS, SERVER_CPUS, free_port, option_parser, target
from sinks import KEYS, ROUTES, peer, sink
from stores import file_sink, measure, metrics, start

CONNECTIONS = 16
PAUSE_MS = 10  # of a connection before each request
MORE = 1.25  # times the p99 of the sink that is well,
MORE_US = 500  # and so much

# How the peer answers: after so many seconds, with this status. None: there is no peer.
CASES = {
    "well": (0.010, 200),
    "down": None,
    "slow": (3, 200),
    "silent": (3600, 200),
    "unavailable": (0.001, 503),
    "throttling": (0.001, 429),
    "denying": (0.001, 403),
    "refusing": (0.001, 400),
}


@contextlib.contextmanager
def troubled_peer(kind, case):
    """Its port. If the case has no peer nothing listens there."""
    if not CASES[case]:
        yield free_port()
        return
    with peer(kind, *CASES[case]) as port:
        yield port


def run(kind, case, options, turn):
    """The p99 in microseconds."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench-", dir="/dev/shm"))
    store = {"path": str(place / "sluice.db")}
    routes = [ROUTES[0] | {"match": {}}]
    with troubled_peer(kind, case) as port:
        sinks = [file_sink(place), sink(kind, port)]
        server = start("trouble", place, store, sinks, env=os.environ | KEYS, routes=routes)
        try:
            measure(server, "warm", 1, CONNECTIONS, pause_ms=PAUSE_MS)
            found = measure(server, f"{case}{turn}", options.seconds, CONNECTIONS, pause_ms=PAUSE_MS)
            pending = metrics(server)['sluice_sink_pending{sink="held"}']
        finally:
            server.stop()
            shutil.rmtree(place)
    print(f"{kind} {case}: {found['rps']:.0f} events/s, p50 {found['p50']} us, p99 {found['p99']} us, {pending:.0f} wait")
    return found["p99"]


def main():
    options = option_parser(rounds=3, seconds=4)
    options.add_argument("kinds", nargs="*", help="http and kinesis, or any but kafka")
    options = options.parse_args()

    print(f"clients and peers on processors {CLIENT_CPUS}, servers on {SERVER_CPUS}")
    good = []
    for kind in options.kinds or ("http", "kinesis"):
        found = {case: [] for case in CASES}
        for turn in range(options.rounds):
            for case in CASES:
                found[case].append(run(kind, case, options, turn))
        bound = MORE * statistics.median(found["well"]) + MORE_US
        good += [target(f"{kind} {case}: p99, us", found[case], bound, True) for case in CASES if case != "well"]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
