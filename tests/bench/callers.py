"""Callers that post new events one after the other, and how long each waited for its answer.

wrk adds to its percentiles the answers that a caller would have had in the meantime, had it not waited: a wait of
20 ms counts as often as it is longer than the usual one. Here each answer counts once.
"""

import json
import multiprocessing
import os
import socket
import time

from bench import CLIENT_CPUS, ROOT


def call(port, word, seconds, answers):
    """One caller, in a process of its own."""
    os.sched_setaffinity(0, CLIENT_CPUS)
    event = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
    event |= {"id": "ID", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    before, after = json.dumps(event).split('"ID"')
    waits = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            body = f'{before}"{word}-{len(waits)}"{after}'.encode()
            head = f"POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            begun = time.monotonic()
            connection.sendall(head.encode() + b"\r\n\r\n" + body)
            answer = connection.recv(65536)
            waits.append(time.monotonic() - begun)
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"not answered 200: {answer[:200]!r}")
    answers.put(waits)


def measure(server, word, seconds, callers):
    """As stores.measure(), without the server's costs."""
    answers = multiprocessing.Queue()
    processes = [
        multiprocessing.Process(target=call, args=(server.port, f"{word}-{n}", seconds, answers)) for n in range(callers)
    ]
    for process in processes:
        process.start()
    waits = sorted(wait * 1e6 for _ in processes for wait in answers.get(timeout=seconds + 60))
    for process in processes:
        process.join()
    return {
        "p50": waits[len(waits) // 2],
        "p99": waits[len(waits) * 99 // 100],
        "p999": waits[len(waits) * 999 // 1000],
        "requests": len(waits),
    }
