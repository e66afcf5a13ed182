"""Servers with a store, for bench: how they are started, filled with rows, and measured."""

import pathlib
import re
import shutil
import sqlite3
import time
import urllib.request

from bench import HERE, PROGRAM, ROOT, WORK, figures, run_wrk, sample_event, start_sluice

HOUR_US = 3_600_000_000
RECORD = b'{"interaction_id":"old-%08d","start_time":"2026-11-23T08:00:00.000Z",' + (
    b'"channel_type":"voice","queue_id":"queue-11223344-5566-7788-99aa-bbccddeeff00",'
    b'"queue_name":"Sales Support","customer_email":"customer@example.com","customer_name":'
    b'"John Doe","attributes":{},"processed_at":"2026-11-23T08:00:00.000000Z"}'
)


def start(name, place, store, sinks, program=PROGRAM, env=None, **changes):
    """A server whose files are in `place`. `changes`: other sections of the configuration."""
    place.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    registry = {"dir": str(ROOT / "conf/schemas"), "cache_dir": str(place / "cache")}
    sections = {"registry": registry, "store": store, "sinks": sinks} | changes
    server = start_sluice(name, program=program, env=env, **sections)
    server.start_seconds = time.monotonic() - begun
    return server


def fresh(name):
    """An empty folder under build/bench."""
    place = WORK / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def held_sink():
    """No server is there: all that is accepted stays in the store."""
    return {"name": "held", "kind": "http", "url": "http://127.0.0.1:1/"}


def file_sink(place):
    return {"name": "archive", "kind": "file", "path": str(place / "records.ndjson")}


def metrics(server):
    """Samples by name; labels as they stand."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        match[1]: float(match[2]) for match in re.finditer(r"^([^ #]+) (\S+)$", text, re.M)
    }


def drain(server, _requests=None, seconds=60):
    """Wait until nothing is pending."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pending = sum(
            value for name, value in metrics(server).items() if name.startswith("sluice_sink_pending")
        )
        if not pending:
            return
        time.sleep(0.02)
    raise SystemExit(f"{server.name}: {pending:.0f} records are still pending")


def anonymous_mib(server):
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", text)[1]) / 1024


def measure(server, word, seconds, connections, settle=None, pause_ms=None):
    """One run of wrk with new events. CPU time counts until `settle(server, requests)` returns. Connections wait
    `pause_ms` before each request."""
    event = sample_event("unique.json")
    arguments = ["-c", connections, "-d", f"{seconds}s", "-s", HERE / "unique.lua"]
    arguments += [f"http://127.0.0.1:{server.port}", "--", event, word]
    arguments += [] if pause_ms is None else [pause_ms]
    before = server.cpu_ns()
    result = run_wrk(arguments, awake=pause_ms is None)
    if settle:
        settle(server, result["requests"])
    return figures(server, result, server.cpu_ns() - before) | {"p999": result["p999_us"]}


def _seen(db, rows, hours):
    """`rows` remembered events, the same number in each of these hours, second by second."""
    each = rows // len(hours)
    for hour in sorted(hours):
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)"
            " INSERT INTO seen (bucket, id_hash, identity, processed_us)"
            " SELECT ?2 * 3600 + i * 3600 / ?1, random(), randomblob(16), ?3 FROM n",
            (each, hour, hour * HOUR_US),
        )
    return each * len(hours)


def _records(db, rows, first):
    now_us = time.time_ns() // 1000
    db.executemany(
        "INSERT INTO record (seq, key, accepted_us, registry, schema, version, bytes)"
        " VALUES (?, ?, ?, 'GenesysInteractionRegistry', 'InteractionStartedSchema', '1', ?)",
        (
            (first + i, f"old-{i:08}", now_us, RECORD % i)
            for i in range(rows)
        ),
    )
    return sum(
        row[0] for row in db.execute("SELECT sum(length(bytes) + length(key) + 128) FROM record")
    )


def fill(path, *, seen, hours, records=0):
    """Put rows into the store of a server that has ended; its one sink has all records pending."""
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = DELETE", "synchronous = OFF", "cache_size = -400000"):
        db.execute(f"PRAGMA {pragma}")
    state = dict(db.execute("SELECT name, value FROM state"))
    first = int(state.get("next_seq", 1))
    db.execute("BEGIN")
    added = _seen(db, seen, hours) if seen else 0
    values = {"seen_rows": int(state.get("seen_rows", 0)) + added}
    if records:
        values["waiting_bytes"] = _records(db, records, first)
        values["next_seq"] = first + records
        values["accepted"] = int(state.get("accepted", 0)) + records
        columns = [row[1] for row in db.execute("PRAGMA table_info(sink)")]
        counted = [name for name in ("enqueued", "pending") if name in columns]
        changes = ", ".join(f"{name} = {name} + ?1" for name in counted)
        db.execute(f"UPDATE sink SET {changes}", (records,))
    for name, value in values.items():
        db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))
    db.execute("COMMIT")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
