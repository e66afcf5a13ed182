"""Several callers send every event ten times, across restarts: the outbox has it once."""

import threading
import time

from load import Concurrent
from trial import Trial

EVENTS, TIMES, CALLERS, KILLS = 400, 10, 8, 6


def test_a_storm_of_duplicates(tmp_path, seed, rng, tell):
    with Trial(tmp_path, seed, rng, held=True) as trial:
        callers = [
            Concurrent(f"storm{i}", trial.world, trial.ledger, seed) for i in range(CALLERS)
        ]
        events = [callers[0].new_event() for _ in range(EVENTS)]
        copies = events * TIMES
        rng.shuffle(copies)

        def work(caller, share):
            for event in share:
                while not caller.offer(event) and not caller.stopping.is_set():
                    pass
            caller.close()

        threads = [
            threading.Thread(target=work, args=(caller, copies[i::CALLERS]), daemon=True)
            for i, caller in enumerate(callers)
        ]
        trial.world.start()
        for thread in threads:
            thread.start()
        for kill in range(1, KILLS + 1):
            share = EVENTS * TIMES * kill / (KILLS + 1)
            while trial.ledger.counts.get(200, 0) < share and not trial.ledger.violations:
                time.sleep(0.005)
            trial.world.kill()
            trial.world.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        violations = trial.finish()
        tell(trial.summary())
        assert violations == []
        assert trial.ledger.counts[200] >= EVENTS * TIMES
