"""Starts a command under the calls that a unit's hardening leaves it.

    python confined.py deploy/hardening.conf COMMAND…

As systemd would: by seccomp(2), from the directives SystemCallFilter,
SystemCallErrorNumber, MemoryDenyWriteExecute, RestrictAddressFamilies and
RestrictNamespaces. It needs libseccomp, and systemd-analyze for the names of sets.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ALLOW = 0x7FFF0000  # seccomp(3)
ERRNO = 0x00050000
EQUAL, MASKED = 4, 7  # comparisons: seccomp_rule_add(3)
SHM_EXEC = 0o100000
NAMESPACES = 0x7E020080  # CLONE_NEW*: clone(2)
FAMILIES = 46  # address families that Linux has: socket(2)


class Compared(ctypes.Structure):
    """An argument of a call, and what it is compared with."""

    _fields_ = (
        ("number", ctypes.c_uint),
        ("how", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


class Filter:
    """What becomes of calls that no rule names, and of those that one does."""

    def __init__(self, otherwise: int) -> None:
        self.library = ctypes.CDLL("libseccomp.so.2")
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(otherwise))

    def rule(self, action: int, call: str, *compared: Compared) -> None:
        """Say what becomes of a call; one that this machine does not have is none."""
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        wanted = (Compared * len(compared))(*compared)
        args = action, number, len(compared), wanted
        if number >= 0 and self.library.seccomp_rule_add_array(self.context, *args):
            sys.exit(f"no rule for {call}")

    def load(self) -> None:
        """Put it in force, for this process and all that it starts."""
        if self.library.seccomp_load(self.context):
            sys.exit("seccomp cannot be used here")


def directives(path: Path) -> dict[str, list[str]]:
    """Return what a unit says, each directive's values in order."""
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def calls(names: Iterable[str]) -> set[str]:
    """Return the calls of these names, sets of systemd's taken apart."""
    found, left = set(), list(names)
    while left:
        name = left.pop()
        if not name.startswith("@"):
            found.add(name)
            continue
        words = ["systemd-analyze", "--no-pager", "syscall-filter", name]
        listed = subprocess.run(words, capture_output=True, text=True, check=True)
        lines = (line.strip() for line in listed.stdout.splitlines()[1:])
        left += [line for line in lines if line and not line.startswith("#")]
    return found


def confine(said: dict[str, list[str]]) -> None:
    """Put the filters in force."""
    narrow = Filter(ALLOW)
    refused = ERRNO | errno.EPERM
    if said["MemoryDenyWriteExecute"] == ["yes"]:
        both, run = mmap.PROT_WRITE | mmap.PROT_EXEC, mmap.PROT_EXEC
        narrow.rule(refused, "mmap", Compared(2, MASKED, both, both))
        narrow.rule(refused, "mprotect", Compared(2, MASKED, run, run))
        narrow.rule(refused, "pkey_mprotect", Compared(2, MASKED, run, run))
        narrow.rule(refused, "shmat", Compared(2, MASKED, SHM_EXEC, SHM_EXEC))
    if said["RestrictNamespaces"] == ["yes"]:
        for bit in (1 << n for n in range(32) if NAMESPACES & 1 << n):
            narrow.rule(refused, "clone", Compared(0, MASKED, bit, bit))
            narrow.rule(refused, "unshare", Compared(0, MASKED, bit, bit))
        narrow.rule(refused, "setns")
        narrow.rule(ERRNO | errno.ENOSYS, "clone3")
    families = {
        getattr(socket, name) for name in said["RestrictAddressFamilies"][0].split()
    }
    for family in set(range(FAMILIES)) - families:
        narrow.rule(ERRNO | errno.EAFNOSUPPORT, "socket", Compared(0, EQUAL, family, 0))
    allowed = calls(["@default"])
    for value in said["SystemCallFilter"]:
        named = calls(value.removeprefix("~").split())
        allowed = allowed - named if value.startswith("~") else allowed | named
    number = getattr(errno, said["SystemCallErrorNumber"][0])
    wide = Filter(ERRNO | number)
    for call in sorted(allowed | calls(["@default"])):
        wide.rule(ALLOW, call)
    narrow.load()
    wide.load()


if __name__ == "__main__":
    confine(directives(Path(sys.argv[1])))
    os.execvp(sys.argv[2], sys.argv[2:])
