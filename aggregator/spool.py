"""Where a long body is kept while it is read: in a file, not in memory.

Sixteen outlets may each send as much as `polling.max_bytes` at once. What fetches fills
a spool; what reads, in another process, opens the file. A short body never touches the
disk. Nothing that knows HTTP or feeds may enter.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir
from typing import IO, Final

from aggregator.model import Fetched, StoreError

SHORT: Final = 2**19  # bytes kept in memory; one real feed in fifty is longer
_PREFIX: Final = "aggregator-"  # of the file's name
_DIGEST: Final = 16  # bytes: two documents of one feed are never taken for each other


class Spool:
    """Takes one body at a time; its file, made for the first long one, is used again.

    size: bytes taken. To be closed; the file goes with it.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._file: IO[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Forget what was taken."""
        self.size = 0
        self._head = bytearray()
        self._digest = blake2b(digest_size=_DIGEST)
        if self._file:
            self._file.seek(0)
            self._file.truncate()

    def take(self, part: bytes) -> None:
        """Add a part; raises StoreError when there is no room for it."""
        self.size += len(part)
        self._digest.update(part)
        self._head += part
        if self.size > SHORT:
            try:
                self._file = self._file or NamedTemporaryFile(prefix=_PREFIX)  # noqa: SIM115 - closed by `close`
                self._file.write(self._head)
            except OSError as exc:
                reason = (exc.strerror or str(exc)).lower()
                raise StoreError(f"{gettempdir()}: a long body: {reason}") from exc
            self._head.clear()

    def digest(self) -> bytes:
        """Return what stands for all that was taken."""
        return self._digest.digest()

    def kept(self) -> tuple[bytes, str]:
        """Return what was taken, if it is short, and the path of its file, if long.

        The file holds it until the next `start`.
        """
        if self._file is None or self.size <= SHORT:
            return bytes(self._head), ""
        self._file.flush()
        return b"", self._file.name

    def close(self) -> None:
        """Remove the file."""
        if self._file:
            self._file.close()


def read(fetched: Fetched) -> bytes:
    """Return the whole body of an answer, from wherever it is kept."""
    return Path(fetched.spooled).read_bytes() if fetched.spooled else fetched.body
