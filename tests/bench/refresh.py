"""make bench: what callers notice of a schema that is looked up every second: nothing.

Two servers with the same schema from an emulated Glue, one that looks every second and one that
looks every hour, measured in turns. The time that one caller in a hundred waits is compared.
Callers post at an even pace that both servers can hold: on a machine that has no time left, a
caller would wait for the processor. The emulator runs on the client's processors.

    refresh.py [--rounds 7] [--seconds 4] [--connections 32]
"""

import json
import os
import sys

from bench import CLIENT_CPUS, ROOT, WORK, in_turns, option_parser, ratios, report, start_sluice, target
from stores import measure

sys.path.insert(0, str(ROOT / "tests/e2e"))

from glue_server import REGISTRY, SCHEMA, GlueServer  # noqa: E402

PAUSE_MS = 10  # of a connection before each request


def main():
    options = option_parser(rounds=7, seconds=4, connections=32).parse_args()
    os.sched_setaffinity(0, CLIENT_CPUS)
    servers = []
    with GlueServer() as glue:
        glue.put(json.loads((ROOT / f"conf/schemas/{REGISTRY}/{SCHEMA}.json").read_text()))
        try:
            for name, refresh in (("second", "1s"), ("hour", "1h")):
                registry = {"kind": "glue", "refresh": refresh, "cache_dir": str(WORK / name)}
                env = os.environ | glue.environment()
                servers.append(start_sluice(name, env=env, aws=glue.config(), registry=registry))
            for server in servers:  # warm up
                measure(server, "warm", 1, options.connections, pause_ms=PAUSE_MS)
            runs = in_turns(
                servers,
                options.rounds,
                lambda server, turn: measure(
                    server, f"r{turn}", options.seconds, options.connections, pause_ms=PAUSE_MS
                ),
            )
        finally:
            for server in servers:
                server.stop()
    report("A schema looked up every second, and every hour", runs)
    ok = target("p99, every second against every hour", ratios(runs, "second", "hour", "p99"), 1.2, True)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
