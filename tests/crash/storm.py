"""Faults of the targets that crash tests deliver to."""

import threading

from aws_targets import Fault


class Storm:
    """Each tenth call fails, each tenth is stored without an answer, and each tenth fails for one entry. While it
    `is_down` no call is answered; the one that the outage interrupts may be stored."""

    def __init__(self, rng):
        self.rng = rng
        self.lock = threading.Lock()
        self.is_down = False

    def draw(self):
        with self.lock:
            if self.is_down:
                return "reset"
            return {0: "broken", 1: "lost", 2: "entry"}.get(self.rng.randrange(10), "")

    def of_entries(self, entries):
        call = self.draw()
        if call == "entry":
            return Fault(entries={self.rng.randrange(len(entries)): "later"})
        return Fault(call=call) if call else Fault(delay=0.005)

    def of_object(self, method, _):
        return self.draw().replace("entry", "") if method == "PUT" else None
