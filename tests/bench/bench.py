"""make bench: the server beside bare libmicrohttpd, nginx, and Fastify with ajv.

One interleaved run: in each round every server is measured once, so that what else the machine does
meets them all. Half of the processors are the client's, half the servers'. CPU time per request
(the scheduler's, of all threads of a server) is the robust number; requests per second are bounded
by the client when there are few processors. The client does not sleep (awake.c).

    bench.py [--rounds 9] [--seconds 1] [--connections 64]
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/bench"
WORK.mkdir(parents=True, exist_ok=True)
HERE = ROOT / "tests/bench"
SCHEMA = ROOT / "conf/schemas/GenesysInteractionRegistry/InteractionStartedSchema.json"

CPUS = sorted(os.sched_getaffinity(0))
CLIENT_CPUS = CPUS[: max(1, len(CPUS) // 2)]
SERVER_CPUS = CPUS[len(CPUS) // 2 :] or CPUS
WORKERS = len(SERVER_CPUS)
PROCESSORS = f"client on processors {CLIENT_CPUS}, servers on {SERVER_CPUS}"


def option_parser(**defaults):
    """Of the command line: an option for each of these, of the default's type."""
    parser = argparse.ArgumentParser()
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    return parser


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Server:
    """A server under test: its process and all that descend from it."""

    scheme = "http"

    def __init__(self, name, command, port=None, env=None):
        self.name = name
        self.port = port
        self.log = open(WORK / f"{name}.out", "wb")
        self.process = subprocess.Popen(
            [str(part) for part in command],
            cwd=WORK,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=env,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPUS),
        )

    def output(self):
        return (WORK / f"{self.name}.out").read_text(errors="replace")

    def wait_for(self, find, seconds=30):
        """Poll the output until `find` returns something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            found = find(self.output())
            if found:
                return found
            time.sleep(0.05)
        raise SystemExit(f"{self.name} did not start:\n{self.output()}")

    def wait_port(self, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{self.name} did not start:\n{self.output()}")

    def pids(self):
        """The process and its descendants."""
        out, at = [self.process.pid], 0
        while at < len(out):
            for task in pathlib.Path(f"/proc/{out[at]}/task").iterdir():
                out += [int(pid) for pid in (task / "children").read_text().split()]
            at += 1
        return out

    def cpu_ns(self):
        return sum(
            int((task / "schedstat").read_text().split()[0])
            for pid in self.pids()
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
        )

    def rss_mib(self):
        pages = sum(
            int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()
        )
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


PROGRAM = ROOT / "build/release/sluice"
AWAKE = ROOT / "build/release/awake.so"
TURNS = ROOT / "build/release/turns"


def start_sluice(name="sluice", tls=None, env=None, program=PROGRAM, **changes):
    """`tls`: its certificate and key; `changes`: sections of the configuration."""
    config = WORK / f"{name}.yaml"
    config.write_text(
        json.dumps(
            {
                "http": {"listen": "127.0.0.1:0", "threads": WORKERS, "tls": files_of(tls)},
                "registry": {"dir": str(ROOT / "conf/schemas"), "cache_dir": str(WORK / "cache")},
                "routes": [
                    {
                        "match": {"source": "*", "detail-type": "*"},
                        "registry": "GenesysInteractionRegistry",
                        "schema": "InteractionStartedSchema",
                        "payload": "/detail",
                        "id": "/id",
                        "transform": str(ROOT / "conf/transforms/interaction.started.yaml"),
                    }
                ],
                "store": {"path": ""},
                "log": {"level": "info"},
            }
            | changes
        )
    )
    command = [program, "serve", "-c", config]
    server = Server(name, command, env=env)

    def port(text):
        for line in text.splitlines():
            if '"event":"ready"' in line:
                return json.loads(line)["port"]
        return None

    server.port = server.wait_for(port)
    server.scheme = "https" if tls else "http"
    return server


def files_of(tls):
    return {"cert_file": str(tls[0]), "key_file": str(tls[1])} if tls else {}


def start_bare(size):
    server = Server("bare MHD", [ROOT / "build/release/bare_mhd", WORKERS, size])
    server.port = server.wait_for(lambda text: text.strip() and int(text))
    return server


# Without ssl_protocols, nginx 1.22 speaks TLS 1.2 at most.
NGINX_TLS = "ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519:prime256v1;"


def start_nginx(body, tls=None, name="nginx"):
    port = free_port()
    secure = f"ssl_certificate {tls[0]}; ssl_certificate_key {tls[1]}; {NGINX_TLS}" if tls else ""
    text = body.decode().replace("\\", "\\\\").replace("'", "\\'").replace("$", "")
    (WORK / f"{name}.conf").write_text(
        f"""
