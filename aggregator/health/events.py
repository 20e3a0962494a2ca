"""What the maintainer should hear of: something started, or it is over. Pure.

An event is told once. What is told of a subject last says what state it is believed to
be in, so comparing that with how it fares now gives the new events, and doing so twice
gives none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened. After each: what its subject is, and what `text` holds."""

    FAILS = "fails"  # a feed's URL; the reason
    GONE = "gone"  # a feed's URL (HTTP 410); the reason
    RECOVERED = "recovered"  # a feed's URL, after FAILS, GONE or UNSTEADY
    UNSTEADY = "unsteady"  # a feed's URL: it fails and recovers again and again
    SILENT = "silent"  # a feed's URL: it answers, but brings nothing new
    SPEAKS = "speaks"  # a feed's URL, after SILENT
    MOVED = "moved"  # a feed's URL; the address it redirects to for good
    GAP = "gap"  # a feed's URL: entries may have come and gone unseen since `since`
    TOPIC_SILENT = "topic_silent"  # a topic's id
    TOPIC_SPEAKS = "topic_speaks"  # a topic's id, after TOPIC_SILENT
    WAITS = "waits"  # a story's short id: a doubtful mention; its title
    EDIT = "edit"  # a file's name: an edit that is not used; the problems
    EDIT_MENDED = "edit_mended"  # a file's name, after EDIT


@dataclass(frozen=True, slots=True)
class Event:
    """Something that started or ended at `at`, told once.

    outlet: whose feed it is, or the topic's title; "" where neither fits. since: when
    what it tells began, where that lies before `at`: the newest entry before a silence,
    the last good poll before a failure or a gap.
    """

    id: int
    at: datetime
    kind: Kind
    subject: str
    outlet: str = ""
    text: str = ""
    since: datetime | None = None
