"""Errors: what this package raises on purpose, and what it tells a person."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

FailureKind = Literal["network", "http", "gone", "limit", "refused", "document", "ours"]


class AggregatorError(Exception):
    """Whatever this package raises on purpose; `str()` is one line for a person."""

    exit_status = 1


class ConfigError(AggregatorError):
    """feeds.toml or curation.toml cannot be used; `problems` holds a line for each."""

    exit_status = 2

    def __init__(self, source: Path | str, problems: tuple[str, ...]) -> None:
        """Keep every problem, each saying where, what was read and what to write."""
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        super().__init__("\n  ".join((f"{source}: {count}", *problems)))
        self.source = str(source)
        self.problems = problems


class QueryError(AggregatorError):
    """A query line cannot be read; the text says why and what to write instead."""

    exit_status = 2


class StoreError(AggregatorError):
    """The database cannot be used."""


class DataError(AggregatorError):
    """What the published folder holds cannot be used to make the database again."""


class LockHeldError(AggregatorError):
    """Another command holds the lock that this one needs."""

    exit_status = 75


class EngineError(AggregatorError):
    """What carries out polls cannot be reached, or is lost; they wait for a cycle."""


class StageError(AggregatorError):
    """What an outlet did; becomes a `Failure` and never leaves `poll`."""


class FetchError(StageError):
    """A document could not be fetched."""

    def __init__(
        self,
        reason: str,
        *,
        kind: FailureKind = "network",
        status: int | None = None,
        not_before: datetime | None = None,
        paused_host: str = "",
        moved_to: str = "",
    ) -> None:
        """Keep the reason (lower case, one line, no URL) and what the server added."""
        super().__init__(reason)
        self.kind: FailureKind = kind
        self.status = status
        self.not_before = not_before
        self.paused_host = paused_host
        self.moved_to = moved_to


class PausedError(StageError):
    """A host that wants to be left alone stands in the way; nothing was asked of it."""

    def __init__(self, host: str, until: datetime) -> None:
        """Keep which host, and until when."""
        super().__init__(f"{host} asked to wait")
        self.until = until


class StoppedError(StageError):
    """The program is ending: nothing more is asked."""


class ParseError(StageError):
    """A document is no feed, or could not be read within its limits."""
