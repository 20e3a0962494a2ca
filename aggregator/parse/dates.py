"""Dates as outlets write them, in UTC.

feedparser reads most dialects; here stand those it does not (French month names,
Central European zones, day/month/year) and what is no date of an article at all.
Pure; nothing of feedparser may enter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

_EARLIEST: Final = 1990  # older ones are clocks that were never set, no articles
_MONTHS: Final = {
    "jan": 1, "fev": 2, "feb": 2, "mar": 3, "avr": 4, "apr": 4, "mai": 5, "may": 5,
    "juin": 6, "jun": 6, "juil": 7, "jul": 7, "aou": 8, "aug": 8, "sep": 9, "oct": 10,
    "nov": 11, "dec": 12,
}  # fmt: skip
_ZONES: Final = {"cet": 1, "cest": 2, "met": 1, "mest": 2, "hec": 1, "heec": 2}
_CLOCK: Final = (
    r"(?:\D{1,5}?(?P<hour>\d{1,2})\s?[:h]\s?(?P<minute>\d{2})(?::(?P<second>\d{1,2}))?)?"
    r"(?:\.\d+)?\s*(?P<zone>(?:gmt|utc)?[+-]\d{1,2}(?::?\d{2})?|[a-z]{1,5})?"
)
_NAMED: Final = re.compile(
    r"\b(?P<day>\d{1,2})(?:er)?[\s./-]+(?P<month>[a-z]{3,9})\.?[\s./,-]+(?P<year>\d{4})\b"
    + _CLOCK
)
_NUMBERED: Final = re.compile(
    r"\b(?P<day>\d{1,2})[/.](?P<month>\d{1,2})[/.](?P<year>\d{4})\b" + _CLOCK
)
_OFFSET: Final = re.compile(
    r"(?:gmt|utc)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?"
)
# The two dialects of nearly all feeds, as far as nothing is odd about them.
_TIME: Final = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>[0-5]\d)"
_W3C: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    rf"(?:[T ]{_TIME}(?:\.\d{{1,6}})?)?(?P<zone>Z|[+-][01]\d(?::[0-5]\d|00))?)?",
    re.ASCII,
)
_RFC: Final = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),\s{1,4})?(?P<day>\d{1,2})\s{1,4}"
    r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s{1,4}"
    rf"(?P<year>(?:\d\d)?\d\d)\s{{1,4}}{_TIME})?\s{{1,4}}"
    r"(?P<zone>[+-][01]\d[0-5]\d|GMT|UTC|Z|[ECMP][SD]T)",
    re.ASCII,
)
_AMERICAN: Final = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8,
    "PDT": -7,
}  # fmt: skip
_LONGEST: Final = 100  # characters of a date
_RECENT: Final = 100  # dates: each is asked for twice, when it is met and when used
_FIGURES: Final = 4  # of a year
_FIELDS: Final = 6  # year to second


def of_feed(text: str, parsed: Sequence[int] | None) -> datetime | None:
    """Return the moment of a feed's date; a missing zone is UTC.

    text: as it stands in the feed. parsed: what feedparser made of it, in UTC.
    None: no date, an impossible one, or one before 1990.
    """
    at = usual(text)
    if at is not None:
        return _plausible(at)
    folded = _folded(text)
    if parsed is None or _zone(folded.rpartition(" ")[2]):
        return _plausible(_named(folded)) or _plausible(_tuple(parsed))
    return _plausible(_tuple(parsed))


@lru_cache(_RECENT)
def usual(text: str) -> datetime | None:
    """Return the moment of a date in one of the two usual dialects (RFC 5322, W3C).

    Even an implausible one. None where there is anything odd about it; where not,
    feedparser and the rules here would find the same moment.
    """
    found = _W3C.fullmatch(text) or _RFC.fullmatch(text)
    if found is None:
        return None
    month, zone = found["month"], found["zone"] or ""
    year = int(found["year"])
    if len(found["year"]) < _FIGURES:
        year += 1900 if year >= _EARLIEST % 100 else 2000
    try:
        at = datetime(
            year,
            int(month) if month.isdigit() else _MONTHS[month.lower()],
            int(found["day"]),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            int(found["second"] or 0),
            tzinfo=UTC,
        )
        at -= timedelta(hours=_AMERICAN[zone]) if zone in _AMERICAN else _zone(zone)
    except (ValueError, OverflowError):
        return None
    return at


def of_text(text: str) -> datetime | None:
    """Return the moment of an RFC 3339, W3C, RFC 5322 or French date, as `of_feed`."""
    text = text.strip()[:_LONGEST]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return _plausible(_named(_folded(text)))
    return _plausible(at.replace(tzinfo=at.tzinfo or UTC))


def _tuple(parsed: Sequence[int] | None) -> datetime | None:
    if parsed is None:
        return None
    year, month, day, hour, minute, second = parsed[:_FIELDS]
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _named(folded: str) -> datetime | None:
    """Return a date with a month's name or, in French order, with its number."""
    found = _NAMED.search(folded) or _NUMBERED.search(folded)
    if found is None:
        return None
    name = found["month"]
    month = int(name) if name.isdigit() else _MONTHS.get(name[:3]) or _july(name)
    try:
        at = datetime(
            int(found["year"]),
            month,
            int(found["day"]),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            int(found["second"] or 0),
            tzinfo=UTC,
        )
        return at - _zone(found["zone"] or "")
    except (ValueError, OverflowError):
        return None


def _july(name: str) -> int:
    """Return 6 for juin, 7 for juillet, 0 for no month."""
    return _MONTHS.get(name[:4], 0)


def _zone(name: str) -> timedelta:
    """Return the offset of a zone, nothing for one that is not known."""
    found = _OFFSET.fullmatch(name)
    if found is None:
        return timedelta(hours=_ZONES.get(name, 0))
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return -offset if found["sign"] == "-" else offset


def _folded(text: str) -> str:
    """Return a date's text without marks, in lower case."""
    spelled = unicodedata.normalize("NFKD", text.strip()[:_LONGEST]).casefold()
    return "".join(letter for letter in spelled if not unicodedata.combining(letter))


def _plausible(at: datetime | None) -> datetime | None:
    try:
        at = at and at.astimezone(UTC)
    except OverflowError:
        return None
    return at if at is not None and at.year >= _EARLIEST else None
