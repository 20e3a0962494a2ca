"""How often something comes, and how long a silence must be to say something. Pure.

A rhythm is judged by its latest moments, never by how far back a list goes: a first
poll may bring ten years of articles, of which the last months count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

SLOT = timedelta(hours=12)  # what comes closer together is one moment: one issue, a day
LATEST = 40  # moments that count: three weeks of a daily, most of a year of a weekly

_QUIET = 5  # usual pauses: an agency is missed after two days and a half
_HOLIDAYS = timedelta(weeks=10)  # a monthly's summer; from there on, _LONG alone counts
_LONG = 2  # times the longest pause but one
_KNOWN = 5  # pauses, with fewer of which nothing is known to be usual
_UNKNOWN = timedelta(days=30)  # what is waited then


def moments(dates: Iterable[datetime]) -> tuple[datetime, ...]:
    """Return the latest LATEST of the dates that are SLOT or more apart, newest first.

    Twenty articles of one evening are one moment, not nineteen pauses.
    """
    kept: list[datetime] = []
    for date in sorted(dates, reverse=True):
        if not kept or kept[-1] - date >= SLOT:
            kept.append(date)
        if len(kept) == LATEST:
            break
    return tuple(kept)


def patience(latest: Sequence[datetime]) -> timedelta:
    """Return how long a silence may be before it is far longer than usual.

    latest: as `moments` returns them. Five usual pauses (the median one), but no more
    than ten weeks: that much lets a weekly and a monthly have their August. And twice
    the longest pause but one, for what comes in bursts or stops at weekends: the very
    longest may be an accident, such as one article of 2009 left in a list.
    """
    pauses = sorted((late - soon for late, soon in pairwise(latest)), reverse=True)
    if not pauses:
        return _UNKNOWN
    longest = pauses[1] if len(pauses) >= _KNOWN else pauses[0]
    usual = pauses[len(pauses) // 2]
    wait = max(_LONG * longest, min(_QUIET * usual, _HOLIDAYS))
    return wait if len(pauses) >= _KNOWN else max(wait, _UNKNOWN)
