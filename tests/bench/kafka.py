"""How fast waiting records reach a broker of Apache Kafka (tests/setup.sh peers).

    kafka.py [--records 300000] [--compression none]

Records wait in the store while the broker stands still; then they are delivered. Prints records/s, and the
CPU that the server used for each record. The target holds where the server has CPU left. Without a broker nothing is
measured.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
os.environ.setdefault("SLUICE_BIN", "build/release/sluice")
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "kafka")]

# pylint: disable=wrong-import-position
from broker import BUILT, Broker
from server import Server, defaults, furnish, merge

BATCH = 500  # events of a request
TARGET = 50_000  # records/s
FULL = 0.95  # of the processors: the rate is as high as it can be
VERSION = "4.1.2"
SINK = 'sluice_sink_{}{{sink="topic"}}'


def fill(server, count):
    event = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
    for first in range(0, count, BATCH):
        events = [event | {"id": f"e{number}"} for number in range(first, first + BATCH)]
        assert server.post(events).status == 200


def cpu_of(process):
    """User and system time of a child so far, in seconds."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(server, broker, count):
    """From the first record that arrives to the last: records, seconds, CPU seconds of the server and of the broker."""
    before = server.metric(SINK.format("delivered_total"))
    broker.process.send_signal(signal.SIGCONT)
    while server.metric(SINK.format("delivered_total")) == before:
        time.sleep(0.005)
    begun, cpus = time.monotonic(), (server.run_time(), cpu_of(broker.process))
    first = server.metric(SINK.format("delivered_total"))
    while server.metric(SINK.format("pending")) > 0:
        time.sleep(0.01)
    seconds = time.monotonic() - begun
    return (
        count - first + before,
        seconds,
        server.run_time() - cpus[0],
        cpu_of(broker.process) - cpus[1],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--compression", default="none")
    options = parser.parse_args()
    if not (BUILT / VERSION).exists():
        print("Kafka: there is no broker here; tests/setup.sh peers installs one")
        return 0
    folder = ROOT / "build/bench/kafka"
    shutil.rmtree(folder, ignore_errors=True)
    furnish(folder)
    (folder / "broker").mkdir()
    broker = Broker(folder / "broker", VERSION)
    sink = {
        "name": "topic",
        "kind": "kafka",
        "brokers": [broker.address()],
        "topic": broker.create_topic("records"),
        "compression": options.compression,
        "max_backoff": "100ms",
    }
    changes = {"store": {"path": str(folder / "kept.db")}, "sinks": [sink], "log": {"level": "warn"}}
    server = Server(folder, merge(defaults(), changes)).wait_ready()
    try:
        fill(server, BATCH)
        while server.metric(SINK.format("pending")) > 0:
            time.sleep(0.01)
        broker.process.send_signal(signal.SIGSTOP)
        fill(server, options.records)
        count, seconds, cpu, broker_cpu = measure(server, broker, options.records)
    finally:
        broker.process.send_signal(signal.SIGCONT)
        server.stop()
        broker.close()
    rate = count / seconds
    print(
        f"Kafka, {options.compression}: {rate:,.0f} records/s in {seconds:.1f} s, "
        f"{cpu / count * 1e6:.1f} us of the server's CPU a record, {cpu / seconds:.2f} cores, "
        f"the broker {broker_cpu / seconds:.2f}, the machine has {os.cpu_count()}"
    )
    is_met = rate >= TARGET or (cpu + broker_cpu) / seconds >= FULL * os.cpu_count()
    print(f"target {TARGET:,}/s: {'met' if is_met else 'MISSED'}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
