"""kill -9 at random moments: every acknowledged event is stored once, in order."""

from trial import KILLS, Trial


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path, seed, rng, tell):
    with Trial(tmp_path, seed, rng) as trial:
        trial.crowd.start(pause=0.002)
        for _ in range(KILLS):
            trial.world.start()
            trial.world.look()
            trial.strike()
        violations = trial.finish()
        tell(trial.summary())
        assert violations == []
