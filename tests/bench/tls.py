"""make bench: a new TLS connection for each request, which is what EventBridge does, beside nginx.

Both have the same ECDSA certificate and do a whole handshake each time; nginx answers a fixed body,
the server does all of its work. The handshake is what costs: GnuTLS's here, OpenSSL's there.

    tls.py [--rounds 5] [--seconds 3] [--connections 32]
"""

import argparse
import json
import subprocess

from bench import ROOT, WORK, measure, ratios, report, spread, start_nginx, start_sluice


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--connections", type=int, default=32)
    options = options.parse_args()

    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run(["make", "--no-print-directory", "dev-cert"], cwd=ROOT, check=True)
    pair = (ROOT / "build/dev-cert/cert.pem", ROOT / "build/dev-cert/key.pem")
    event = WORK / "event.json"
    sample = json.loads((ROOT / "conf/samples/interaction.started.json").read_text())
    event.write_text(json.dumps(sample, separators=(",", ":")))

    servers = []
    try:
        servers.append(start_sluice(tls=pair))
        servers.append(start_nginx(b"x" * 340, pair))
        runs = {server.name: [] for server in servers}
        for server in servers:  # warm up
            measure(server, event, 1, options.connections, True)
        for turn in range(options.rounds):
            for server in servers if turn % 2 == 0 else reversed(servers):
                runs[server.name].append(
                    measure(server, event, options.seconds, options.connections, True)
                )
    finally:
        for server in servers:
            server.stop()
    report("One TLS connection per request", runs)
    print(f"  CPU against nginx: {spread(ratios(runs, 'sluice', 'nginx', 'cpu'), '.2f')}")


if __name__ == "__main__":
    main()
