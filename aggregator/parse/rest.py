"""How a feed asks in its own document to be left alone. Pure; called by `parse`.

RSS ttl, skipHours and skipDays, and the syndication module of RSS 1.0. Only what stands
before the first item is looked at, and no more of it than a field may be long.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from aggregator.model import Rest
from aggregator.parse import fields

_LONGEST: Final = timedelta(days=7)
_HOURS: Final = 24
_PERIODS: Final = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Comments and CDATA may hold anything; cut short, they reach to the end.
_OPAQUE: Final = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_ITEM: Final = re.compile(r"<item[\s/>]")
_SKIP: Final = b"<skip"  # as both of them begin; few feeds have any
_HOUR: Final = re.compile(r"<hour>\s{0,99}(\d{1,2})\s{0,99}</hour>")
_DAY: Final = re.compile(r"<day>\s{0,99}(\w{3})\w{0,6}\s{0,99}</day>")


def read(feed: Any, text: bytes) -> Rest:  # noqa: ANN401 - untyped library
    """Return when a feed asks to be left alone.

    feed: what feedparser made of its head; text: the document in UTF-8, since
    feedparser keeps the last skipped hour and day only. Hour 24 is 0. What makes no
    sense counts as not said.
    """
    start = text[: fields.LONGEST]
    if _SKIP not in start.lower():
        return Rest(_ttl(feed))
    head = _OPAQUE.sub("", start.decode("utf-8", "ignore")).lower()
    head = _ITEM.split(head, maxsplit=1)[0]
    hours = (int(hour) for hour in _HOUR.findall(_inside(head, "skiphours")))
    days = _DAY.findall(_inside(head, "skipdays"))
    return Rest(
        _ttl(feed),
        frozenset(hour % _HOURS for hour in hours if hour <= _HOURS),
        frozenset(_DAYS.index(day) for day in days if day in _DAYS),
    )


def _inside(head: str, name: str) -> str:
    """Return what stands in the first element of a name, "" where there is none."""
    return head.partition(f"<{name}>")[2].partition(f"</{name}>")[0]


def _ttl(feed: Any) -> timedelta | None:  # noqa: ANN401 - untyped library
    """Return how long a feed wants to be left alone after a poll, at most seven days.

    The longer one of RSS ttl (minutes) and the syndication module's period; None when
    it says neither.
    """
    wanted = timedelta(minutes=_count(feed.get("ttl")))
    period = _PERIODS.get(_word(feed.get("sy_updateperiod")).lower())
    if period:
        wanted = max(wanted, period / (_count(feed.get("sy_updatefrequency")) or 1))
    return min(wanted, _LONGEST) or None


def _count(value: object) -> int:
    """Return a number of at most six digits, 0 for what is no number."""
    word = _word(value)
    return int(word[:6]) if word.isascii() and word.isdigit() else 0


def _word(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
