"""make bench: TLS beside nginx with OpenSSL, like for like.

Each row is one kind of connection: full or resumed handshakes, TLS 1.2 or 1.3, an ECDSA or an RSA
certificate, a connection for each request (which is what EventBridge does) or one for many. Both
servers have the same certificate, cipher and group. The client (tls_load.c) counts what really
happened, and a row in which it was something else ends the run. nginx answers a fixed body; the
server does all of its work. On keep-alive this work is most of the difference, as without TLS, so
that row has no target.

    tls.py [--rounds 13] [--seconds 0.8] [--connections 32]
"""

import json
import subprocess
import sys

from bench import (
    CLIENT_CPUS,
    ROOT,
    WORK,
    figures,
    option_parser,
    ratios,
    report,
    sample_event,
    spread,
    start_nginx,
    start_sluice,
    target,
)

LOAD = ROOT / "build/release/tls_load"

# name, certificate, version, what the client does, and the target of CPU against nginx (None: none)
ROWS = [
    ("TLS 1.3, full, ECDSA", "ecdsa", "1.3", [], 0.9),
    ("TLS 1.3, resumed, ECDSA", "ecdsa", "1.3", ["resume"], 0.8),
    ("TLS 1.2, full, ECDSA", "ecdsa", "1.2", [], 1.0),
    ("TLS 1.2, resumed, ECDSA", "ecdsa", "1.2", ["resume"], 1.0),
    ("TLS 1.3, full, RSA-2048", "rsa", "1.3", [], 1.0),
    ("TLS 1.2, full, RSA-2048", "rsa", "1.2", [], 1.0),
    ("TLS 1.3, keep-alive", "ecdsa", "1.3", ["keep-alive"], None),
]


def make_rsa():
    pair = WORK / "rsa-cert.pem", WORK / "rsa-key.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=localhost"]
    words += ["-keyout", pair[1], "-out", pair[0]]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    return pair


def check(name, result, does, connections):
    """Did the client do what the row says?"""
    requests, handshakes = result["requests"], result["handshakes"]
    ok = requests > 0 and result["failed"] == 0 and result["retried"] == 0
    if "resume" in does:
        ok = ok and handshakes - result["resumed"] <= connections  # the first one of each is full
    else:
        ok = ok and result["resumed"] == 0
    if "keep-alive" in does:
        ok = ok and handshakes <= connections
    else:
        ok = ok and handshakes >= requests
    if not ok:
        raise SystemExit(f"{name}: this is not what the row says: {result}")


def measure(server, event, options, version, does):
    command = ["taskset", "-c", ",".join(map(str, CLIENT_CPUS)), LOAD, server.port]
    command += [options.connections, options.seconds, version, event, *does]
    before = server.cpu_ns()
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=True
    )
    spent = server.cpu_ns() - before
    result = json.loads(done.stdout)
    check(server.name, result, does, options.connections)
    return figures(server, result, spent)


def main():
    options = option_parser(rounds=13, connections=32)
    options.add_argument("--seconds", type=float, default=0.8)
    options = options.parse_args()

    subprocess.run(["make", "--no-print-directory", "dev-cert", LOAD.relative_to(ROOT)], cwd=ROOT, check=True)
    pairs = {
        "ecdsa": (ROOT / "build/dev-cert/cert.pem", ROOT / "build/dev-cert/key.pem"),
        "rsa": make_rsa(),
    }
    event = sample_event()
    servers = {kind: {} for kind in pairs}
    good = []
    try:
        for kind, pair in pairs.items():
            servers[kind]["sluice"] = start_sluice(f"sluice-{kind}", tls=pair)
            servers[kind]["nginx"] = start_nginx(b"x" * 340, pair, f"nginx-{kind}")
        for name, kind, version, does, bound in ROWS:
            runs = {"sluice": [], "nginx": []}
            for turn in range(options.rounds + 1):
                for who in runs if turn % 2 else reversed(runs):
                    one = measure(servers[kind][who], event, options, version, does)
                    if turn > 0:  # the first round is for warming up
                        runs[who].append(one)
            report(name, runs)
            against = ratios(runs, "sluice", "nginx", "cpu")
            if bound:
                good.append(target("CPU against nginx", against, bound, True))
            else:
                print(f"        CPU against nginx: {spread(against, '.2f')}")
    finally:
        for pair in servers.values():
            for server in pair.values():
                server.stop()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
