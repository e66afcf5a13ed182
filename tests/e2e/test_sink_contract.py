"""The contract of a sink, for each kind: what arrives, what waits, what is set aside, and what is said.

KINDS has a row for each kind. A row's `start` makes a peer with the members of aws_targets.AwsTarget that the
tests use; ENTRY_FAULTS and CALL_FAULTS of its service name what it can be told to do. The class of a fault is
the same for all kinds:

    own...                            the record is at fault: it is set aside, and no other one is
    configuration, denied, kms, ...   everything waits, and nothing is set aside
    all others                        tried again until it arrives

What a kind has of its own (limits, codes, answers) is tested with each kind; one server sees all faults of a kind
in turn. What the kinds share (the pump and delivery/sinks/entries.h; tests marked `shared`) is tested with FEW
kinds, and with all in the long form, `make contracttest`.
"""

import dataclasses
import json
import os
import signal
import threading
import time

import pytest

from aws_services import DynamoInsert, DynamoReplace, EventBridge, Firehose, Kinesis, Sns, SnsFifo, Sqs, SqsFifo
from aws_targets import AwsTarget, Fault
from server import SLOW, route, wait_for
from test_sinks import arrives, counters, name, post

STORE = {"path": "var/sluice.db"}
MIB = 1024 * 1024
HAS_ENTRIES = "has_entries"  # a call has several records, and each has its own outcome
DEDUPLICATES = "deduplicates"  # a record that comes again does not arrive again


@dataclasses.dataclass(frozen=True)
class Kind:
    start: object  # makes the peer, a context manager
    longest: int  # bytes of a record that the target takes at most, its key included
    traits: frozenset = frozenset()

    @property
    def service(self):
        return self.start().service


KINDS = {
    "kinesis": Kind(lambda: AwsTarget(Kinesis()), 10 * MIB, frozenset({HAS_ENTRIES})),
    "sqs": Kind(lambda: AwsTarget(Sqs()), MIB, frozenset({HAS_ENTRIES})),
    "sqs-fifo": Kind(
        lambda: AwsTarget(SqsFifo()), MIB, frozenset({HAS_ENTRIES, DEDUPLICATES})
    ),
    "firehose": Kind(lambda: AwsTarget(Firehose()), 1024000, frozenset({HAS_ENTRIES})),
    "eventbridge": Kind(lambda: AwsTarget(EventBridge()), MIB, frozenset({HAS_ENTRIES})),
    "sns": Kind(lambda: AwsTarget(Sns()), 256 * 1024, frozenset({HAS_ENTRIES})),
    "sns-fifo": Kind(
        lambda: AwsTarget(SnsFifo()), 256 * 1024, frozenset({HAS_ENTRIES, DEDUPLICATES})
    ),
    "dynamodb-insert": Kind(
        lambda: AwsTarget(DynamoInsert()), 400 * 1024, frozenset({HAS_ENTRIES, DEDUPLICATES})
    ),
    "dynamodb-replace": Kind(
        lambda: AwsTarget(DynamoReplace()), 400 * 1024, frozenset({HAS_ENTRIES, DEDUPLICATES})
    ),
}
IS_LONG = os.environ.get("SLUICE_CONTRACT") == "long"
FEW = list(KINDS) if IS_LONG else ["kinesis", "sns-fifo", "dynamodb-insert"]  # one of each kind of answer
OWN = ("own", "own_unknown")
CONFIGURATION = ("configuration", "denied", "kms", "security", "source", "expired", "clock")

shared = pytest.mark.parametrize("kind", FEW, indirect=True)


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def peer(kind):
    with kind.start() as peer:
        yield peer


@pytest.fixture
def start(sluice, peer):
    """`start(batch=5)` starts a server with a sink of the kind, with these keys."""

    def serve(store=None, http=None, **keys):
        return sluice(
            env=peer.environment(),
            http={"max_body": "16MiB", "max_inflight_bytes": "256MiB", "deadline": "60s"} | (http or {}),
            store=STORE if store is None else store,
            routes=[route(match={"source": "genesyscloud"})],  # not what the target may send back
            sinks=[peer.sink(**keys)],
        )

    return serve


def faults_of(faults, want):
    """The names of the faults that `want` takes."""
    return [fault for fault in faults if want(fault)]


def ids(records):
    return [record["interaction_id"] for record in records]


def hold(peer, server, event, names):
    """Post the events while the target is throttled, so that they wait for one call."""
    peer.plan = lambda entries: Fault(call="later")
    post(server, event, names)
    peer.wait(lambda peer: peer.calls)


