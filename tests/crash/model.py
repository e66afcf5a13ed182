"""A test driver that makes random steps, and a model of the state that the server must have after them.

One driver posts the events one after another, so it knows the order in which they were accepted. It does not
know whether an event without an answer, or with a 503, was stored. Such an event may have been stored in each
period in which it was offered; a period is a time with the same set of sinks."""

import contextlib
import json
import shutil
import sqlite3
import tempfile
import time

from client import encode
from load import Caller, Ledger
from receiver import Receiver
from server import SLOW, wait_for
from trial import retry_open
from world import World

import verdict

DAY = 86400
PATIENCE = 30  # seconds for everything to arrive when nothing fails
MOODS = ("500", "503", "429", "401", "hang", "drop", "late", "half")

# The HTTP sinks. The receiver of `hook` refuses some records and fails for others; `line` is ordered.
SINKS = {
    "hook": {"batch": 5, "max_attempts": 8},
    "line": {"batch": 3, "ordered": True},
    "extra": {},
}


class Place(Receiver):
    """A receiver that fails according to `mood`. In the mood "well" it refuses records of the kind poison (422) and
    fails for the kind bane (500)."""

    def __init__(self, tells_apart):
        self.mood = "well"
        self.tells_apart = tells_apart
        self.marks = {}  # mark to kind, of the records that this receiver does not accept
        super().__init__(behave=self._answer)

    def _answer(self, number, records):
        if self.mood == "half":
            return 200 if number % 2 else 503
        if self.mood != "well":
            return int(self.mood) if self.mood.isdigit() else self.mood
        kinds = {self.marks.get(record["interaction_id"]) for record in records}
        if "bane" in kinds:
            return 500
        return 422 if "poison" in kinds else 200


class Fact:
    """What the model knows about an event, in addition to the ledger."""

    def __init__(self, kind):
        self.kind = kind  # good, poison or bane
        self.offered = []  # the sets of sinks of the periods in which it may have been accepted
        self.order = None  # its position among the accepted events; None: not known

    def must(self):
        return set.intersection(*self.offered)

    def may(self):
        return set.union(*self.offered) if self.offered else set()


