"""Run a program that cannot make memory executable, as with systemd's MemoryDenyWriteExecute=yes.

without_jit.py PROGRAM ARGUMENT...
"""

import ctypes
import mmap
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # EPERM
LOAD, AND, EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06
MPROTECT, MMAP = {"x86_64": (10, 9), "aarch64": (226, 222)}[platform.machine()]
NUMBER, THIRD = 0, 32  # offsets in struct seccomp_data: nr, args[2]
EXEC, WRITE_EXEC = mmap.PROT_EXEC, mmap.PROT_EXEC | mmap.PROT_WRITE

FILTER = [
    (LOAD, 0, 0, NUMBER),
    (EQUAL, 0, 4, MPROTECT),
    (LOAD, 0, 0, THIRD),
    (AND, 0, 0, EXEC),
    (EQUAL, 0, 6, EXEC),
    (RETURN, 0, 0, REFUSE),
    (EQUAL, 0, 4, MMAP),
    (LOAD, 0, 0, THIRD),
    (AND, 0, 0, WRITE_EXEC),
    (EQUAL, 0, 1, WRITE_EXEC),
    (RETURN, 0, 0, REFUSE),
    (RETURN, 0, 0, ALLOW),
]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    code = b"".join(struct.pack("HBBI", *row) for row in FILTER)
    program = Program(len(FILTER), code)
    if (
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0
    ):
        sys.exit(f"no seccomp filter: {os.strerror(ctypes.get_errno())}")
    os.execv(sys.argv[1], sys.argv[1:])


main()
