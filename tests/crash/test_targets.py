"""kill -9 while records go to services of AWS: none is lost, and DynamoDB has one item for each event."""

import collections

import pytest

import verdict
from aws_targets import AwsTarget, DynamoInsert, Fault, Kinesis
from trial import KILLS, LONG, Trial

SHORT = 5  # kills of the short form


class Storm:
    """Each tenth call fails, each tenth is stored without an answer, and each tenth fails for one entry."""

    def __init__(self, rng):
        self.rng = rng

    def __call__(self, entries):
        draw = self.rng.randrange(10)
        if draw == 0:
            return Fault(call="broken")
        if draw == 1:
            return Fault(call="lost")
        if draw == 2:
            return Fault(entries={self.rng.randrange(len(entries)): "later"})
        return Fault(delay=0.005)


@pytest.mark.parametrize("service", [Kinesis, DynamoInsert])
def test_killed_at_any_time_each_record_arrives(tmp_path, seed, rng, tell, service):
    with AwsTarget(service()) as peer, Trial(tmp_path, seed, rng, target=peer) as trial:
        peer.plan = Storm(rng)
        trial.crowd.start(pause=0.002)
        for _ in range(KILLS if LONG else SHORT):
            trial.world.start()
            trial.world.look()
            trial.strike()
        peer.plan = None
        violations = trial.finish()
        arrived = peer.arrived()
        repeated = verdict.check_delivered(trial.ledger, "target", arrived, ordered=False)
        tell(f"{trial.summary()}; {len(arrived)} records in {len(peer.calls)} calls, {repeated} again")
        assert violations == []
        if service is DynamoInsert:
            marks = collections.Counter(record["interaction_id"] for record in arrived)
            assert set(marks.values()) == {1}
