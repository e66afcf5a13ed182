"""make tls-test: real clients against the server, each with TLS 1.2 only, 1.3 only, and as it likes.

A proxy between client and server looks for HelloRetryRequests: they cost a round trip for each
event. A client that is not installed, or cannot be built, is skipped with the reason.

    clients.py PROGRAM WORK_FOLDER
"""

import json
import pathlib
import shutil
import socket
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).parent / "clients"
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # RFC 8446, 4.1.3
VERSIONS = ["1.2", "1.3", "any"]
NEWEST = {"1.2": "1.2", "1.3": "1.3", "any": "1.3"}
CERTIFICATES = {"ECDSA": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "RSA": ["rsa:2048"]}
PATIENCE = 60


class Skipped(Exception):
    """Why a client is not tested."""


class Proxy:
    """Passes connections on to `port`; `retried` counts HelloRetryRequests."""

    def __init__(self, port):
        self.target = port
        self.retried = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.copy, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, True), daemon=True).start()

    def copy(self, source, sink, looks):
        try:
            while piece := source.recv(65536):
                if looks and piece[11:43] == RETRY:
                    self.retried += 1
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def run(command, **options):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE * 10, **options
    )


def need(program):
    if not shutil.which(program):
        raise Skipped(f"there is no {program} here")


def built(command, **options):
    done = run(command, check=False, **options)
    if done.returncode:
        raise Skipped(f"{command[0]} fails: {(done.stderr.strip() or done.stdout.strip()).splitlines()[-1]}")


def java(work):
    need("javac")
    built(["javac", "-d", work, HERE / "Client.java"])
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", work, "Client"]


def go(work):
    need("go")
    built(["go", "build", "-o", work / "go-client", HERE / "client.go"])
    return [work / "go-client"]


def rust(work):
    need("cargo")
    built(["cargo", "build", "-q", "--target-dir", work / "rust"], cwd=HERE / "rust")
    return [work / "rust/debug/client"]


def node(_):
    need("node")
    return ["node", HERE / "client.js"]


def python(_):
    return ["/usr/bin/python3", "-B", HERE / "client.py"]


def curl(_):
    need("curl")
    script = """
    port=$1 ca=$2 version=$3
    case $version in
        any) set -- ;;
        1.2) set -- --tlsv1.2 --tls-max 1.2 ;;
        *) set -- --tlsv1.3 ;;
    esac
    curl -sv --cacert "$ca" "$@" "https://localhost:$port/healthz" 2>&1 |
        sed -n 's/.*SSL connection using \\(TLSv1[.0-9]*\\).*/\\1/p; s/^< HTTP.1.1 \\([0-9]*\\).*/\\1/p' | tr '\\n' ' '
    """
    return ["sh", "-c", script, "curl"]


def openssl(_):
    need("openssl")
    script = """
    port=$1 ca=$2 version=$3
    case $version in any) set -- ;; *) set -- -tls1_"${version#1.}" ;; esac
    printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' |
        openssl s_client -connect "localhost:$port" -CAfile "$ca" -verify_return_error -ign_eof "$@" 2>/dev/null |
        sed -n 's/^New, \\(TLSv1[.0-9]*\\),.*/\\1/p; s/^HTTP.1.1 \\([0-9]*\\).*/\\1/p' | tr '\\n' ' '
    """
    return ["sh", "-c", script, "openssl"]


CLIENTS = {"Java": java, "Go": go, "rustls": rust, "Node": node, "Python": python, "curl": curl, "openssl": openssl}


def start(program, work, kind, key):
    pair = {"cert_file": str(work / f"{kind}.pem"), "key_file": str(work / f"{kind}.key")}
    words = ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-days", "9", "-subj", f"/CN={kind}"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
    run([*words, "-keyout", pair["key_file"], "-out", pair["cert_file"]], check=True)
    config = work / f"{kind}.yaml"
    http = {"listen": "127.0.0.1:0", "threads": 1, "tls": pair}
    config.write_text(json.dumps({"http": http, "routes": [], "store": {"path": ""}, "sinks": []}))
    server = subprocess.Popen([program, "serve", "-c", config], stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        ready = json.loads(line)
        if ready["event"] == "ready":
            threading.Thread(target=server.stdout.read, daemon=True).start()
            return server, Proxy(ready["port"]), pair["cert_file"]
    raise SystemExit("the server does not start")


def try_client(command, proxy, ca, version):
    """What is wrong; "": nothing."""
    before = proxy.retried
    done = run([*command, proxy.port, ca, version], check=False)
    spoken, _, status = done.stdout.strip().rpartition(" ")
    if spoken.replace("_", ".")[-1:] != NEWEST[version][-1] or status != "200":
        return (done.stdout + done.stderr).strip()[-200:] or "no answer"
    return "HelloRetryRequest" if proxy.retried > before else ""


def main():
    program, work = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    servers = {kind: start(program, work, kind, key) for kind, key in CERTIFICATES.items()}
    faults = 0
    try:
        for name, make in CLIENTS.items():
            try:
                command = make(work)
            except (Skipped, subprocess.TimeoutExpired) as reason:
                print(f"{name:8} skipped: {reason}")
                continue
            results = []
            for kind, (_, proxy, ca) in servers.items():
                for version in VERSIONS:
                    wrong = try_client(command, proxy, ca, version)
                    faults += bool(wrong)
                    results.append(f"{kind} {version}: {wrong or 'ok'}")
            print(f"{name:8} {', '.join(results)}")
    finally:
        for server, _, _ in servers.values():
            server.terminate()
            server.wait()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
