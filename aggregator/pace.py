"""When a feed is asked next: pure functions of what is known and what just happened.

No clock and no chance: jitter is a hash of the feed and of the time slot, so a cycle
done again after a crash decides the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import sqrt

from aggregator.identity import number
from aggregator.model import Outcome, Polling

GONE = timedelta(days=30)  # a feed that answered 410 is asked once a month
RETRY_CAP = timedelta(days=7)  # no outlet may silence itself for longer (DESIGN.md §7)
RECENT = 100  # entries that tell a feed's rhythm
_JITTER = 0.1  # of the interval, so that feeds found together drift apart
_DOUBLINGS = 16  # beyond any span between a second and a day
_QUIET = 3  # a pause this many times shorter than the present silence is over
_MARGIN = 3  # polls while a document is renewed whole, at its busiest
_UNBELIEVED = 5  # usual pauses without news, after which a 304 is doubted
_LEAST_UNBELIEVED = timedelta(days=1)  # every outlet sleeps at night
_KNOWN = 2  # dates without which there is no rhythm


def interval(
    dates: Sequence[datetime], listed: int, now: datetime, polling: Polling
) -> timedelta:
    """Return how long a feed can be left alone, by its own rhythm.

    dates: of its last RECENT entries, in any order. listed: how many entries its
    document holds.

    The delay until entries are found, summed over all of them, is least for a given
    number of polls when each feed is asked at the geometric mean of its usual pause and
    of one span common to all, here `polling.interval`. The usual pause is the mean one
    between `dates`, and grows with a silence. A document that is renewed faster than it
    would be read so is asked _MARGIN times while it is.
    """
    if len(dates) < _KNOWN:
        return polling.interval
    ordered = sorted(dates)
    newest = ordered[-1]
    mean = (newest - ordered[0]) / (len(ordered) - 1)
    pause = max(mean, (now - newest) / _QUIET)
    wanted = _seconds(sqrt(_length(pause) * _length(polling.interval)))
    return max(
        polling.fastest,
        min(wanted, _renewal(ordered, listed) / _MARGIN, polling.slowest),
    )


def suspicious(
    dates: Sequence[datetime], now: datetime, doubted_at: datetime | None
) -> bool:
    """Tell whether "unchanged" is hard to believe of a feed of this rhythm.

    Some servers and caches go on answering 304 when there is news; one unconditional
    request shows. dates: as for `interval`. doubted_at: the newest date when it was
    doubted before; one silence is doubted once.
    """
    if len(dates) < _KNOWN or (doubted_at and doubted_at >= max(dates)):
        return False
    mean = (max(dates) - min(dates)) / (len(dates) - 1)
    return now - max(dates) > max(mean * _UNBELIEVED, _LEAST_UNBELIEVED)


def _renewal(ordered: Sequence[datetime], listed: int) -> timedelta:
    """Return the least time in which a document of `listed` entries was renewed."""
    reach = max(1, min(listed, len(ordered) - 1))
    spans = (late - soon for soon, late in zip(ordered, ordered[reach:], strict=False))
    return min(spans) * max(listed, 1) / reach


def next_poll(
    outcome: Outcome, failures: int, usual: timedelta, polling: Polling
) -> datetime:
    """Return when to ask the feed of `outcome` again.

    failures: polls that failed in a row, this one included. usual: what `interval`
    says. An interval that the maintainer set for the outlet is kept to the letter while
    the feed answers; what the server asked for (`not_before`) always holds, up to its
    cap.
    """
    own = outcome.feed.outlet.interval
    base = own or usual
    if outcome.failure is None:
        wait = base if own else base + _jitter(outcome, base)
        cap = max(polling.slowest, base)
    elif outcome.failure.kind == "gone":
        wait = GONE + _jitter(outcome, polling.slowest)
        cap = RETRY_CAP
    else:
        backed_off = base * 2 ** min(failures, _DOUBLINGS)
        wait = min(backed_off, max(polling.slowest, base))
        wait += _jitter(outcome, wait)
        cap = RETRY_CAP
    due = outcome.at + wait
    if outcome.not_before is not None:
        due = max(due, min(outcome.not_before, outcome.at + cap))
    return due


def furthest(polling: Polling) -> timedelta:
    """Return how far off a next poll can lie; beyond that, the clock has jumped."""
    return (GONE + polling.slowest) * (1 + _JITTER)


def _jitter(outcome: Outcome, span: timedelta) -> timedelta:
    """Return up to a tenth of `span`, the same for the same feed and minute."""
    slot = str(int(outcome.at.timestamp()) // 60)
    share = number("jitter", outcome.feed.url, slot) / 2**63
    return timedelta(seconds=int(span.total_seconds() * _JITTER * share))


def _length(span: timedelta) -> float:
    return max(span.total_seconds(), 0.0)


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=int(count))
