"""make scaletest: a store with 10 million remembered events and 1 million waiting records.

It must start in under a second, keep its memory bounded, and commit at least 80 % as fast as an
empty store, in one interleaved run.

    scale.py [--seen 10000000] [--records 1000000] [--rounds 5] [--seconds 3]
"""

import statistics
import sys
import time

from bench import PROCESSORS, in_turns, option_parser, ratios, report, target
from stores import HOUR_US, anonymous_mib, fill, fresh, held_sink, measure, metrics, start

STORE = {"max_size": "64GiB", "dedup_window": "25h"}


def make(name, options):
    """A store with its tables, filled or not; where it is."""
    place = fresh(name)
    store = STORE | {"path": str(place / "sluice.db")}
    start(name, place, store, [held_sink()]).stop()
    if name == "full":
        begun = time.monotonic()
        now = int(time.time() * 1_000_000) // HOUR_US
        fill(store["path"], seen=options.seen, hours=range(now - 25, now), records=options.records)
        size = (place / "sluice.db").stat().st_size / 2**20
        print(f"filled in {time.monotonic() - begun:.0f} s: {size:.0f} MiB")
    return place, store


def main():
    options = option_parser(seen=10_000_000, records=1_000_000, rounds=5, seconds=3, connections=64)
    options = options.parse_args()
    stores = {name: make(name, options) for name in ("empty", "full")}
    starts = []
    servers = []
    try:
        for _ in range(options.rounds):
            server = start("full", *stores["full"], [held_sink()])
            starts.append(server.start_seconds)
            server.stop()
        servers = [start(name, *stores[name], [held_sink()]) for name in stores]
        pending = metrics(servers[1])['sluice_sink_pending{sink="held"}']
        print(
            f"{options.seen} remembered, {pending:.0f} pending; {options.connections} connections; "
            f"{PROCESSORS}; {options.rounds} rounds of {options.seconds} s"
        )
        for server in servers:
            measure(server, "warm", 1, options.connections)
        runs = in_turns(
            servers,
            options.rounds,
            lambda server, turn: measure(
                server, f"r{turn}", options.seconds, options.connections
            ),
        )
        report("Durable requests", runs)
        memory = {server.name: anonymous_mib(server) for server in servers}
    finally:
        for server in servers:
            server.stop()

    print("\nTargets")
    good = [
        target("seconds until ready", starts, 1.0, True),
        target("commits against an empty store", ratios(runs, "full", "empty", "rps"), 0.8, False),
        target("anonymous memory, MiB", [memory["full"]], 64, True),
        target(
            "anonymous memory beyond an empty store's, MiB",
            [memory["full"] - memory["empty"]],
            16,
            True,
        ),
    ]
    print(f"  CPU per request against an empty store: "
          f"{statistics.median(ratios(runs, 'full', 'empty', 'cpu')):.2f}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
