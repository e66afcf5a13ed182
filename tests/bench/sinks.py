"""make bench-sinks: how fast each kind of sink empties a backlog, at what cost in CPU and memory.

Each kind gets the same store with a million waiting records, and a peer that answers every call after 10 ms
that all of it arrived; Kafka has librdkafka's mock cluster. Kinds that this build does not have are left out.
A rate is also good if it uses the processors that the server may use.

    sinks.py [--records 1000000] [--seconds 5] [--delay 0.010] [KIND...]
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import statistics
import sys
import time

from bench import CLIENT_CPUS, PROCESSORS, ROOT, SERVER_CPUS, option_parser, target
from stores import anonymous_mib, fill, fresh, held_sink, metrics, start

STORE = {"max_size": "64GiB"}
ANONYMOUS_MIB = 64
FULL = 0.95  # of the processors: the rate is as high as it can be
REGION = "eu-west-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDBENCH", "AWS_SECRET_ACCESS_KEY": "none", "AWS_EC2_METADATA_DISABLED": "true"}

# The keys of each kind, and the records per second that it must reach.
KINDS = {
    "http": ({"batch": 100}, None),
    "kinesis": ({"stream": "bench"}, 20_000),
    "firehose": ({"delivery_stream": "bench"}, None),
    "sqs": ({"queue_url": f"https://sqs.{REGION}.amazonaws.com/123456789012/bench"}, 2_000),
    "sns": ({"topic_arn": f"arn:aws:sns:{REGION}:123456789012:bench"}, None),
    "eventbridge": ({"bus": "bench", "source": "bench", "detail_type": "bench"}, None),
    "dynamodb": ({"table": "bench", "hash_key": {"id": "/interaction_id"}}, 5_000),
    "kafka": ({"topic": "records"}, 50_000),
    "s3": ({"bucket": "bench", "prefix": "{time:%Y/%m/%d/%H}/", "compression": "gzip"}, None),
}


# No event comes while they run, and what goes to a bus must not match a route.
ROUTES = [
    {
        "match": {"source": "none"},
        "registry": "GenesysInteractionRegistry",
        "schema": "InteractionStartedSchema",
        "transform": str(ROOT / "conf/transforms/interaction.started.yaml"),
    }
]


def answer_of(target_, body):
    """An answer that says that everything has arrived."""
    if target_.endswith("PutRecords"):
        count = body.count(b'"PartitionKey"')
        return {"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1", "ShardId": "s"}] * count}
    if target_.endswith("PutRecordBatch"):
        return {"FailedPutCount": 0, "RequestResponses": [{"RecordId": "1"}] * body.count(b'"Data"')}
    if target_.endswith("SendMessageBatch"):
        return {"Successful": [{"Id": str(i), "MessageId": "m"} for i in range(body.count(b'"MessageBody"'))]}
    if target_.endswith("PutEvents"):
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}] * body.count(b'"DetailType"')}
    if target_.endswith("BatchExecuteStatement"):
        return {"Responses": [{}] * body.count(b'"Statement"')}
    return None


def answer_bytes(head, body, status=200):
    if status != 200:
        return b"HTTP/1.1 %d Trouble\r\nContent-Length: 0\r\n\r\n" % status
    found = re.search(rb"\r\nx-amz-target: ([^\r]+)", head, re.I)
    answer = answer_of(found[1].decode() if found else "", body)
    text = json.dumps(answer).encode() if answer is not None else b""
    if b"Action=PublishBatch" in body:
        ids = re.findall(rb"\.Id=([^&]+)", body)
        members = b"".join(b"<member><Id>%s</Id><MessageId>m</MessageId></member>" % one for one in ids)
        text = b"<PublishBatchResponse><PublishBatchResult><Successful>%s</Successful></PublishBatchResult>" % members
        text += b"</PublishBatchResponse>"
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)


class Peer(asyncio.Protocol):
    delay = 0
    status = 200

    def connection_made(self, transport):
        self.transport, self.data = transport, bytearray()

    def data_received(self, data):
        self.data += data
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.data[:end])
        length = re.search(rb"\r\ncontent-length: (\d+)", head, re.I)
        size = end + 4 + int(length[1] if length else 0)
        if len(self.data) < size:
            return
        answer = answer_bytes(head, bytes(self.data[end + 4 : size]), self.status)
        del self.data[:size]
        asyncio.get_running_loop().call_later(self.delay, self.write, answer)

    def write(self, answer):
        if not self.transport.is_closing():
            self.transport.write(answer)


def serve(delay, status, ready):
    async def run():
        os.sched_setaffinity(0, CLIENT_CPUS)
        Peer.delay, Peer.status = delay, status
        server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
        ready.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def serve_kafka(delay, ready):
    sys.path.insert(0, str(ROOT / "tests/e2e"))
    from kafka_library import Mock  # it needs librdkafka

    mock = Mock()
    mock.set_delay(round(1000 * delay))
    ready.put(int(mock.brokers.rpartition(":")[2]))
    signal.pause()


@contextlib.contextmanager
def peer(kind, *args):
    """Its port."""
    ready = multiprocessing.Queue()
    process = multiprocessing.Process(target=serve_kafka if kind == "kafka" else serve, args=(*args, ready), daemon=True)
    process.start()
    try:
        yield ready.get()
    finally:
        process.terminate()
        process.join()


def sink(kind, port):
    url = f"http://127.0.0.1:{port}"
    where = {"endpoint_url": url, "region": REGION}
    where = {"http": {"url": url}, "kafka": {"brokers": [f"127.0.0.1:{port}"]}}.get(kind, where)
    return {"name": "held", "kind": kind} | where | KINDS[kind][0]


def run(kind, port, full, options):
    """Records per second, CPU in microseconds a record, and the most anonymous memory in MiB."""
    place = fresh("sink")
    shutil.copy(full, place / "sluice.db")
    store = STORE | {"path": str(place / "sluice.db")}
    server = start(kind, place, store, [sink(kind, port)], env=os.environ | KEYS, routes=ROUTES)
    name = 'sluice_sink_delivered_total{sink="held"}'
    most = 0
    try:
        time.sleep(1)
        begun, cpu, before = time.monotonic(), server.cpu_ns(), metrics(server)[name]
        delivered = before
        while time.monotonic() - begun < options.seconds and delivered < options.records:
            time.sleep(0.1)
            most = max(most, anonymous_mib(server))
            delivered = metrics(server)[name]
        seconds = time.monotonic() - begun
        spent = server.cpu_ns() - cpu
    finally:
        server.stop()
    if delivered == before:
        raise SystemExit(f"{kind}: nothing was delivered")
    return (delivered - before) / seconds, spent / 1000 / (delivered - before), most


def main():
    schema = json.loads((ROOT / "conf/sluice.schema.json").read_text())
    known = schema["properties"]["sinks"]["items"]["properties"]["kind"]["enum"]
    options = option_parser(records=1_000_000, seconds=5, delay=0.010)
    options.add_argument("kinds", nargs="*", default=[kind for kind in KINDS if kind in known])
    options = options.parse_args()

    place = fresh("backlog")
    store = STORE | {"path": str(place / "sluice.db")}
    start("fill", place, store, [held_sink()]).stop()
    fill(store["path"], seen=0, hours=[], records=options.records)
    print(f"{options.records} records wait; the peer answers after {1000 * options.delay:.0f} ms; "
          f"{PROCESSORS}")
    good = []
    for kind in options.kinds:
        with peer(kind, options.delay, *([] if kind == "kafka" else [200])) as port:
            rate, cpu, memory = run(kind, port, store["path"], options)
        busy = rate * cpu / 1e6 / len(SERVER_CPUS)
        print(f"{kind:12} {rate:9.0f} records/s {cpu:8.1f} us CPU a record, {busy:4.0%} of the processors, "
              f"{memory:6.1f} MiB anonymous")
        if KINDS[kind][1] and busy < FULL:
            good.append(target(f"{kind}: records/s", [rate], KINDS[kind][1], False))
        good.append(target(f"{kind}: anonymous memory, MiB", [memory], ANONYMOUS_MIB, True))
    shutil.rmtree(place, ignore_errors=True)
    print(f"{statistics.mean(good) * 100:.0f} % of the targets are met")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
