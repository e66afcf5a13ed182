"""make bench: a new TLS connection for each request, which is what EventBridge does, beside nginx.

Both have the same ECDSA certificate and do a whole handshake each time; nginx answers a fixed body,
the server does all of its work. The handshake is what costs: GnuTLS's here, OpenSSL's there.

    tls.py [--rounds 5] [--seconds 3] [--connections 32]
"""

import argparse
import subprocess

from bench import (
    ROOT,
    in_turns,
    measure,
    ratios,
    report,
    sample_event,
    spread,
    start_nginx,
    start_sluice,
)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--connections", type=int, default=32)
    options = options.parse_args()

    subprocess.run(["make", "--no-print-directory", "dev-cert"], cwd=ROOT, check=True)
    pair = (ROOT / "build/dev-cert/cert.pem", ROOT / "build/dev-cert/key.pem")
    event = sample_event()
    servers = []
    try:
        servers.append(start_sluice(tls=pair))
        servers.append(start_nginx(b"x" * 340, pair))
        for server in servers:  # warm up
            measure(server, event, 1, options.connections, True)
        runs = in_turns(
            servers,
            options.rounds,
            lambda server, _: measure(server, event, options.seconds, options.connections, True),
        )
    finally:
        for server in servers:
            server.stop()
    report("One TLS connection per request", runs)
    print(f"  CPU against nginx: {spread(ratios(runs, 'sluice', 'nginx', 'cpu'), '.2f')}")


if __name__ == "__main__":
    main()
