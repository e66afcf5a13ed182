"""A service of AWS in a process of its own, which may be killed at any time: what it has taken is in a file.

    target_process.py SERVICE PORT FILE SEED    # SEED "": without faults

Prints a line when it listens. It ends with status 0 on SIGTERM, if it has nothing to complain about.
"""

import pathlib
import pickle
import random
import signal
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

# pylint: disable=wrong-import-position
import aws_services
from aws_targets import AwsTarget
from storm import Storm


def entries_of(path):
    """What was taken; the last one may have been cut short by the end of the process, before it was answered."""
    if not path.exists():
        return
    with open(path, "rb") as file:
        while True:
            whole = file.tell()
            try:
                yield pickle.load(file)
            except (EOFError, pickle.UnpicklingError):
                break
    with open(path, "r+b") as file:
        file.truncate(whole)


def service_with(name, path):
    """The service with all that was taken."""
    service = getattr(aws_services, name)()
    for entry in entries_of(path):
        service.take(entry)
    return service


def keep_entries(service, path):
    """From now on an entry that is taken is in the file before it is answered."""
    take, file = service.take, open(path, "ab", buffering=0)

    def take_and_keep(entry):
        take(entry)
        file.write(pickle.dumps(entry))

    service.take = take_and_keep


def main():
    name, port, path, seed = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    service = service_with(name, pathlib.Path(path))
    keep_entries(service, path)
    with AwsTarget(service, int(port)) as target:
        if seed:
            target.plan = Storm(random.Random(seed)).of_entries
        print("ready", flush=True)
        signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    main()
