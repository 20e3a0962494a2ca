"""What commands wrote into curation.toml, to tell when an editor saved over it.

An editor that was open meanwhile puts an older text in the place of the newer one: what
was appended last is gone then, and nothing after it is left. What somebody takes out by
hand is mostly another one, and is taken as meant. The file itself is `append`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aggregator import curation, wording
from aggregator.identity import number
from aggregator.model import Config, ConfigError, Decision
from aggregator.store import Store, decided
from aggregator.store.decided import Written


@dataclass(frozen=True, slots=True)
class Missing:
    """Decisions that vanished, in order of writing; new: some since one last looked."""

    decisions: tuple[Decision, ...] = ()
    new: bool = False


def missing(config: Config, standing: Sequence[Decision]) -> Missing:
    """Return what commands wrote and the file has no longer.

    standing: all that the file says now. What is missing stays so until it stands there
    again or `forget` is told; what was taken out from between others is forgotten at
    once. Raises StoreError.
    """
    with _opened(config) as store:
        return _missing(store, standing, config) if store else Missing()


def note(
    config: Config, standing: Sequence[Decision], decisions: Iterable[Decision]
) -> None:
    """Remember decisions that stand in the file from now on, below `standing`.

    What is missing is noticed first, since what stands below it would hide that.
    Nothing is remembered before the first cycle has made the database. Raises
    StoreError.
    """
    zone = config.site.timezone
    tables = [(_key(one), wording.decision(one, zone)) for one in decisions]
    with _opened(config) as store:
        if store:
            with store.transaction():
                _missing(store, standing, config)
                decided.write(store, tables)


def _missing(store: Store, standing: Sequence[Decision], config: Config) -> Missing:
    written = decided.written(store)
    absent = _absent(written, standing)
    left = sorted({*written} - {*absent}, key=lambda one: one.place)
    last = max((one.place for one in left), default=0)
    gone = [one for one in absent if one.missed or one.place > last]
    meant = [one.place for one in absent if not one.missed and one.place < last]
    found = [one.place for one in left if one.missed]
    new = [one.place for one in gone if not one.missed]
    if meant or found or new:
        with store.transaction():
            decided.forget(store, meant)
            decided.miss(store, found, missed=False)
            decided.miss(store, new, missed=True)
    tables = tuple(each for one in gone for each in _read(one, config))
    return Missing(tables, new=bool(new))


def forget(config: Config, decisions: Iterable[Decision]) -> None:
    """Miss these decisions no longer: they are taken out on purpose."""
    names = Counter(map(_key, decisions))
    with _opened(config) as store:
        if store is None:
            return
        places = []
        for one in reversed(decided.written(store)):
            names[one.key] -= 1
            if names[one.key] >= 0:
                places.append(one.place)
        if places:
            with store.transaction():
                decided.forget(store, places)


def _absent(written: Sequence[Written], standing: Sequence[Decision]) -> list[Written]:
    """Return what of the written does not stand in the file."""
    keys = Counter(map(_key, standing))
    absent = []
    for one in written:
        keys[one.key] -= 1
        if keys[one.key] < 0:
            absent.append(one)
    return absent


def _read(one: Written, config: Config) -> tuple[Decision, ...]:
    """Return what a table says today; nothing when it would not be valid any more."""
    site, path = config.site, config.storage.curation
    try:
        return curation.read_bytes(
            one.table.encode(), path, config.topics, site.timezone
        )
    except ConfigError:
        return ()


def _key(decision: Decision) -> int:
    """Return what stands for a decision, whatever zone the site is in by now."""
    return number(wording.decision(decision, "UTC"))


@contextmanager
def _opened(config: Config) -> Iterator[Store | None]:
    """Open the database, if there is one."""
    if not config.storage.database.exists():
        yield None
        return
    with Store(config.storage.database) as store:
        yield store
