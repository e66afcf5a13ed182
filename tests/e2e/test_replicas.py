"""Several replicas without a store, in front of one target that recognises repetitions.

Every event is posted to two replicas at once. The target fails and hangs now and then, and replicas are killed
with SIGKILL while they work. Each event that was answered 200 is there exactly once.
"""

import concurrent.futures
import json
import random
import signal
import threading
import time

import pytest

from aws_services import DynamoInsert, SqsFifo
from aws_targets import AwsTarget, Fault
from client import Closed
from server import SLOW, Server, defaults, furnish, merge
from test_sinks import name

EVENTS = 1000
REPLICAS = 3
KILL_EVERY = 0.15  # seconds
GIVE_UP = 60 * SLOW  # seconds for one event

TARGETS = {"dynamodb": DynamoInsert, "sqs-fifo": SqsFifo}


class Replicas:
    """Servers that a test may kill; a killed one is started again."""

    def __init__(self, folder, peer):
        config = merge(
            defaults(),
            {
                "store": {"path": ""},
                "http": {"deadline": "2s"},
                "sinks": [peer.sink(timeout="500ms", max_backoff="100ms")],
            },
        )
        self.places = []
        self.config, self.env = config, peer.environment()
        for number in range(REPLICAS):
            place = folder / f"replica{number}"
            place.mkdir()
            furnish(place)
            self.places.append(place)
        self.servers = [self.start(place) for place in self.places]

    def start(self, place):
        return Server(place, self.config, env=self.env).wait_ready()

    def kill(self, number):
        self.servers[number].signal(signal.SIGKILL)
        self.servers[number].discard()
        self.servers[number] = self.start(self.places[number])

    def stop(self):
        for server in self.servers:
            server.stop()


def post(replicas, number, body):
    """Post to one replica. The status; 0: it gave no answer."""
    try:
        return replicas.servers[number].post(body).status
    except (OSError, Closed):
        return 0


def post_twice(replicas, body, pool):
    """Post to two replicas at once, again and again, as a sender does, until one answers 200."""
    deadline = time.monotonic() + GIVE_UP
    while time.monotonic() < deadline:
        both = random.sample(range(REPLICAS), 2)
        answers = [one.result() for one in [pool.submit(post, replicas, number, body) for number in both]]
        assert set(answers) <= {0, 200, 503}, answers
        if 200 in answers:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("target", TARGETS)
def test_each_event_that_was_answered_200_is_there_once(folder, event, target):
    random.seed(1)
    dice = random.Random(2)
    lock = threading.Lock()

    def plan(entries):
        with lock:
            roll = dice.random()
        call = "broken" if roll < 0.10 else "hang" if roll < 0.11 else ""
        return Fault(call=call, delay=0.005)

    with AwsTarget(TARGETS[target]()) as peer:
        peer.plan = plan
        replicas = Replicas(folder, peer)
        names = name("e", EVENTS)
        bodies = []
        for one in names:
            event["id"] = event["detail"]["interaction"]["id"] = one
            bodies.append(json.dumps(event).encode())
        ended = threading.Event()
        killed = []

        def kill():
            while not ended.wait(KILL_EVERY):
                replicas.kill(dice.randrange(REPLICAS))
                killed.append(time.monotonic())

        killer = threading.Thread(target=kill)
        killer.start()
        with concurrent.futures.ThreadPoolExecutor(32) as posts, concurrent.futures.ThreadPoolExecutor(8) as senders:
            done = list(senders.map(lambda body: post_twice(replicas, body, posts), bodies))
        ended.set()
        killer.join()
        assert all(done)
        arrived = sorted(json.loads(one.data)["interaction_id"] for one in peer.stored())
        assert arrived == sorted(names)
        assert len(killed) >= 5
        peer.ending.set()  # calls that hang end, and the servers with them
        replicas.stop()