def restart(server):
    return type(server)(server.folder, None, text=server.file.read_text(), env=server.env).wait_ready()


# What arrives.


TEXTS = ["", " ", "é€😀", "\x00\x01\x1f\x7f\x85", "\ufffe\uffff", "\ufffd\u2028", '"\\/', "\ud7ff\ue000", "x" * 30000]


def test_each_record_arrives_unharmed(start, peer, event):
    server = start()
    answers = []
    for number, text in enumerate(TEXTS):
        event["id"] = f"e{number}"
        event["detail"]["interaction"]["customer"]["name"] = text
        event["detail"]["interaction"]["attributes"] = {"a": [1e400, None, {}], f"k{text}".replace("\0", ""): text}
        body = json.dumps(event, ensure_ascii=False).replace("Infinity", "1e400")
        answer = server.post(body.encode())
        assert answer.status == 200, answer.body[:300]
        answers.append(answer.json)
    assert arrives(server, "target")["delivered"] == len(TEXTS)
    key = lambda record: json.dumps(record, sort_keys=True)  # noqa: E731
    assert sorted(map(key, peer.arrived())) == sorted(map(key, answers))


def test_many_records_share_calls(start, peer, event):
    """After an overload, with one record a call, calls grow."""
    server = start()
    hold(peer, server, event, name("e", 100))
    most = min(20, peer.service.most_entries)
    calls = len(peer.calls)
    peer.plan = None
    assert arrives(server, "target")["delivered"] == 100
    assert sorted(ids(peer.arrived())) == sorted(name("e", 100))
    assert max(len(peer.service.entries(call)) for call in peer.calls[calls:]) >= most


@shared
def test_batch_limits_the_records_of_a_call(start, peer, event):
    server = start(batch=3)
    hold(peer, server, event, name("e", 10))
    peer.plan = None
    arrives(server, "target")
    assert {len(peer.service.entries(call)) for call in peer.calls} <= {1, 2, 3}


@shared
def test_in_order_each_record_has_its_own_call(start, peer, event):
    server = start(ordered=True)
    hold(peer, server, event, name("e", 5))
    peer.plan = None
    peer.next(Fault(), Fault(call="later"), Fault(call="broken"))
    arrives(server, "target")
    assert ids(peer.arrived()) == name("e", 5)
    assert {len(peer.service.entries(call)) for call in peer.calls} == {1}


@shared
def test_by_key_the_records_of_a_key_arrive_in_order(start, peer, kind, event):
    server = start(ordered="key", key="/queue_id")
    peer.plan = lambda entries: Fault(call="later")
    names = [f"{group}-{number:02}" for number in range(10) for group in "abc"]
    for one in names:
        event["detail"]["interaction"]["routing"]["queue_id"] = one[0]
        post(server, event, [one])
    peer.wait(lambda peer: peer.calls)
    faults = [Fault(call="broken"), Fault(), Fault(call="later")]
    if HAS_ENTRIES in kind.traits:
        faults += [Fault(entries={0: "later"}), Fault(entries={1: "later"}), Fault()] * 2
    peer.plan = None
    peer.next(*faults)
    arrives(server, "target")
    arrived = ids(peer.arrived())
    assert sorted(arrived) == sorted(names)
    for group in "abc":
        assert [one for one in arrived if one[0] == group] == [one for one in names if one[0] == group]


def large(event, size):
    event["id"] = event["detail"]["interaction"]["id"] = "large"
    event["detail"]["interaction"]["attributes"] = {"blob": "x" * size}
    return event


def test_the_longest_record_arrives_and_a_longer_one_is_dead_before_it_is_sent(start, peer, kind, event):
    server = start(timeout="60s")
    assert server.post(large(event, kind.longest - 2048)).status == 200
    assert arrives(server, "target")["delivered"] == 1
    assert server.post(large(event, kind.longest) | {"id": "larger"}).status == 200
    event["detail"]["interaction"].pop("attributes")
    post(server, event, name("e", 3))
    wait_for(lambda: counters(server, "target")["dead"] == 1, "a dead record")
    assert arrives(server, "target")["delivered"] == 4
    assert sorted(ids(peer.arrived())) == [*name("e", 3), "large"]
    assert "bytes" in server.wait_log(event="sink_record_dead", sink="target")["reason"]
    assert server.metric('sluice_sink_attempts_total{sink="target",result="impossible"}') == 1


