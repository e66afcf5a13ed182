"""The contract of sinks (tests/e2e/test_sink_contract.py) against emulators by others; some check signatures and rights.

The relay lets calls and entries fail; what it passes on is answered by the emulator.
"""

import contextlib
import inspect

import pytest
import test_sink_contract as contract
from aws_services import DynamoInsert, DynamoReplace, EventBridge, Firehose, Kinesis, Sns, Sqs, SqsFifo
from emulators import Dynalite, KinesisLocal, Ministack, Moto
from relay import Relay
from test_sink_contract import peer, start  # noqa: F401: fixtures

SERVICES = {
    "kinesis": Kinesis,
    "sqs": Sqs,
    "sqs_fifo": SqsFifo,
    "sns": Sns,
    "eventbridge": EventBridge,
    "firehose": Firehose,
    "dynamodb_insert": DynamoInsert,
    "dynamodb_replace": DynamoReplace,
}
KINDS = {f"{peer.__name__}-{kind}": (peer, kind) for peer in (Ministack, Moto, Dynalite, KinesisLocal)
         for kind in peer.kinds}  # fmt: skip
PROMISES = [
    contract.test_a_call_that_fails_for_no_record_is_tried_again,
    contract.test_a_failure_at_any_place_of_a_call_is_of_this_record_alone,
    contract.test_by_key_the_records_of_a_key_arrive_in_order,
    contract.test_each_record_arrives_unharmed,
    contract.test_in_order_each_record_has_its_own_call,
    contract.test_killed_in_the_middle_nothing_is_lost,
    contract.test_many_records_share_calls,
    contract.test_the_drain_delivers_what_waits,
    contract.test_without_a_good_answer_records_are_tried_again,
]


SHOWS_NO_ORDER = "what arrived is not read in the order in which it arrived"
# Promises that cannot be seen with an emulator, by words of their names.
EXCEPTIONS = {
    ("sns", "at_any_place"): "the relay changes calls in JSON only",
    ("firehose", "in_order"): SHOWS_NO_ORDER,
    ("Dynalite", "in_order"): SHOWS_NO_ORDER,
    ("Moto-sqs_fifo", "killed"): "moto forgets the deduplication id of a message that is deleted",
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    """`emulator(Moto)` returns the one that runs, or starts it."""
    with contextlib.ExitStack() as stack:
        running = {}

        def get(which):
            if which not in running:
                running[which] = stack.enter_context(which(tmp_path_factory.mktemp(which.__name__)))
            return running[which]

        yield get


@pytest.fixture(params=KINDS)
def kind(request, emulator):
    """A kind with a new target, and a key that may only write to it."""
    which, make = KINDS[request.param]
    if which.missing():
        pytest.skip(which.missing())
    running = emulator(which)
    target = getattr(running, make)()
    target.key = running.user(running.name(), target.right)

    def start():
        relay = Relay(SERVICES[make](), target)
        relay.service.table = target.sink.get("table")
        return relay

    known = contract.KINDS[make.replace("_", "-")]
    return contract.Kind(start, known.longest, known.traits)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__.removeprefix("test_"))
def test_it_keeps_the_promise(request, start, peer, kind, event, promise):  # noqa: F811
    for words, reason in EXCEPTIONS.items():
        if all(word in request.node.name for word in words):
            pytest.skip(reason)
    values = {"start": start, "peer": peer, "kind": kind, "event": event}
    promise(**{name: values[name] for name in inspect.signature(promise).parameters})
