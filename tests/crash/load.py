"""Clients of the server ("callers"), and a ledger of the events that they sent and the answers."""

import json
import random
import threading
import time

from client import Closed, Connection, encode, request
from server import RELEASE, ROOT

SAMPLE = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
PATIENCE = 8  # seconds; a caller's time limit for an answer (EventBridge: 5)
LATEST = 5.0 if RELEASE else 60.0  # seconds; a later answer is a violation


class Event:
    """One event, sent until it is answered 200. `mark` identifies its record."""

    def __init__(self, client, number, rng, event_id=None):
        self.client = client
        self.number = number
        self.mark = f"{client}-{number:06}"
        self.id = event_id or f"id-{self.mark}"
        self.record = None  # the body of the first 200; b"": it was sent in an array
        self.known_at = None  # time of the first acknowledgement
        self.taken_as_new = 0
        self.refused = False
        event = json.loads(json.dumps(SAMPLE))
        event["id"] = self.id
        event["time"] = rng.choice(
            (
                time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - rng.random() * 7200)),
                "2024-01-15T10:30:00Z",
                "2099-12-31T23:59:59Z",
                "yesterday",
                None,
            )
        )
        interaction = event["detail"]["interaction"]
        interaction["id"] = self.mark
        interaction["customer"]["name"] = "x" * rng.choice((0, 8, 200, 200, 20000))
        self.event = event

    @property
    def body(self):
        return encode(self.event)


