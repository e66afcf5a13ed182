"""The disk of shim.c from the test's side: which calls fail, and what a power loss leaves."""

import errno
import mmap
import os
import pathlib
import shutil
import struct

from server import BINARY

KINDS = {"database": 1, "log": 2, "index": 3, "sink": 4, "folder": 5}
CALLS = {"write": 0, "sync": 1}
DIE, LIE = -1, -2
FAULT = struct.Struct("=iiii")  # struct shim_fault
AHEAD = struct.Struct("=q")  # behind the faults
FAULTS = len(KINDS) + 1
SECTOR = 512
CLEAN, DIRTY, DOOMED = 0, 1, 2

SHIM = BINARY.parent / "shim.so"
SEED = BINARY.parent / "seed.so"


class Disk:
    """Watches the store and the file sink; both are absolute paths, which names begin with."""

    def __init__(self, place, store, sink):
        self.place = place / "disk"
        self.place.mkdir()
        self.store, self.sink = str(store), str(sink)
        self.file = place / "disk.control"
        self.file.write_bytes(bytes(mmap.PAGESIZE))
        with open(self.file, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def env(self):
        return {
            "LD_PRELOAD": str(SHIM),
            "SHIM_DIR": str(self.place),
            "SHIM_CONTROL": str(self.file),
            "SHIM_STORE": self.store,
            "SHIM_SINK": self.sink,
        }

    def _at(self, kind, call):
        return (KINDS[kind] * len(CALLS) + CALLS[call]) * FAULT.size

    def fail(self, kind, call, error, skip=0, count=-1):
        """Let `count` calls fail (-1: all) after `skip` good ones. The error goes in last."""
        at = self._at(kind, call)
        FAULT.pack_into(self.control, at, 0, skip, count, 0)
        struct.pack_into("=i", self.control, at, error)

    def hits(self, kind, call):
        return FAULT.unpack_from(self.control, self._at(kind, call))[3]

    def full(self):
        """No space is left."""
        for kind in ("database", "log", "index", "sink"):
            self.fail(kind, "write", errno.ENOSPC)

    def broken(self):
        """Nothing can be written or synced."""
        for kind in ("database", "log", "sink"):
            self.fail(kind, "write", errno.EIO)
            self.fail(kind, "sync", errno.EIO)

    def heal(self):
        """No more faults; how many calls failed."""
        failed = sum(self.hits(kind, call) for kind in KINDS for call in CALLS)
        self.control[: self._at_end()] = bytes(self._at_end())
        return failed

    @staticmethod
    def _at_end():
        return FAULTS * len(CALLS) * FAULT.size

    def set_clock(self, ahead):
        """The time of day is `ahead` seconds ahead of this machine's, or behind it."""
        AHEAD.pack_into(self.control, self._at_end(), ahead)

    # Power loss.

    def lose_power(self, rng, torn):
        """What was not synced is gone; with `torn`, some sectors of it got there all the same."""
        for folder in {pathlib.Path(self.store).parent, pathlib.Path(self.sink).parent}:
            for path in folder.iterdir():
                if str(path).startswith((self.store, self.sink)):
                    self._restore(path, rng, torn)
        for note in sorted(self.place.glob("*.name"), reverse=True):
            text = note.read_text()
            if text.count("\n") < 3:
                continue  # the process ended before it had changed anything
            what, one, other = text.split("\n")[:3]
            if what == "remove":
                pathlib.Path(one).unlink(missing_ok=True)
            elif os.path.exists(one) and not os.path.exists(other):
                os.rename(one, other)
        self.forget()

    def forget(self):
        """All there is counts as synced."""
        shutil.rmtree(self.place)
        self.place.mkdir()

    def _restore(self, path, rng, torn):
        if str(path).endswith("-shm"):  # shared memory: rebuilt from the log, whatever is in it
            path.write_bytes(rng.randbytes(path.stat().st_size))
            return
        number = f"{path.stat().st_ino:020}"
        image_file = self.place / f"{number}.image"
        state_file = self.place / f"{number}.state"
        if not state_file.exists():
            return  # the process ended before it had changed anything
        image = bytearray(image_file.read_bytes())
        state = state_file.read_bytes()
        if torn:
            written = path.read_bytes()
            if str(path).startswith(self.sink):
                self._cut_tail(image, written, state, rng)
            else:
                self._scatter(image, written, state, rng)
        path.write_bytes(image)

    @staticmethod
    def _cut_tail(image, written, state, rng):
        """An append gets there from its beginning on."""
        fresh = [i for i in range(len(state)) if state[i] == DIRTY]
        if fresh and written.startswith(image):
            image += written[len(image) : rng.randint(len(image), len(written))]

    @staticmethod
    def _scatter(image, written, state, rng):
        """Of what was not synced, each sector got there or did not."""
        chance = rng.choice((0.1, 0.5, 0.9))
        for i, one in enumerate(state):
            if one != DIRTY or rng.random() > chance:
                continue
            begin = i * SECTOR
            sector = written[begin : begin + SECTOR]
            if len(image) < begin:
                image += bytes(begin - len(image))
            image[begin : begin + len(sector)] = sector
