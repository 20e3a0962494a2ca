"""A pseudo-terminal with the real command line on it, as a person sits before it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from worlds import command, environment

_PATIENCE = 60.0  # seconds until a command is taken to hang
_AGAIN = 0.5  # seconds until a key is pressed again
_LOOK = 0.01  # seconds between two looks at the terminal's mode, which tells nobody
# Ctrl-C reaches a program only from the terminal that it is controlled by.
_CONTROLLED = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A command on a terminal of 100 columns; a context manager that ends it."""

    def __init__(
        self, path: Path, *words: str, env: Mapping[str, str] | None = None
    ) -> None:
        """Start the command."""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        started = [sys.executable, "-c", _CONTROLLED, *command(path, *words)]
        given = environment({"TERM": "xterm", "NO_COLOR": "", **(env or {})})
        self.process = subprocess.Popen(
            started,
            env=given,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""  # all of it, up to now
        self._read = 0  # how much of it `until` has gone past

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the command, should it still run."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def sees(self, text: str) -> int:
        """Wait until `text` is shown; return where in `shown`."""
        while (place := self.shown.find(text, self._read)) < 0:
            assert self._more(_PATIENCE), f"{text!r} is not in:\n{self.shown}"
        return place

    def until(self, text: str) -> str:
        """Wait until `text` is shown, and go past it; return what was shown before."""
        before, self._read = self._read, self.sees(text) + len(text)
        return self.shown[before : self._read]

    def key(self, key: str, prompt: str = "[q]uit ? ") -> str:
        """Press a key when it is asked for; return what was shown before."""
        said = self.until(prompt)
        while termios.tcgetattr(self._ours)[3] & termios.ICANON:
            self._more(_LOOK)
        os.write(self._ours, key.encode())
        return said

    def line(self, text: str, prompt: str) -> str:
        """Type a line when it is asked for; return what was shown before."""
        said = self.until(prompt)
        os.write(self._ours, text.encode())
        return said

    def leave(self, key: str, prompt: str) -> None:
        """Press Ctrl-C or Ctrl-D at a prompt, again until the command ends.

        A signal between the prompt and the read that follows wakes no `input` of
        Python; people press again, too.
        """
        self.until(prompt)
        while self.process.poll() is None:
            with suppress(OSError, subprocess.TimeoutExpired):
                os.write(self._ours, key.encode())
                while self._more(_AGAIN):
                    pass
                self.process.wait(_AGAIN)

    def end(self) -> str:
        """Wait for the command's end; return what it showed since the last time."""
        while self._more(_PATIENCE):
            pass
        self.process.wait(_PATIENCE)
        before, self._read = self._read, len(self.shown)
        return self.shown[before:]

    def kill(self) -> None:
        """Kill the command as nothing else does: it cannot do anything about it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def hang_up(self) -> None:
        """Take the terminal away, as a lost connection does, and wait for the end."""
        os.close(self._ours)
        self.process.wait(_PATIENCE)
        self._ours = os.open(os.devnull, os.O_RDONLY)

    def _more(self, patience: float) -> bool:
        """Take what is shown next; False when nothing is, or there is no more."""
        if not select.select([self._ours], [], [], patience)[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the terminal closes with the last process that had it
            return False
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)
