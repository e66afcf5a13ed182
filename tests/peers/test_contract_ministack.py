"""The contract of sinks (tests/e2e/test_sink_contract.py) against an emulator by others, with signatures and rights.

The relay lets calls and entries fail; what it passes on is answered by the emulator.
"""

import pytest
import test_sink_contract as contract
from aws_services import DynamoInsert, DynamoReplace, EventBridge, Kinesis, Sns, Sqs, SqsFifo
from ministack import Ministack, is_installed
from relay import Relay
from test_sink_contract import (  # noqa: F401: fixtures and tests
    peer,
    start,
    test_a_call_that_fails_for_no_record_is_tried_again,
    test_by_key_the_records_of_a_key_arrive_in_order,
    test_each_record_arrives_unharmed,
    test_in_order_each_record_has_its_own_call,
    test_killed_in_the_middle_nothing_is_lost,
    test_many_records_share_calls,
    test_the_drain_delivers_what_waits,
    test_without_a_good_answer_records_are_tried_again,
)

pytestmark = pytest.mark.skipif(not is_installed(), reason="ministack could not be installed")
KINDS = {
    "kinesis": (Kinesis, "kinesis"),
    "sqs": (Sqs, "sqs"),
    "sqs-fifo": (SqsFifo, "sqs_fifo"),
    "sns": (Sns, "sns"),
    "eventbridge": (EventBridge, "eventbridge"),
    "dynamodb-insert": (DynamoInsert, "dynamodb_insert"),
    "dynamodb-replace": (DynamoReplace, "dynamodb_replace"),
}


@pytest.fixture(scope="module")
def ministack(tmp_path_factory):
    with Ministack(tmp_path_factory.mktemp("ministack")) as peer:
        yield peer


@pytest.fixture(params=KINDS)
def kind(request, ministack):
    """A kind with a new target, and a key that may only write to it."""
    if request.param not in KINDS:
        pytest.skip("tested with other kinds")
    service, make = KINDS[request.param]
    target = getattr(ministack, make)()
    target.key = ministack.user(ministack.name(), target.right)

    def start():
        relay = Relay(service(), target)
        relay.service.table = target.sink.get("table")
        return relay

    return contract.Kind(start, contract.KINDS[request.param].longest, contract.KINDS[request.param].traits)


def test_a_failure_at_any_place_of_a_call_is_of_this_record_alone(start, peer, kind, event):  # noqa: F811
    if peer.service.kind == "sns":
        pytest.skip("the relay changes calls in JSON only")
    contract.test_a_failure_at_any_place_of_a_call_is_of_this_record_alone(start, peer, kind, event)