@shared
def test_no_more_calls_are_in_flight_than_allowed(start, peer, event):
    server = start(in_flight=3, batch=2)
    hold(peer, server, event, name("e", 30))
    peer.most_in_flight = 0
    peer.plan = lambda entries: Fault(delay=0.05)
    assert arrives(server, "target")["delivered"] == 30
    assert peer.most_in_flight == 3


# Entries that fail while others of their call arrive.


def fails_at_each_place(peer, server, event, fault, is_twice):
    """Let an entry fail at each of the five places of a call. `is_twice`: it arrives nevertheless."""
    done = set()  # the places that were tried: a call can have fewer records than wait
    for again in range(50):
        place = min(set(range(5)) - done)
        names = name(f"{fault}{again}-", 5)
        hold(peer, server, event, names)

        def fail(entries, place=place):
            if place in done or len(entries) <= place:
                return None
            done.add(place)
            return Fault(entries={place: fault})

        peer.plan = fail
        arrives(server, "target")
        arrived = [one for one in ids(peer.arrived()) if one in names]
        assert len(arrived) == 5 + (is_twice and place in done) and set(arrived) == set(names)
        if len(done) == 5:
            return
    raise AssertionError(f"only the places {done} were tried")


def test_a_failure_at_any_place_of_a_call_is_of_this_record_alone(start, peer, kind, event):
    if HAS_ENTRIES not in kind.traits:
        pytest.skip("a call has one outcome")
    server = start(batch=5)
    fails_at_each_place(peer, server, event, "later", False)
    fails_at_each_place(peer, server, event, "missing", DEDUPLICATES not in kind.traits)


def test_all_entries_of_a_call_can_fail(start, peer, kind, event):
    if HAS_ENTRIES not in kind.traits:
        pytest.skip("a call has one outcome")
    server = start()
    hold(peer, server, event, name("e", 5))
    peer.plan = None
    peer.next(Fault(entries=dict.fromkeys(range(10), "later")))
    arrives(server, "target")
    assert sorted(ids(peer.arrived())) == name("e", 5)


def is_sinks(fault):
    return fault in (*CONFIGURATION, "later", "throttled")


# max_attempts is also for a record that alone has an error which is not the sink's.
@pytest.mark.parametrize("max_attempts", [1, 0])
def test_an_entry_that_is_not_at_fault_is_tried_again(start, peer, event, max_attempts):
    faults = faults_of(
        peer.service.ENTRY_FAULTS, lambda fault: fault not in OWN and is_sinks(fault) == bool(max_attempts)
    )
    server = faults and start(max_attempts=max_attempts)
    for fault in faults:
        hold(peer, server, event, name(fault, 4))

        def poisoned(entries, fault=fault):
            return Fault(entries={i: fault for i, one in enumerate(entries) if fault + "0" in str(one)})

        peer.plan = poisoned
        wait_for(lambda: counters(server, "target")["pending"] == 1, f"three records, {fault}")
        calls = len(peer.calls)
        peer.wait(lambda peer, calls=calls: len(peer.calls) > calls + 5)
        assert counters(server, "target")["dead"] == 0
        peer.plan = None
        arrives(server, "target")
    assert sorted(ids(peer.arrived())) == sorted(one for fault in faults for one in name(fault, 4))


def has_died(server, count):
    wait_for(lambda: counters(server, "target")["dead"] == count, "a dead record")
    arrives(server, "target")


def test_a_record_at_fault_is_set_aside_alone(start, peer, event):
    server = start(max_attempts=2)
    own = lambda fault: fault in OWN  # noqa: E731
    names = []
    faults = [(fault, True) for fault in faults_of(peer.service.ENTRY_FAULTS, own)]
    faults += [(fault, False) for fault in faults_of(peer.service.CALL_FAULTS, own)]
    for number, (fault, of_entry) in enumerate(faults):
        good = [*name(f"a{number}-", 9), *name(f"b{number}-", 9)]
        hold(peer, server, event, [*good[:9], f"poison{number}", *good[9:]])

        def poisoned(entries, fault=fault, of_entry=of_entry):
            at_fault = {i: fault for i, one in enumerate(entries) if "poison" in str(one)}
            return Fault(entries=at_fault) if of_entry else Fault(call=fault if at_fault else "")

        peer.plan = poisoned
        has_died(server, number + 1)
        names += good
        assert sorted(ids(peer.arrived())) == sorted(names)
        code = (peer.service.ENTRY_FAULTS[fault] if of_entry else peer.service.CALL_FAULTS[fault][::-1])[0]
        server.wait_text(lambda line, code=code: '"sink_record_dead"' in line and code in line)