worker_processes {WORKERS};
pid {WORK}/{name}.pid;
error_log {WORK}/{name}.error error;
daemon off;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path {WORK}/nginx.body;
    proxy_temp_path {WORK}/nginx.proxy;
    fastcgi_temp_path {WORK}/nginx.fastcgi;
    uwsgi_temp_path {WORK}/nginx.uwsgi;
    scgi_temp_path {WORK}/nginx.scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024{" ssl" if tls else ""};
        {secure}
        default_type application/json;
        location / {{ return 200 '{text}'; }}
    }}
}}
"""
    )
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    server = Server(name, [nginx, "-p", WORK, "-c", WORK / f"{name}.conf"], port)
    server.scheme = "https" if tls else "http"
    server.wait_port()
    return server


def start_fastify():
    if not shutil.which("npm") or not shutil.which("node"):
        print("Fastify is left out: there is no npm here (apt install npm).")
        return None
    place = WORK / "fastify"
    place.mkdir(exist_ok=True)
    for name in ("package.json", "server.js"):
        shutil.copy(HERE / "peers/fastify" / name, place / name)
    if not (place / "node_modules/fastify").exists():
        print("Installing Fastify and ajv into build/bench/fastify")
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"Fastify is left out: npm install failed:\n{done.stderr}")
            return None
    port = free_port()
    server = Server(
        "fastify",
        ["node", place / "server.js", WORKERS, port, SCHEMA, WORK / "fastify.log"],
        port,
        env=os.environ | {"NODE_ENV": "production"},
    )
    server.wait_for(lambda text: "ready" in text)
    return server


def post(server, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/events", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def run_wrk(arguments, awake=True):
    """Run wrk on the client's processors; `awake`: it does not sleep. Return its line of results."""
    command = ["taskset", "-c", ",".join(map(str, CLIENT_CPUS))]
    if awake and CLIENT_CPUS != SERVER_CPUS:
        command += ["env", f"LD_PRELOAD={AWAKE}"]
    command += ["wrk", "-t", len(CLIENT_CPUS), *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if result["bad"] or result["failed"] or not result["requests"]:
        raise SystemExit(f"not every request was answered 200: {result}, {arguments}")
    return result


def figures(server, result, spent_ns):
    """What one run says of a server: the client's results, and the server's CPU time meanwhile."""
    return {
        "rps": result["requests"] / (result["duration_us"] / 1e6),
        "p50": result["p50_us"],
        "p99": result["p99_us"],
        "cpu": spent_ns / 1000 / result["requests"],
        "rss": server.rss_mib(),
        "requests": result["requests"],
    }


def measure(server, event, seconds, connections, close):
    """One run of wrk against one server."""
    arguments = ["-c", connections, "-d", f"{seconds}s", "-s", HERE / "post.lua"]
    arguments += [f"{server.scheme}://127.0.0.1:{server.port}", "--", event] + (["close"] if close else [])
    before = server.cpu_ns()
    result = run_wrk(arguments)
    return figures(server, result, server.cpu_ns() - before)


def by_turns(servers, event, rounds, slice_ms, connections):
    """CPU time per request, and requests/s, on connections that stay open: as `in_turns`, in slices of `slice_ms`
    (turns.c). The shorter they are, the more alike all servers meet what else a shared machine does; but in slices of
    60 ms it counts that a server finds the caches full of another's code and data."""
    command = ["taskset", "-c", ",".join(map(str, CLIENT_CPUS)), TURNS, connections, slice_ms, rounds, event]
    command += [f"{server.port}:{server.process.pid}" for server in servers]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    runs = {server.name: [] for server in servers}
    for line in done.stdout.splitlines():
        one = json.loads(line)
        if not one["answers"]:
            raise SystemExit(f"no answer in a slice of {slice_ms} ms: {one}")
        runs[servers[one["server"]].name].append(
            {"cpu": one["cpu_us"] / one["all_answers"], "rps": one["answers"] / one["time_us"] * 1e6}
        )
    return runs


def spread(values, form):
    """Median and, in brackets, least and greatest."""
    return f"{statistics.median(values):{form}} " f"({min(values):{form}}..{max(values):{form}})"


def ratios(runs, one, other, key):
    return [a[key] / b[key] for a, b in zip(runs[one], runs[other], strict=True)]


def report(title, runs):
    print(f"\n{title}")
    print(f"  {'':10} {'requests/s':>32} {'p50/p99 us':>14} {'CPU us/request':>24} {'RSS MiB':>8}")
    for name, rounds in runs.items():
        column = {key: [one[key] for one in rounds] for key in rounds[0]}
        times = f"{statistics.median(column['p50']):.0f}/{statistics.median(column['p99']):.0f}"
        print(
            f"  {name:10} {spread(column['rps'], '.0f'):>32} {times:>14} "
            f"{spread(column['cpu'], '.2f'):>24} {statistics.median(column['rss']):8.1f}"
        )


def sample_event(name="event.json", **changes):
    """A file with the sample event."""
    event = json.loads((ROOT / "conf/samples/interaction.started.json").read_text()) | changes
    file = WORK / name
    file.write_text(json.dumps(event, separators=(",", ":")))
    return file


def in_turns(servers, rounds, run):
    """What `run(server, round)` says of each, by name: in turns, so that all have the same weather."""
    runs = {server.name: [] for server in servers}
    for turn in range(rounds):
        for server in servers if turn % 2 == 0 else reversed(servers):
            runs[server.name].append(run(server, turn))
    return runs


def target(what, values, bound, at_most):
    middle = statistics.median(values)
    ok = middle <= bound if at_most else middle >= bound
    print(
        f"  {'PASS' if ok else 'FAIL'}  {what}: {spread(values, '.2f')}, "
        f"target {'<=' if at_most else '>='} {bound}"
    )
    return ok


STARTS, SLICES, SLICE_MS = 6, 6, 500


def against_bare(event, size, connections):
    """CPU time per request on keep-alive, ours divided by that of bare libmicrohttpd, slice by slice. Both start several
    times: the ratio of one start differs from that of another by more than a tenth."""
    values = []
    for _ in range(STARTS):
        servers = []
        try:
            servers.append(start_sluice())
            servers.append(start_bare(size))
            for server in servers:  # warm up
                measure(server, event, 1, connections, False)
            runs = by_turns(servers, event, SLICES, SLICE_MS, connections)
        finally:
            for server in servers:
                server.stop()
        values += ratios(runs, "sluice", "bare MHD", "cpu")
    return values


def main():
    options = option_parser(rounds=9, seconds=1, connections=64).parse_args()
    event = sample_event()
    servers = []
    try:
        servers.append(start_sluice())
        record = post(servers[0], event.read_bytes())
        servers += [start_bare(len(record)), start_nginx(record)]
        servers += filter(None, [start_fastify()])
        print(
            f"{event.stat().st_size} bytes in, {len(record)} out; {options.connections} "
            f"connections; {PROCESSORS}; {options.rounds} rounds of {options.seconds} s"
        )
        kinds = {}
        for close in (False, True):
            for server in servers:  # warm up
                measure(server, event, 1, options.connections, close)
            kinds[close] = in_turns(
                servers,
                options.rounds,
                lambda server, _: measure(
                    server, event, options.seconds, options.connections, close
                ),
            )
            report("One connection per request" if close else "Keep-alive", kinds[close])
    finally:
        for server in servers:
            server.stop()
    kept = against_bare(event, len(record), options.connections)

    print("\nTargets")
    good = [
        target(
            f"CPU against bare libmicrohttpd, keep-alive, {STARTS} starts, each {SLICES} slices of {SLICE_MS} ms",
            kept,
            1.6,
            True,
        ),
        target(
            "CPU against bare libmicrohttpd, connection per request",
            ratios(kinds[True], "sluice", "bare MHD", "cpu"),
            1.0,
            True,
        ),
    ]
    if "fastify" in kinds[False]:
        good.append(
            target(
                "CPU of Fastify + ajv against ours, keep-alive",
                ratios(kinds[False], "fastify", "sluice", "cpu"),
                3,
                False,
            )
        )
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
