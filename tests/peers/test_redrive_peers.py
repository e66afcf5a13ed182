"""sluice redrive on queues of SQS by others, and from a rule of MiniStack to the sink.

MiniStack gives up the events of an API destination without writing to the dead-letter queue. So the test puts there what
MiniStack has posted, with the attributes that AWS documents for dead letters of a rule.
"""

import json
import signal
import subprocess
import threading
import time

import pytest
from aws_signatures import environment
from certificates import make_pair
from emulators import REGION, Ministack, Moto
from eventbridge_stack import SECRET, Peer, deploy, put
from http_peer import HttpPeer, HttpPeerHandler
from server import BINARY, PATIENCE, ROOT, defaults, merge, run, wait_for
from server import environment as own_environment

PEERS = {"MiniStack": Ministack, "moto": Moto}
KINDS = {"standard": {}, "fifo": {"FifoQueue": "true"}}
RIGHTS = json.loads((ROOT / "docs/iam/redrive.json").read_text())["Statement"][0]["Action"]
RIGHTS += ["sqs:ChangeMessageVisibilityBatch"]  # emulators ask for it; AWS has only sqs:ChangeMessageVisibility
AUTH = {"api_keys": [{"value_env": "TEST_KEY"}]}
CODES = ["SDK_CLIENT_ERROR", "TIMEOUT", "CONNECTION_FAILURE"]


def dead_letter(number, body, code):
    """A message as EventBridge writes it."""
    texts = {
        "RULE_ARN": "arn:aws:events:eu-west-1:123456789012:rule/calls",
        "TARGET_ARN": "arn:aws:events:eu-west-1:123456789012:api-destination/sluice/4f",
        "ERROR_CODE": code,
        "ERROR_MESSAGE": "The API destination answered 503.",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "185",
    }
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}
    return {"Id": str(number), "MessageBody": json.dumps(body), "MessageAttributes": attributes}


