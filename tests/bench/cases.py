"""`sluice test` with 1,000 cases, as a hook before each commit runs it: at most a second."""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/sluice"
EXAMPLE = ROOT / "conf/examples/orders"
FILES, CASES, ROUNDS, MOST_SECONDS = 4, 250, 7, 1.0


def write(folder, number, event):
    """A file of tests: one may have 1 MiB."""
    names = [f"order {number}-{n}" for n in range(CASES)]
    tests = [{"name": name, "event": event | {"id": name}, "expect": {"status": 200}} for name in names]
    path = pathlib.Path(folder) / f"{number}.yaml"
    path.write_text(json.dumps({"tests": tests}))  # JSON is YAML
    return path


def main():
    event = json.loads((EXAMPLE / "events/created.json").read_text())
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        command = [PROGRAM, "test", "-c", EXAMPLE / "sluice.yaml", *(write(folder, number, event) for number in range(FILES))]
        for _ in range(ROUNDS):
            start = time.monotonic()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            taken.append(time.monotonic() - start)
    seconds = statistics.median(taken)
    verdict = "PASS" if seconds <= MOST_SECONDS else "FAIL"
    print(f"sluice test, {FILES * CASES} cases: {seconds:.2f} s ({min(taken):.2f} to {max(taken):.2f}), target {MOST_SECONDS} s  {verdict}")
    return verdict == "FAIL"


sys.exit(main())
