"""How long senders wait while the console is open and its API is asked 50 times a second.

    console.py [--rounds 13] [--seconds 3]

A server keeps each event in its store and writes it to a file; its quarantine has refused events. Senders post at a
constant rate. Runs without a client of the API alternate with runs in which one asks all that the console's pages ask.
The p99 of the senders with the client may be at most 1.1 times that without: the median of the ratios of neighbouring
runs counts.
The store is in memory, so that the disk's times are not measured.
"""

import contextlib
import http.client
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import time
import urllib.error

from bench import CLIENT_CPUS, PROCESSORS, free_port, in_turns, option_parser, post, ratios, report, target
from stores import file_sink, measure, start

CONNECTIONS = 16
PAUSE_MS = 10  # of a connection before each request
EACH_SECOND = 50
REFUSED = 500
MORE = 1.1
KEY = "bench"
PATHS = ["state", "history", "refused/groups", "refused?limit=100", "refused/event?id=1", "schemas", "shadows", "dead?limit=100"]


class Case:
    def __init__(self, name):
        self.name = name


def ask(port, ending, count):
    """The client, in a process of its own."""
    os.sched_setaffinity(0, CLIENT_CPUS)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    due = time.monotonic()
    while not ending.is_set():
        connection.request("GET", f"/api/v1/{PATHS[count.value % len(PATHS)]}", headers={"x-api-key": KEY})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"the API answers {answer.status}")
        count.value += 1
        due += 1 / EACH_SECOND
        time.sleep(max(0, due - time.monotonic()))


@contextlib.contextmanager
def asking(port):
    """While this lasts the API is asked. Its value: how many times so far."""
    ending, count = multiprocessing.Event(), multiprocessing.Value("l", 0)
    client = multiprocessing.Process(target=ask, args=(port, ending, count))
    client.start()
    try:
        yield count
    finally:
        ending.set()
        client.join()


def refuse(server):
    """Events of several rules for the quarantine."""
    for number in range(REFUSED):
        with contextlib.suppress(urllib.error.HTTPError):
            post(server, b'{"id":"r%d","detail":{"interaction":{"id":"%d","start_time":%d}}}' % (number, number, number % 3))


def main():
    options = option_parser(rounds=13, seconds=3).parse_args()
    print(PROCESSORS)
    place = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench-", dir="/dev/shm"))
    (place / "key").write_text(KEY)
    port = free_port()
    admin = {"listen": f"127.0.0.1:{port}", "api_keys": [{"value_file": str(place / "key")}]}
    server = start("console", place, {"path": str(place / "sluice.db")}, [file_sink(place)], admin=admin)
    asked = []

    def run(case, turn):
        with asking(port) if case.name == "open" else contextlib.nullcontext() as count:
            found = measure(server, f"{case.name}{turn}", options.seconds, CONNECTIONS, pause_ms=PAUSE_MS)
        if count:
            asked.append(count.value / options.seconds)
        return found

    try:
        refuse(server)
        measure(server, "warm", 1, CONNECTIONS, pause_ms=PAUSE_MS)
        runs = in_turns([Case("closed"), Case("open")], options.rounds, run)
    finally:
        server.stop()
        shutil.rmtree(place)
    report("Senders, while the console is closed and open", runs)
    good = [target("requests/s on the API", asked, 0.9 * EACH_SECOND, False),
            target("p99 of senders, open / closed", ratios(runs, "open", "closed", "p99"), MORE, True)]  # fmt: skip
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
