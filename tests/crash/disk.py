"""Control of the disk that shim.c simulates: calls that fail, and the files after a power loss."""

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
AHEAD = struct.Struct("=q")  # after the faults
FAULTS = len(KINDS) + 1
SECTOR = 512
CLEAN, DIRTY, DOOMED = 0, 1, 2

SHIM = BINARY.parent / "shim.so"
SEED = BINARY.parent / "seed.so"


class Disk:
    """Watches all files whose paths begin with `store` or `sink`, two absolute paths."""

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
        """Let `count` calls fail (-1: all) after `skip` successful ones. The error is written last and enables it."""
        at = self._at(kind, call)
        FAULT.pack_into(self.control, at, 0, skip, count, 0)
        struct.pack_into("=i", self.control, at, error)

    def hits(self, kind, call):
        return FAULT.unpack_from(self.control, self._at(kind, call))[3]

    def full(self):
        """Every write fails with ENOSPC."""
        for kind in ("database", "log", "index", "sink"):
            self.fail(kind, "write", errno.ENOSPC)

    def broken(self):
        """Every write and sync fails with EIO."""
        for kind in ("database", "log", "sink"):
            self.fail(kind, "write", errno.EIO)
            self.fail(kind, "sync", errno.EIO)

    def heal(self):
        """Remove all faults. Returns the number of calls that failed."""
        failed = sum(self.hits(kind, call) for kind in KINDS for call in CALLS)
        self.control[: self._at_end()] = bytes(self._at_end())
        return failed

    @staticmethod
    def _at_end():
        return FAULTS * len(CALLS) * FAULT.size

    def set_clock(self, ahead):
        """Set the server's time of day `ahead` seconds ahead of the machine's (negative: behind)."""
        AHEAD.pack_into(self.control, self._at_end(), ahead)

    # Power loss.

    def lose_power(self, rng, torn):
        """Undo all writes that were not synced, with `torn` except for some random sectors."""
        for folder in {pathlib.Path(self.store).parent, pathlib.Path(self.sink).parent}:
            for path in folder.iterdir():
                if str(path).startswith((self.store, self.sink)):
                    self._restore(path, rng, torn)
        for note in sorted(self.place.glob("*.name"), reverse=True):
            text = note.read_text()
            if text.count("\n") < 3:
                continue  # the process ended before the change
            what, one, other = text.split("\n")[:3]
            if what == "remove":
                pathlib.Path(one).unlink(missing_ok=True)
            elif os.path.exists(one) and not os.path.exists(other):
                os.rename(one, other)
        self.forget()

    def forget(self):
        """Treat the current files as synced."""
        shutil.rmtree(self.place)
        self.place.mkdir()

    def _restore(self, path, rng, torn):
        if str(path).endswith("-shm"):  # shared memory: SQLite rebuilds it from the log
            path.write_bytes(rng.randbytes(path.stat().st_size))
            return
        number = f"{path.stat().st_ino:020}"
        image_file = self.place / f"{number}.image"
        state_file = self.place / f"{number}.state"
        if not state_file.exists():
            return  # the process ended before the first change
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
        """Of an append that was not synced, keep a random part from its beginning."""
        fresh = [i for i in range(len(state)) if state[i] == DIRTY]
        if fresh and written.startswith(image):
            image += written[len(image) : rng.randint(len(image), len(written))]

    @staticmethod
    def _scatter(image, written, state, rng):
        """Keep each sector that was not synced with a random probability."""
        chance = rng.choice((0.1, 0.5, 0.9))
        for i, one in enumerate(state):
            if one != DIRTY or rng.random() > chance:
                continue
            begin = i * SECTOR
            sector = written[begin : begin + SECTOR]
            if len(image) < begin:
                image += bytes(begin - len(image))
            image[begin : begin + len(sector)] = sector