class Queue:
    def __init__(self, peer, **attributes):
        self.peer, self.is_fifo = peer, bool(attributes)
        self.sqs = peer.client("sqs")
        name = peer.name() + (".fifo" if self.is_fifo else "")
        self.url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def put(self, events):
        entries = [dead_letter(i, event, CODES[i % len(CODES)]) for i, event in enumerate(events)]
        if self.is_fifo:
            entries = [one | {"MessageGroupId": "one", "MessageDeduplicationId": one["Id"]} for one in entries]
        for i in range(0, len(entries), 10):
            assert not self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries[i : i + 10]).get("Failed")

    def counts(self):
        """Visible messages, hidden messages."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return tuple(int(found[name]) for name in names)


@pytest.fixture(scope="module", params=PEERS)
def peer(request, tmp_path_factory):
    kind = PEERS[request.param]
    if kind.missing():
        pytest.skip(kind.missing())
    with kind(tmp_path_factory.mktemp("peer")) as peer:
        peer.redriver = peer.user("redriver", RIGHTS)
        yield peer


@pytest.fixture
def queue(peer):
    return Queue(peer)


def events_of(event, count):
    made = [json.loads(json.dumps(event)) for _ in range(count)]
    for i, one in enumerate(made):
        one["id"] = one["detail"]["interaction"]["id"] = f"event-{i}"
    return made


def command(folder, queue, url, *words, **config):
    """The words and the environment of a redrive to `url`."""
    path = folder / "redrive.yaml"
    path.write_text(json.dumps(merge(defaults(), merge({"auth": AUTH, "store": {"path": "s.db"}}, config))))
    aws = {"AWS_ENDPOINT_URL": queue.peer.url, "AWS_REGION": REGION, "TEST_KEY": SECRET}
    key = getattr(queue, "key", None) or queue.peer.redriver
    return ["redrive", queue.url, "-c", path, "--url", url, "--json", *words], environment(key) | aws


def redrive(folder, queue, url, *words, **config):
    words, env = command(folder, queue, url, *words, **config)
    result = run(*words, cwd=folder, env=env, timeout=6 * PATIENCE)
    assert result.returncode in (0, 1), result
    return json.loads(result.stdout)


def until_done(folder, queue, url):
    """A post that a busy machine delays for 5 seconds ends a run."""
    done = {"delivered": 0, "quarantined": 0}
    for _ in range(5):
        told = redrive(folder, queue, url)
        done = {name: done[name] + told[name] for name in done}
        if told["refused"] == 0:
            break
    return done


def url_of(server):
    return "http://{}:{}/events".format(*server.address)


@pytest.fixture
def server(sluice):
    return sluice(auth=AUTH, env={"TEST_KEY": SECRET}, store={"path": "s.db"},
                  sinks=[{"name": "out", "kind": "file", "path": "out.ndjson"}])  # fmt: skip


def records(server, count):
    """The interactions of the records, when there are `count`."""
    out = server.folder / "out.ndjson"
    wait_for(lambda: out.exists() and out.read_text().count("\n") >= count, "the records", 3 * PATIENCE)
    return [json.loads(line)["interaction_id"] for line in out.read_text().splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_events_are_posted_and_removed(server, event, peer, folder, kind):
    queue = Queue(peer, **KINDS[kind])
    events = events_of(event, 25)
    queue.put([*events[:12], {"id": "wrong", "detail": {}}, *events[12:]])
    told = redrive(folder, queue, url_of(server), "--dry-run")
    if kind == "standard":  # a queue of FIFO shows no more of a group while ten of it are hidden
        assert (told["seen"], told["codes"]) == (26, {"SDK_CLIENT_ERROR": 9, "TIMEOUT": 9, "CONNECTION_FAILURE": 8})
    assert (told["delivered"], queue.counts()) == (0, (26, 0))
    assert until_done(folder, queue, url_of(server)) == {"delivered": 25, "quarantined": 1}
    assert queue.counts() == (0, 0)
    arrived = records(server, 25)
    assert sorted(arrived) == sorted(one["id"] for one in events)
    if kind == "fifo":
        assert arrived == [one["id"] for one in events]


def test_limit_and_since_choose(server, event, queue, folder):
    events = events_of(event, 18)
    queue.put(events[:12])
    since = int(time.time()) + 1
    wait_for(lambda: time.time() >= since, "the next second")
    queue.put(events[12:])
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
    assert redrive(folder, queue, url_of(server), "--since", stamp, "--dry-run")["seen"] == 6
    told = redrive(folder, queue, url_of(server), "--since", stamp, "--limit", "2")
    assert (told["seen"], queue.counts()) == (2, (16, 0))
    told = redrive(folder, queue, url_of(server), "--since", stamp)
    assert (told["seen"], queue.counts()) == (4, (12, 0))
    assert set(records(server, 6)) == {one["id"] for one in events[12:]}
    told = redrive(folder, queue, url_of(server), "--limit", "11")
    assert (told["seen"], queue.counts()) == (11, (1, 0))


def test_what_is_refused_stays(server, event, queue, folder):
    wrong = [{"id": f"wrong{i}", "detail": {}} for i in range(12)]
    queue.put([*events_of(event, 3), *wrong])
    told = redrive(folder, queue, "http://127.0.0.1:1/events")
    assert (told["seen"], told["refused"], queue.counts()) == (1, 1, (15, 0))
    quarantine = {"quarantine": {"enabled": False}}  # as if the server had none
    told = redrive(folder, queue, url_of(server), store=quarantine)
    assert (told["delivered"], told["refused"], queue.counts()) == (3, 12, (12, 0))


class Gate(HttpPeer):
    """Answers 200; the answer to request `number` waits for `opened`."""

    def __init__(self, number):
        super().__init__()
        self.number, self.opened = number, threading.Event()

    class handler(HttpPeerHandler):
        def do_POST(self):
            body = json.loads(self.body())
            with self.peer.changed:
                self.peer.calls.append(body["id"])
                count = len(self.peer.calls)
                self.peer.changed.notify_all()
            if count == self.peer.number:
                self.peer.opened.wait(PATIENCE)
            self.send(200)


@pytest.mark.parametrize("number", [1, 4, 11])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupt_loses_nothing(event, queue, folder, how, number):
    queue.put(events_of(event, 25))
    with Gate(number) as gate:
        words, env = command(folder, queue, gate.url + "/events")
        process = subprocess.Popen([str(BINARY), *map(str, words)], cwd=folder, env=own_environment(env),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        gate.wait(lambda peer: len(peer.calls) >= number, 3 * PATIENCE)
        process.send_signal(how)
        if how == signal.SIGKILL:
            process.wait()
        gate.opened.set()
        out, _ = process.communicate(timeout=3 * PATIENCE)
        posted = len(set(gate.calls))
    visible, hidden = queue.counts()
    if how == signal.SIGKILL:  # what was received comes back after the time for which it is hidden
        assert (visible + hidden, posted) == (25 - (number - 1), number)
        return
    removed = json.loads(out)["delivered"]
    assert removed in (number - 1, number)  # the call under way may be longer than 5 seconds
    assert (visible, hidden) == (25 - removed, 0)
    told = redrive(folder, queue, "http://127.0.0.1:1/events", "--dry-run")
    assert told["seen"] == 25 - removed


class Refusing(HttpPeer):
    """An API destination that is overloaded."""

    class handler(HttpPeerHandler):
        def do_POST(self):
            body = self.body()
            with self.peer.changed:
                self.peer.calls.append(body)
                self.peer.changed.notify_all()
            self.send(503)


@pytest.mark.skipif(bool(Ministack.missing()), reason=Ministack.missing() or "-")
def test_what_a_rule_gave_up_arrives_at_the_sink(server, event, tmp_path, folder):
    """With the queue and the policy of the stack."""
    tls = make_pair(tmp_path)
    refusing = Refusing(tls=(tls["cert_file"], tls["key_file"]))
    with Peer(tmp_path) as peer, refusing:
        outputs = deploy(peer, Url=f"https://localhost:{refusing.port}/events", Secret=SECRET, SourcePrefix=event["source"])
        for number in range(12):
            event["detail"]["interaction"]["id"] = f"event-{number}"
            put(peer, event, number)
        refusing.wait(lambda peer: len(peer.calls) >= 12, 3 * PATIENCE)
        queue = Queue(peer)
        queue.url = outputs["DeadLetterQueue"]
        assert queue.counts() == (0, 0)  # MiniStack has written nothing there
        queue.put([json.loads(body) for body in refusing.calls])

        queue.key = peer.user("stack", [])
        peer.client("iam").attach_user_policy(UserName="stack", PolicyArn=outputs["PolicyArn"])
        assert until_done(folder, queue, url_of(server)) == {"delivered": 12, "quarantined": 0}
        assert queue.counts() == (0, 0)
    assert sorted(records(server, 12)) == sorted(f"event-{i}" for i in range(12))