class Life:
    """The driver: makes steps, updates the model, and reports deviations."""

    def __init__(self, folder, seed, rng, bug=None, patience=PATIENCE):
        self.rng = rng
        self.patience = patience
        self.seed = seed
        self.ledger = Ledger()
        self.places = {name: Place(name == "hook") for name in SINKS}
        self.http = {
            name: {"name": name, "kind": "http", "url": place.url, "in_flight": 1}
            | {"max_backoff": "50ms", "timeout": "300ms"}
            | SINKS[name]
            for name, place in self.places.items()
        }
        self.world = World(
            folder,
            self.ledger,
            with_disk=True,
            bug=bug,
            sinks=[self.http["hook"], self.http["line"]],
            store={
                "path": str(folder / "var/sluice.db"),
                "dedup_window": "365d",
                "quarantine": {"keep": "3650d"},
            },
        )
        self.driver = Caller("model", self.world, self.ledger, seed)
        self.facts = {}  # event to Fact
        self.accepted = 0
        self.void = {}  # sink to marks of records that were dropped with its backlog
        self.ahead = 0
        self.full = False
        self.history = []
        self.world.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.close()
        self.world.discard()
        for place in self.places.values():
            place.close()

    # Offering events.

    def sinks(self):
        return {sink["name"] for sink in self.world.config["sinks"]}

    def note(self, event, known):
        """Note that `event` was offered in this period. `known`: it is acknowledged."""
        fact = self.facts[event]
        if fact.order is not None:
            return
        if not known:
            fact.offered.append(self.sinks())
        elif event.taken_as_new:  # accepted in this period
            fact.offered = [self.sinks()]
        if known:
            self.accepted += 1
            fact.order = self.accepted

    def new_event(self, kind="good", event_id=None):
        event = self.driver.new_event(event_id)
        self.facts[event] = Fact(kind)
        if kind != "good":
            self.places["hook"].marks[event.mark] = kind
        return event

    def offer(self, event):
        known = self.driver.offer(event)
        self.note(event, known)
        return known

    def some(self, events):
        return self.rng.choice(events) if events else None

    # The steps. The history has their names.

    def accept(self):
        self.offer(self.new_event())

    def poison(self):
        self.offer(self.new_event(self.rng.choice(("poison", "bane"))))

    def reuse(self):
        before = self.some(self.ledger.acknowledged())
        if before:
            self.offer(self.new_event(event_id=before.id))

    def again(self):
        event = self.some(self.ledger.open())
        if event:
            self.offer(event)

    def repeat(self):
        event = self.some(self.ledger.acknowledged())
        if event and not self.offer(event) and not self.full:
            self.ledger.complain(f"{event.mark} was acknowledged and is not known")

    def array(self):
        events = [self.new_event() for _ in range(self.rng.randint(1, 8))]
        known = self.some(self.ledger.acknowledged())
        begun = time.monotonic()
        answer = self.driver.send(encode([event.event for event in events + [known] * bool(known)]))
        results = answer.json.get("results") if answer else None
        for i, event in enumerate(events):
            taken = bool(results) and results[i]["status"] == 200
            if taken:
                duplicate = bool(results[i].get("duplicate"))
                self.ledger.accept(event, b"", duplicate, begun)
            self.note(event, taken)

    def refuse(self):
        event = self.driver.new_event()
        self.ledger.events.remove(event)
        del event.event["detail"]["interaction"]["id"]
        answer = self.driver.send(event.body)
        if answer and answer.status == 400:
            self.ledger.refusals[event.id] = event
        elif answer:
            self.driver.check_failure(answer, f"the wrong event {event.id}")

    def mood(self):
        place = self.places[self.rng.choice(sorted(self.places))]
        place.mood = self.rng.choice(("well", "well", *MOODS))

    def clock(self):
        self.ahead = self.rng.choice((0, -DAY, DAY, -3600, 3600, -30, 30, 20 * DAY))
        self.world.disk.set_clock(self.ahead)

    def reload(self):
        self.world.server.signal(1)

    def kill(self):
        self.world.kill()
        self.come_back(self.rng.choice((None, False, True)))

    def come_back(self, torn):
        """Start the server again. `torn` is not None: after a power loss."""
        self.free()
        if torn is not None:
            self.world.disk.lose_power(self.rng, torn)
        self.look_into_the_store()
        self.driver.close()
        self.world.start()

    def change_sinks(self):
        """Add or remove the sink `extra`. After a removal its backlog may be dropped."""
        self.world.stop()
        had_it = self.toggle_extra()
        self.come_back(None)
        if had_it and self.rng.random() < 0.5:
            self.drop("extra")

    def reload_sinks(self):
        """The same with a reload, which is repeated: it is refused while the store cannot write."""
        self.free()
        had_it = self.toggle_extra()
        self.world.write()

        def has_changed():
            self.world.server.signal(1)
            has_pump = ("sluice_sink_deliveries_in_flight", ("sink", "extra")) in self.world.metrics()
            return has_pump != had_it and self.is_configured("extra") != had_it

        wait_for(has_changed, "the change of sinks", self.patience * SLOW)
        if had_it and self.rng.random() < 0.5:
            self.drop("extra")

    def toggle_extra(self):
        """Change the configuration. Was the sink there before?"""
        others = [sink for sink in self.world.config["sinks"] if sink["name"] != "extra"]
        had_it = "extra" in self.sinks()
        self.world.config["sinks"] = others if had_it else [*others, self.http["extra"]]
        return had_it

    def is_configured(self, name):
        """Does the store know the sink as one that is configured?"""
        told = self.world.order("outbox", "status", "--json")
        sinks = json.loads(told.stdout)["sinks"] if told.returncode == 0 else []
        return any(sink["name"] == name and sink["configured"] for sink in sinks)

    def drop(self, name):
        told = self.world.order("outbox", "drop-sink", name)
        if told.returncode != 0:
            self.ledger.complain(f"drop-sink {name}: {told.stderr}")
        self.void.setdefault(name, set()).update(event.mark for event in self.facts)
        for key in [key for key in self.world.seen if ("sink", name) in key]:
            del self.world.seen[key]  # if it is added again, its counters begin at 0

    def fill(self):
        self.full = True
        self.world.disk.full()

    def free(self):
        self.full = False
        self.world.disk.heal()

    def look(self):
        self.world.look()

    def settle(self):
        """End all faults, wait until everything is delivered, and check the records."""
        self.free()
        for place in self.places.values():
            place.mood = "well"
        until = time.monotonic() + self.patience * SLOW
        rounds = 0
        while (waiting := self.waiting()) and time.monotonic() < until:
            if rounds % 10 == 0:
                self.accept()  # the pump detects a bad record only when other records arrive
            rounds += 1
            time.sleep(0.02)
        if waiting:
            self.ledger.complain(f"still waiting for sinks: {waiting}")
        self.check_arrived()

    # Checks.

    def expected(self, sink):
        """Marks of the records that a sink must have, and of those that it may also have."""
        void = self.void.get(sink, set())
        must, may = set(), set()
        for event, fact in self.facts.items():
            if sink not in fact.may():
                continue
            is_fit = fact.kind == "good" or sink != "hook"  # other kinds are accepted in some moods
            is_due = event.record is not None and sink in fact.must() and event.mark not in void
            (must if is_fit and is_due else may).add(event.mark)
        return must, may

    def taken(self, sink):
        if sink != "archive":
            return self.places[sink].taken()
        texts = [path.read_bytes() for path in self.world.sink_files()]
        # An incomplete last line is being written, or the process ended while writing it.
        lines = [line for text in texts for line in text.split(b"\n")[:-1]]
        return [json.loads(line) for line in lines]

    def waiting(self):
        """The number of pending records of each sink that has any."""
        metrics = self.world.look()
        pending = {sink: metrics[("sluice_sink_pending", ("sink", sink))] for sink in self.sinks()}
        return {sink: count for sink, count in pending.items() if count}

    def check_arrived(self):
        for sink in ("archive", *self.places):
            must, may = self.expected(sink)
            records = self.taken(sink)
            times = {}
            for record in records:
                mark, when = record["interaction_id"], record["processed_at"]
                if times.setdefault(mark, when) != when:
                    self.ledger.complain(f"{sink}: {mark} was stored twice")
            if sink in self.sinks() and not must <= times.keys():
                lost = sorted(must - times.keys())
                self.ledger.complain(f"{sink}: {len(lost)} events are lost: {lost[:5]}")
            if not times.keys() <= must | may:
                strange = sorted(times.keys() - must - may)
                self.ledger.complain(f"{sink}: {len(strange)} are not for it: {strange[:5]}")
        self.check_order()

    def check_order(self):
        order = {event.mark: fact.order for event, fact in self.facts.items()}
        places = []
        for record in self.places["line"].taken():
            place = order.pop(record["interaction_id"], None)
            if place is not None:
                places.append(place)
        # If the first answer was lost, the event may have been accepted earlier than the model knows.
        sure = {fact.order for fact in self.facts.values() if len(fact.offered) == 1}
        places = [place for place in places if place in sure]
        for before, after in zip(places, places[1:]):
            if after < before:
                self.ledger.complain(f"line: number {before} came before number {after}")
                return

    @contextlib.contextmanager
    def copy(self):
        """A copy of the store with its write-ahead log, so that the check does not change the store."""
        with tempfile.TemporaryDirectory() as folder:
            for end in ("", "-wal"):
                path = self.world.store.with_name(self.world.store.name + end)
                if path.exists():
                    shutil.copy(path, folder)
            with contextlib.closing(sqlite3.connect(f"{folder}/{self.world.store.name}")) as db:
                yield db

    def look_into_the_store(self):
        """Compare the rows with the counters. No server may run."""
        with self.copy() as db:
            for sink, *counts in db.execute(
                "SELECT id, name, configured, cursor, until, enqueued, delivered, dead, dropped"
                " FROM sink"
            ):
                name, configured, cursor, until, enqueued, delivered, dead, dropped = counts
                last = 2**62 if configured else until
                rows = db.execute(
                    "SELECT (SELECT count(*) FROM record WHERE seq > ?1 AND seq <= ?2)"
                    " + (SELECT count(*) FROM retry WHERE sink = ?3)",
                    (cursor, last, sink),
                ).fetchone()[0]
                if rows != enqueued - delivered - dead - dropped:
                    self.ledger.complain(
                        f"{name}: {rows} rows wait, but {enqueued} enqueued, {delivered} delivered,"
                        f" {dead} dead, {dropped} dropped"
                    )
                rows = db.execute("SELECT count(*) FROM dead WHERE sink = ?", (sink,)).fetchone()
                if rows[0] != dead:
                    self.ledger.complain(f"{name}: {rows[0]} dead rows, {dead} counted")

    # The complete run.

    WEIGHTS = {
        accept: 40,
        repeat: 14,
        again: 8,
        array: 5,
        look: 5,
        mood: 5,
        refuse: 4,
        reuse: 3,
        poison: 2,
        clock: 2,
        kill: 1,
        reload: 1,
        fill: 0.7,
        settle: 0.7,
        change_sinks: 0.5,
        reload_sinks: 1,
    }

    def step(self):
        if self.full and self.rng.random() < 0.1:
            step = Life.free
        else:
            step = self.rng.choices(*zip(*self.WEIGHTS.items()))[0]
        self.history.append(step.__name__)
        step(self)

    def live(self, steps):
        """Make `steps` steps, or stop at the first violation. Returns all violations."""
        try:
            for _ in range(steps):
                self.step()
                if self.ledger.violations:
                    return self.ledger.violations + [f"after {' '.join(self.history[-40:])}"]
            return self.finish()
        except OSError as problem:
            code = self.world.server.process.poll()
            if code is None:
                raise
            stderr = self.world.server.stderr()
            return [*self.ledger.violations, f"the server left with {code}: {stderr} ({problem})"]
        except sqlite3.DatabaseError as problem:
            return [*self.ledger.violations, f"the store cannot be read: {problem}"]

    def finish(self):
        self.settle()
        retry_open(self.world, self.ledger, self.seed)
        for event in self.ledger.open():
            self.ledger.complain(f"{event.mark} is still not taken")
        self.world.stop()
        self.look_into_the_store()
        self.check_dead()
        verdict.check_store(self.world)
        return self.ledger.violations

    def check_dead(self):
        """Only events that the receiver refuses may be dead."""
        with self.copy() as db:
            dead = {row[0] for row in db.execute("SELECT key FROM dead JOIN record USING (seq)")}
        at_fault = {event.id for event, fact in self.facts.items() if fact.kind != "good"}
        innocent = sorted(key for key in dead if key.split(":")[0] not in at_fault)
        if innocent:
            self.ledger.complain(f"{len(innocent)} are dead for nothing: {innocent[:5]}")

    def summary(self):
        counts = {name: self.history.count(name) for name in sorted(set(self.history))}
        return f"{len(self.history)} steps {counts}; {self.world.lives} lives, {self.ledger.summary()}"
