"""Checks after everything has been delivered. Each adds its findings to the ledger's violations."""

import collections
import json
import struct


def file_records(world):
    """The records of the file sink, in order. Every line must be complete."""
    out = []
    for path in world.sink_files():
        text = path.read_bytes()
        if text and not text.endswith(b"\n"):
            world.ledger.complain(f"{path.name}: the last line is torn")
        for line in text.split(b"\n")[:-1]:
            try:
                out.append(json.loads(line))
            except ValueError:
                world.ledger.complain(f"{path.name}: not a record: {line[:200]!r}")
    return out


def check_delivered(ledger, name, records, ordered=True):
    """Every acknowledged event is delivered, repeated records are equal, and the order is kept."""
    times = {}
    firsts = collections.defaultdict(list)
    for record in records:
        mark = record["interaction_id"]
        client, number = mark.rsplit("-", 1)
        if mark not in times:
            times[mark] = record["processed_at"]
            firsts[client].append(int(number))
        elif times[mark] != record["processed_at"]:
            ledger.complain(f"{name}: {mark} was stored twice")
    lost = [event.mark for event in ledger.acknowledged() if event.mark not in times]
    if lost:
        ledger.complain(f"{name}: {len(lost)} acknowledged events are lost: {lost[:5]}")
    known = {event.mark for event in ledger.events}
    strange = [mark for mark in times if mark not in known]
    if strange:
        ledger.complain(f"{name}: {len(strange)} records without a sender: {strange[:5]}")
    for client, numbers in firsts.items():
        if ordered and client.startswith("sequential") and numbers != sorted(numbers):
            at = next(i for i in range(1, len(numbers)) if numbers[i] < numbers[i - 1])
            ledger.complain(f"{name}: {client} is out of order at {numbers[at - 1 : at + 1]}")
    for event in ledger.acknowledged():
        if event.record and event.mark in times:
            told = json.loads(event.record)["processed_at"]
            if told != times[event.mark]:
                ledger.complain(f"{name}: {event.mark} says {times[event.mark]}, told {told}")
    return len(records) - len(times)


def check_store(world, held=None):
    """The database is intact, remembers each acknowledged event once, and keeps the refused ones."""
    ledger = world.ledger
    acknowledged = ledger.acknowledged()
    with world.database() as db:
        problems = [row[0] for row in db.execute("PRAGMA integrity_check")]
        if problems != ["ok"]:
            ledger.complain(f"the database is damaged: {problems[:3]}")
        # While a row moves from `recent` to `seen`, it is in both.
        rows = set(db.execute("SELECT bucket, id_hash, identity FROM seen"))
        for (blob,) in db.execute("SELECT events FROM recent"):
            rows.update(row[:3] for row in struct.iter_unpack("<qq16sq", blob))
        identities = len({identity for _, _, identity in rows})
        if len(rows) != identities:
            ledger.complain(f"seen: {len(rows)} rows, {identities} identities")
        if len(rows) != len(acknowledged):
            ledger.complain(f"{len(acknowledged)} acknowledged, {len(rows)} remembered")
        kept = {row[0] for row in db.execute("SELECT event_id FROM refused")}
        gone = [one for one in ledger.refusals if one not in kept]
        if gone:
            ledger.complain(f"{len(gone)} events answered 400 are not kept: {gone[:5]}")
        if held:
            keys = [row[0] for row in db.execute("SELECT key FROM record ORDER BY seq")]
            twice = [key for key, n in collections.Counter(keys).items() if n > 1]
            if twice:
                ledger.complain(f"twice in the outbox: {twice[:5]}")
            missing = {event.id for event in acknowledged} - set(keys)
            if missing:
                ledger.complain(f"{len(missing)} not in the outbox: {sorted(missing)[:5]}")
            if len(keys) != len(acknowledged):
                ledger.complain(f"{len(acknowledged)} events, {len(keys)} records")


def check_counts(ledger, metrics, sinks):
    """The counters of the store agree with the acknowledged events."""
    count = len(ledger.acknowledged())
    accepted = metrics[("sluice_store_accepted_total",)]
    if accepted != count:
        ledger.complain(f"{count} events acknowledged, sluice_store_accepted_total {accepted:.0f}")
    corrected = metrics[("sluice_store_counters_corrected_total",)]
    if corrected:
        ledger.complain(f"{corrected:.0f} counters differed from the rows they count")
    for name in sinks:
        for what in ("enqueued", "delivered"):
            value = metrics[(f"sluice_sink_{what}_total", ("sink", name))]
            if value != count:
                ledger.complain(f"{count} events, sluice_sink_{what}_total of {name} {value:.0f}")
