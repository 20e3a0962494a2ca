"""What readers may know of the outlets that are followed, and of the holes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Window:
    """A span in which articles may have been missed; until None = it lasts.

    kind: "failure", the outlet could not be read; "silence", it answered but brought
    nothing for far longer than usual; "gap", entries may have come and gone between two
    polls.
    """

    kind: Literal["failure", "silence", "gap"]
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Followed:
    """An outlet on the coverage page. since: None while none of its feeds answered."""

    name: str
    homepage: str
    since: datetime | None
    newest_at: datetime | None
    windows: tuple[Window, ...] = ()
