"""The sinks of AWS against an emulator by others, which checks signatures and rights."""

import json
import signal

import pytest
from aws_signatures import environment
from emulators import Ministack
from server import wait_for
from test_sinks import STORE, arrives, counters, name, post

pytestmark = pytest.mark.skipif(bool(Ministack.missing()), reason=Ministack.missing() or "-")
KINDS = ["kinesis", "sqs", "sqs_fifo", "dynamodb_insert", "dynamodb_replace"]
TEXTS = ["", "é€😀", "\x00\x01\x1f\x7f", "\ufffe\uffff", "\u2028", '"\\/']


@pytest.fixture(scope="module", params=KINDS)
def kind(request, tmp_path_factory):
    """A kind with its target and a key that may write to it."""
    with Ministack(tmp_path_factory.mktemp("ministack")) as peer:
        kind = getattr(peer, request.param)()
        kind.key = peer.user("sluice", kind.right)
        kind.stranger = peer.user("stranger", [])
        yield kind


def ids(kind, prefix):
    found = [json.loads(data)["interaction_id"] for data in kind.arrived()]
    return sorted(one for one in found if one.startswith(prefix))


def test_records_arrive_unharmed(sluice, event, kind):
    server = sluice(env=environment(kind.key), store=STORE, sinks=[kind.sink])
    answers = []
    for number, text in enumerate(TEXTS):
        event["id"] = event["detail"]["interaction"]["id"] = f"text{number}"
        event["detail"]["interaction"]["customer"]["name"] = text
        answers.append(server.post(json.dumps(event).encode()).json)
    assert arrives(server, "target")["delivered"] == len(TEXTS)
    arrived = {one["interaction_id"]: one for one in map(json.loads, kind.arrived())}
    assert all(arrived[answer["interaction_id"]] == answer for answer in answers)


@pytest.mark.parametrize("why", ["no right", "wrong secret", "unknown key"])
def test_without_rights_records_wait_and_the_reason_is_logged(sluice, event, kind, why):
    key = {
        "no right": kind.stranger,
        "wrong secret": (kind.key[0], "wrong"),
        "unknown key": ("AKIDNOBODY0000000000", "wrong"),
    }[why]
    server = sluice(env=environment(key), store=STORE, sinks=[kind.sink])
    post(server, event, name("wait", 3))
    line = server.wait_log(event="sink_misconfigured", sink="target")
    assert "eu-west-1" in line["reason"]
    assert (counters(server, "target")["pending"], ids(kind, "wait")) == (3, [])


def test_killed_in_the_middle_nothing_is_lost(sluice, event, kind):
    server = sluice(env=environment(kind.key), store=STORE, sinks=[kind.sink | {"batch": 2}])
    post(server, event, name("kill", 20))
    wait_for(lambda: counters(server, "target")["delivered"] >= 2, "the first records")
    server.signal(signal.SIGKILL)
    server.discard()
    server = type(server)(server.folder, None, text=server.file.read_text(), env=server.env)
    arrives(server.wait_ready(), "target")
    arrived = ids(kind, "kill")
    assert set(arrived) == set(name("kill", 20))
    if kind.sink["kind"] == "dynamodb" or "group_id" in kind.sink:
        assert len(arrived) == 20
    server.stop()
