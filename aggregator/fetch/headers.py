"""What the headers of an answer say about when to come back.

Pure functions of header text and the time of the cycle; nothing of requests may enter.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_WAIT: Final = timedelta(days=7)  # DESIGN.md §7: cap of Retry-After
_MOST: Final = 10**9  # a GB, or 30 years of seconds: datetime bears no million


def http_date(text: str) -> datetime | None:
    """Return a date of HTTP (RFC 9110 §5.6.7) in UTC, None when it is none."""
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_after(text: str, now: datetime) -> datetime | None:
    """Return until when Retry-After asks to wait, at most seven days from `now`.

    Both forms are read, seconds and date (RFC 9110 §10.2.3). None: it asks for nothing.
    """
    seconds = count(text.strip())
    at = http_date(text) if seconds is None else now + timedelta(seconds=seconds)
    if at is None or at <= now:
        return None
    return min(at, now + LONGEST_WAIT)


def fresh_until(
    cache_control: str, expires: str, age: str, now: datetime
) -> datetime | None:
    """Return until when an answer says that asking again is of no use.

    max-age less Age goes before Expires (RFC 9111 §4.2.1). None: nothing is promised.
    """
    directives = [part.strip().lower() for part in cache_control.split(",")]
    if "no-cache" in directives or "no-store" in directives:
        return None
    for directive in directives:
        name, _, value = directive.partition("=")
        seconds = count(value.strip().strip('"'))
        if name.strip() == "max-age" and seconds is not None:
            left = seconds - (count(age.strip()) or 0)
            return now + timedelta(seconds=left) if left > 0 else None
    at = http_date(expires)
    return at if at is not None and at > now else None


def count(text: str) -> int | None:
    """Return a count of seconds or bytes, None when the text is no such number."""
    if not (text.isascii() and text.isdigit()):
        return None
    return _MOST if len(text) > len(str(_MOST)) else min(int(text), _MOST)