class Ledger:
    """What was sent and answered, and the violations found. Any thread may use it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.events = []
        self.refusals = {}  # id to invalid event, of those answered 400
        self.violations = []
        self.counts = {}  # number of answers by status
        self.slowest = 0.0
        self.duplicates = 0

    def add(self, event):
        with self.lock:
            self.events.append(event)
        return event

    def complain(self, text):
        with self.lock:
            self.violations.append(text)

    def count(self, status, seconds):
        with self.lock:
            self.counts[status] = self.counts.get(status, 0) + 1
            self.slowest = max(self.slowest, seconds)
        if seconds > LATEST:
            self.complain(f"an answer ({status}) took {seconds:.2f} s")

    def acknowledged(self):
        with self.lock:
            return [event for event in self.events if event.record is not None]

    def open(self):
        with self.lock:
            return [event for event in self.events if event.record is None]

    def accept(self, event, record, duplicate, begun):
        """Note a 200 for `event`, sent at `begun`. A duplicate must be marked and have the same body."""
        with self.lock:
            first, known_at = event.record, event.known_at
            if not first:
                event.record = record
            if known_at is None:
                event.known_at = time.monotonic()
            event.taken_as_new += not duplicate
            self.duplicates += duplicate
            news = event.taken_as_new
        if record and json.loads(record).get("interaction_id") != event.mark:
            self.complain(f"{event.mark} was answered with another record: {record[:200]!r}")
        if not duplicate and (news > 1 or (known_at is not None and begun > known_at)):
            self.complain(f"{event.mark} was acknowledged before and is taken as new")
        if first and record and first != record:
            self.complain(f"{event.mark} has two records: {first[:400]!r} and {record[:400]!r}")

    def summary(self):
        return (
            f"{len(self.events)} events, {len(self.acknowledged())} acknowledged, "
            f"{self.duplicates} told as duplicates, answers {dict(sorted(self.counts.items()))}, "
            f"slowest {self.slowest:.2f} s"
        )


class Caller(threading.Thread):
    """Sends until `stopping`, on its own connection, which it opens again after the server has ended."""

    def __init__(self, name, world, ledger, seed):
        super().__init__(name=name, daemon=True)
        self.world = world
        self.ledger = ledger
        self.rng = random.Random(f"{seed}/{name}")
        self.connection = None
        self.stopping = threading.Event()
        self.number = 0
        self.pause = 0.0  # seconds between requests

    def new_event(self, event_id=None):
        self.number += 1
        return self.ledger.add(Event(self.name, self.number, self.rng, event_id))

    def send(self, body, headers=None):
        """Send once. Returns the answer or None."""
        begun = time.monotonic()
        try:
            if not self.connection:
                self.connection = Connection(self.world.address(), PATIENCE)
                begun = time.monotonic()
            self.connection.send(request("POST", "/events", body, headers))
            answer = self.connection.answer()
        except TimeoutError:
            self.ledger.count("none", time.monotonic() - begun)
            answer = None
        except (Closed, OSError):
            answer = None
        if answer is None:
            self.close()
            self.stopping.wait(0.002)
        else:
            self.ledger.count(answer.status, time.monotonic() - begun)
            if (answer.header("connection") or "").lower() == "close":
                self.close()
        return answer

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def offer(self, event):
        """Send the event once. True: it is acknowledged."""
        begun = time.monotonic()
        answer = self.send(event.body)
        if answer is None:
            return False
        if answer.status == 200:
            duplicate = answer.header("sluice-duplicate") == "true"
            self.ledger.accept(event, answer.body, duplicate, begun)
            return True
        self.check_failure(answer, event.mark)
        return False

    def check_failure(self, answer, what):
        if answer.status != 503:
            self.ledger.complain(f"{what} is valid and was answered {answer!r}")
        elif not (answer.header("retry-after") or "").isdigit():
            self.ledger.complain(f"503 without Retry-After: {answer!r}")
        self.stopping.wait(0.01)

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step()
                if self.pause:
                    self.stopping.wait(self.pause)
        except Exception as problem:  # an unnoticed end of a caller would make the test worthless
            self.ledger.complain(f"{self.name} ended: {problem!r}")
            raise
        finally:
            self.close()


class Sequential(Caller):
    """Sends an event only after the previous one is acknowledged, so records must keep this order."""

    def step(self):
        event = self.new_event()
        while not self.offer(event) and not self.stopping.is_set():
            pass


class Concurrent(Caller):
    """Sends each event once, and retries events without an acknowledgement later."""

    def step(self):
        if self.rng.random() < 0.2:
            mine = [event for event in self.ledger.open() if event.client == self.name]
            if mine:
                self.offer(self.rng.choice(mine))
                return
        self.offer(self.new_event())


class Reuser(Caller):
    """Sends another event with the same id and other content, which must be accepted as new."""

    def step(self):
        event = self.new_event()
        again = self.new_event(event.id)
        for one in (event, again):
            while not self.offer(one) and not self.stopping.is_set():
                pass


class Repeater(Caller):
    """Sends acknowledged events again, which must be duplicates."""

    def step(self):
        with self.ledger.lock:
            count = len(self.ledger.events)
            event = self.ledger.events[self.rng.randrange(count)] if count else None
        if event and event.record is not None:
            self.offer(event)
        else:
            self.stopping.wait(0.01)


class Batches(Caller):
    """Sends arrays of new events, an acknowledged one and a repeated one."""

    def step(self):
        events = [self.new_event() for _ in range(self.rng.randint(1, 20))]
        known = self.ledger.acknowledged()
        events += [self.rng.choice(known)] if known else []
        events += [events[0]]  # the same event twice in one array
        self.rng.shuffle(events)
        for _ in range(3):
            events = self.offer_all(events)
            if not events or self.stopping.is_set():
                return

    def offer_all(self, events):
        """Send the events in one array. Returns those that are not acknowledged."""
        begun = time.monotonic()
        answer = self.send(encode([event.event for event in events]))
        if answer is None:
            return events
        if answer.status not in (200, 503):
            self.ledger.complain(f"a batch of valid events was answered {answer!r}")
            return events
        if "results" not in answer.json:
            self.check_failure(answer, "a batch")
            return events
        results = answer.json["results"]
        if len(results) != len(events):
            self.ledger.complain(f"{len(events)} events, {len(results)} results")
            return events
        return [
            event
            for event, result in zip(events, results, strict=True)
            if not self.take(event, result, begun)
        ]

    def take(self, event, result, begun):
        """Note the result of an element; it has no record to compare. True: the event is acknowledged."""
        if result["status"] == 200:
            self.ledger.accept(event, b"", bool(result.get("duplicate")), begun)
            return True
        if result["status"] != 503:
            self.ledger.complain(f"{event.mark} is valid and was answered {result}")
        return False


class Wrong(Caller):
    """Sends invalid events, which must be answered 400 and be in the quarantine then."""

    def step(self):
        event = Event(self.name, self.number, self.rng)
        self.number += 1
        del event.event["detail"]["interaction"]["id"]
        answer = self.send(event.body)
        if answer is None:
            return
        if answer.status == 400:
            with self.ledger.lock:
                self.ledger.refusals[event.id] = event
        else:
            self.check_failure(answer, f"the wrong event {event.id}")


class Crowd:
    """A group of callers."""

    def __init__(self, world, ledger, seed, kinds):
        self.ledger = ledger
        self.callers = [
            kind(f"{kind.__name__.lower()}{i}", world, ledger, seed)
            for kind, count in kinds.items()
            for i in range(count)
        ]

    def start(self, pause=0.0):
        for caller in self.callers:
            caller.pause = pause
            caller.start()

    def stop(self):
        started = [caller for caller in self.callers if caller.ident]
        for caller in started:
            caller.stopping.set()
        for caller in started:
            caller.join(2 * PATIENCE)
            if caller.is_alive():
                self.ledger.complain(f"{caller.name} does not end")


EVERYBODY = {Sequential: 2, Concurrent: 4, Batches: 1, Repeater: 1, Reuser: 1, Wrong: 1}


def retry_open(world, ledger, seed, seconds=10):
    """Send every event without an acknowledgement until it is answered 200, for at most `seconds`."""
    callers = [Concurrent(f"last{i}", world, ledger, seed) for i in range(4)]
    until = time.monotonic() + seconds

    def work(caller, share):
        for event in share:
            while not caller.offer(event) and time.monotonic() < until:
                caller.stopping.wait(0.01)
        caller.close()

    left = ledger.open()
    threads = [
        threading.Thread(target=work, args=(caller, left[i :: len(callers)]), daemon=True)
        for i, caller in enumerate(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for event in ledger.open():
        ledger.complain(f"{event.mark} is not taken within {seconds} s")
    return len(left)