# Calls that fail as a whole.


def test_a_call_that_fails_for_no_record_is_tried_again(start, peer, event):
    server = start(max_attempts=1)
    misconfigured = 'sluice_sink_attempts_total{sink="target",result="misconfigured"}'
    faults = faults_of(peer.service.CALL_FAULTS, lambda fault: fault not in OWN)
    for fault in faults:
        before = server.metric(misconfigured)
        calls = len(peer.calls)
        peer.plan = lambda entries, fault=fault: Fault(call=fault)
        post(server, event, name(fault, 12))
        peer.wait(lambda peer, calls=calls: len(peer.calls) > calls + 5)
        found = counters(server, "target")
        assert (found["dead"], found["pending"]) == (0, 12)
        is_configuration = fault in CONFIGURATION
        said = "sink_misconfigured" if is_configuration else "sink_failed"
        code = peer.service.CALL_FAULTS[fault][1].split("#")[-1]
        line = server.wait_text(lambda line, said=said, code=code: f'"{said}"' in line and code in line)
        assert "eu-west-1" in line
        assert "told by the test" in line or not is_configuration
        assert (server.metric(misconfigured) > before) == is_configuration
        peer.plan = None
        arrives(server, "target")
    assert sorted(ids(peer.arrived())) == sorted(one for fault in faults for one in name(fault, 12))


def test_without_a_good_answer_records_are_tried_again(start, peer, kind, event):
    server = start(max_attempts=3, timeout="1s")
    for fault in ("garbage", "html", "empty", "reset", "lost", "hang"):
        peer.next(Fault(call=fault))
        post(server, event, name(fault, 3))
        arrives(server, "target")
        arrived = [one for one in ids(peer.arrived()) if one.startswith(fault)]
        assert set(arrived) == set(name(fault, 3))
        stored_twice = fault in ("garbage", "empty", "lost") and DEDUPLICATES not in kind.traits
        assert (len(arrived) > 3) == stored_twice, fault
    assert counters(server, "target")["dead"] == 0
    for record in peer.arrived():
        same = [one for one in peer.stored() if json.loads(one.data) == record]
        assert {(one.data, one.key) for one in same} == {(same[0].data, same[0].key)}


# Start, stop and kill.


@shared
def test_a_hanging_target_does_not_hold_the_server(start, peer, event):
    server = start(timeout="600s")
    peer.plan = lambda entries: Fault(call="hang")
    post(server, event, name("e", 5))
    peer.wait(lambda peer: peer.calls)
    assert server.get("/readyz").status == 200
    before = time.monotonic()
    server.stop()
    assert time.monotonic() - before < 8 * SLOW
    peer.plan = None
    server = restart(server)
    assert arrives(server, "target")["delivered"] == 5
    assert sorted(ids(peer.arrived())) == name("e", 5)
    server.stop()


@shared
def test_the_drain_delivers_what_waits(start, peer, event):
    server = start(batch=2)
    hold(peer, server, event, name("e", 20))
    peer.plan = lambda entries: Fault(delay=0.01)
    peer.wait(lambda peer: peer.arrived())
    server.stop()
    assert sorted(ids(peer.arrived())) == sorted(name("e", 20))


@shared
def test_killed_in_the_middle_nothing_is_lost(start, peer, kind, event):
    server = start(batch=2)
    hold(peer, server, event, name("e", 20))
    peer.plan = lambda entries: Fault(delay=0.02)
    peer.wait(lambda peer: len(peer.arrived()) >= 4)
    server.signal(signal.SIGKILL)
    server.discard()
    server = restart(server)
    arrives(server, "target")
    arrived = ids(peer.arrived())
    assert set(arrived) == set(name("e", 20))
    if DEDUPLICATES in kind.traits:
        assert len(arrived) == 20
    server.stop()


@shared
def test_without_a_store_a_200_means_that_it_arrived(start, peer, event):
    server = start(store={"path": ""}, http={"deadline": "1s"})
    post(server, event, name("e", 5))
    assert ids(peer.arrived()) == name("e", 5)
    peer.plan = lambda entries: Fault(call="denied")
    assert server.post(event | {"id": "late"}).status == 503
    peer.plan = lambda entries: Fault(entries={0: "later"}) if len(peer.calls) % 2 else None
    threads = [
        threading.Thread(target=lambda n: answers.append(server.post(event | {"id": n}).status), args=(n,))
        for n in name("t", 8)
    ]
    answers = []
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 503} and 200 in answers
    assert len(peer.arrived()) >= 5 + answers.count(200)
