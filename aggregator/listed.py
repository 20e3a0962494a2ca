"""The documents that list the outlets, made anew only when they would be others.

With a hundred thousand outlets that takes many seconds. What they were made of is
remembered, and the digest of each, so that one that somebody else changed or removed
is made again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from aggregator.config.kept import program
from aggregator.identity import digest, number
from aggregator.publish import OUTLETS
from aggregator.store import Store

_FACT = "listed"


class Listed:
    """What is known of these documents, for one time of publishing."""

    def __init__(self, store: Store, frame: str) -> None:
        """Tell what they are made of now; frame: what is round all pages."""
        self._store = store
        # of an older database the text itself
        coverage = store.fact("coverage_digest") or store.fact("coverage")
        self._of = str(number(program(), frame, coverage))
        self._digests: dict[str, int] = {}

    def stand(self, folder: Path) -> Collection[str]:
        """Return their names if all are there as they would be made; else ()."""
        said = json.loads(self._store.fact(_FACT) or "{}")
        if said.get("of") != self._of:
            return ()
        try:
            for name, known in said["digests"].items():
                if digest((folder / name).read_bytes()) != known:
                    return ()
        except OSError:
            return ()
        self._digests = said["digests"]
        return self._digests.keys()

    def noted(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """Yield documents as they come, with an eye on those that list the outlets."""
        for name, body in files:
            if name.startswith(OUTLETS):
                self._digests[name] = digest(body)
            yield name, body

    def keep(self, written: Collection[str]) -> None:
        """Remember what was written."""
        digests = {name: its for name, its in self._digests.items() if name in written}
        said = json.dumps({"of": self._of, "digests": digests})
        if said != self._store.fact(_FACT):
            with self._store.transaction():
                self._store.note(_FACT, said)
