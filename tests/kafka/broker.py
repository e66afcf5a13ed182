"""A broker of Apache Kafka as a child process: plain, TLS, SCRAM over both, and MSK's IAM."""

import base64
import pathlib
import socket
import subprocess
import time
import uuid

from certificates import make_pair
from kafka_library import PRODUCER, call, create, partition_count, read

BUILT = pathlib.Path(__file__).resolve().parents[2] / "build" / "kafka"  # tests/setup.sh peers
PATIENCE = 90  # seconds; the start of a broker on a busy machine
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # of AWS's documentation
SESSION_MS = 6000  # of a login with IAM
MODULE = "org.apache.kafka.common.security"
LISTENERS = {
    "PLAIN": "PLAINTEXT",
    "TLS": "SSL",
    "SCRAM": "SASL_PLAINTEXT",
    "SECURE": "SASL_SSL",
    "MSK": "SASL_PLAINTEXT",
    "CONTROLLER": "PLAINTEXT",
}


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Broker:
    def __init__(self, folder, version):
        self.folder = folder
        self.version = version
        self.process = None
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS))))
        self.pair = make_pair(folder, "broker")
        self.client_pair = make_pair(folder, "client")
        self.configure()
        scram = "SCRAM-SHA-{}=[name=sluice,password=secret-of-SCRAM]"
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().strip("=")
        self.storage("format", "-t", cluster, "-c", "properties",
                     "--add-scram", scram.format(256), "--add-scram", scram.format(512))  # fmt: skip
        self.start()

    def configure(self):
        (folder, ports) = (self.folder, self.ports)
        (folder / "keys.pem").write_bytes(
            b"".join(pathlib.Path(self.pair[key]).read_bytes() for key in ("key_file", "cert_file"))
        )
        names = [name for name in LISTENERS if name != "CONTROLLER"]
        scram = f"{MODULE}.scram.ScramLoginModule required;"
        lines = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{ports['CONTROLLER']}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAIN",
            "listeners": ",".join(f"{name}://127.0.0.1:{ports[name]}" for name in LISTENERS),
            "advertised.listeners": ",".join(f"{name}://127.0.0.1:{ports[name]}" for name in names),
            "listener.security.protocol.map": ",".join(map(":".join, LISTENERS.items())),
            "log.dirs": folder / "data",
            "num.partitions": 3,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": folder / "keys.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.client_pair["cert_file"],
            "listener.name.tls.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.scram.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.scram.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.secure.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-256,PLAIN",
            "listener.name.secure.plain.sasl.jaas.config":
                f'{MODULE}.plain.PlainLoginModule required user_sluice="a secret of PLAIN";',
            "listener.name.msk.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.msk.oauthbearer.sasl.server.callback.handler.class": "MskTokens",
            "listener.name.msk.oauthbearer.sasl.jaas.config":
                f"{MODULE}.oauthbearer.OAuthBearerLoginModule required;",
            "listener.name.msk.oauthbearer.connections.max.reauth.ms": SESSION_MS,
        }
        (folder / "properties").write_text(
            "".join(f"{key}={value}\n" for key, value in lines.items())
        )

    def java(self, *args):
        return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                f"-Dmsk.secret={SECRET}", f"-Dmsk.session_ms={SESSION_MS}",
                "-cp", f"{BUILT}/{self.version}/*:{BUILT}/classes", *args]  # fmt: skip

    def storage(self, *args):
        """Kafka's tool for its folders."""
        done = subprocess.run(
            self.java("kafka.tools.StorageTool", *args),
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        """Start it and wait until it can be used."""
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                self.java("kafka.Kafka", "properties"),
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while "Kafka Server started" not in self.log():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.1)

    def kill(self):
        self.process.kill()
        self.process.wait()

    close = kill

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def address(self, listener="PLAIN"):
        return f"127.0.0.1:{self.ports[listener]}"

    def create_topic(self, name):
        """The broker makes a topic that a client asks for, with three partitions."""
        client = create(PRODUCER, {"bootstrap.servers": self.address()})
        deadline = time.monotonic() + PATIENCE
        while partition_count(client, name) == 0:
            assert time.monotonic() < deadline, f"the topic {name} does not come"
            time.sleep(0.1)
        call("destroy", client)
        return name

    def read(self, topic):
        return read(self.address(), topic, 3)
