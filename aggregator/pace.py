"""When a feed is asked next, and where: pure functions of what is known of it.

No clock and no chance: jitter is a hash of the feed and of the time slot, so a cycle
done again after a crash decides the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from aggregator.identity import number
from aggregator.model import Outcome, Polling, Rest

GONE = timedelta(days=30)  # a feed that answered 410 is asked once a month
RETRY_CAP = timedelta(days=7)  # no outlet may silence itself for longer (DESIGN.md §7)
SETTLED = timedelta(days=7)  # after which a permanent redirect is believed
RECENT = 100  # entries that tell a feed's rhythm
_JITTER = 0.1  # of the interval, so that feeds found together drift apart
_DOUBLINGS = 16  # beyond any span between a second and a day
_QUIET = 3  # a pause this many times shorter than the present silence is over
_MARGIN = 3  # polls while a document is renewed whole, at its busiest
_UNBELIEVED = 5  # usual pauses without news, after which a 304 is doubted
_LEAST_UNBELIEVED = timedelta(days=1)  # every outlet sleeps at night
_KNOWN = 2  # dates without which there is no rhythm
_NONE = timedelta(0)
_HOUR = timedelta(hours=1)
_HOURS = 24  # of a day
_DAYS = 7  # of a week


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
    outcome: Outcome,
    failures: int,
    usual: timedelta,
    polling: Polling,
    rest: Rest,
) -> datetime:
    """Return when to ask the feed of `outcome` again.

    failures: polls that failed in a row, this one included. usual: what `interval`
    says. rest: what the feed's last document declared; it counts up to `slowest`.

    An interval that the maintainer set for the outlet is kept to the letter, without
    jitter, while the feed answers. What the outlet asks for goes before it all the
    same, be it in a header (`not_before`) or in its document: the maintainer may ask
    more seldom than that, not more often.
    """
    own = outcome.feed.outlet.interval
    base = own or usual
    slowest = max(polling.slowest, base)
    asked = max((outcome.not_before or outcome.at) - outcome.at - outcome.late, _NONE)
    if outcome.failure is None:
        wait = base if own else base + _jitter(outcome, base)
        asked = min(asked, slowest)
    else:
        if gone(outcome):
            wait = GONE + _jitter(outcome, polling.slowest)
        else:
            wait = min(base * 2 ** min(failures, _DOUBLINGS), slowest)
            wait += _jitter(outcome, wait)
        asked = min(asked, RETRY_CAP)
        asked += _jitter(outcome, asked)
    declared = min(rest.ttl or timedelta(0), slowest)
    asked_at = outcome.at + outcome.late
    due = asked_at + max(wait, asked, declared)
    return _awake(outcome, due, rest, asked_at + slowest)


def gone(outcome: Outcome) -> bool:
    """Tell whether a feed's own address says that it is gone for good (HTTP 410).

    Of an address that it moved to this says nothing: its own is asked again first.
    """
    failed = outcome.failure
    return failed is not None and failed.kind == "gone" and _at_home(outcome)


def _awake(outcome: Outcome, due: datetime, rest: Rest, latest: datetime) -> datetime:
    """Return the first moment from `due` on that is in no skipped hour or day.

    Where that lies beyond `latest` it is `latest`; a `due` beyond it stays. A feed that
    skips every hour or every day means something else by it. Feeds that rest by the
    same hours do not all wake in the same minute.
    """
    hours = rest.hours if len(rest.hours) < _HOURS else frozenset()
    days = rest.days if len(rest.days) < _DAYS else frozenset()
    at = due
    while at < latest and (at.hour in hours or at.weekday() in days):
        at = at.replace(minute=0, second=0, microsecond=0) + _HOUR
    if at > due:
        at += _jitter(outcome, _HOUR)
    return max(due, min(at, latest))


def furthest(polling: Polling, own: timedelta | None = None) -> timedelta:
    """Return how far off a next poll can lie; beyond that, the clock has jumped.

    own: the interval that the maintainer set for the outlet.
    """
    return (GONE + max(polling.slowest, own or polling.slowest)) * (1 + _JITTER)


# ── where ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Move:
    """Where a feed's address redirects to for good, and since when it says the same.

    to: "" while it does not.
    """

    to: str = ""
    since: datetime | None = None


def address(url: str, move: Move, now: datetime) -> str:
    """Return where to ask the feed of `url`: there, or where it moved for good."""
    settled = move.to and move.since and now - move.since > SETTLED
    return move.to if settled else url


def moved(outcome: Outcome, move: Move) -> Move:
    """Return what is known of a feed's move after a poll; `move`: before it.

    An address that it moved to is given up when it fails, and when it redirects on for
    good: the feed's own address, which feeds.toml names, then has the say again.
    """
    home = _at_home(outcome)
    if outcome.failure is not None:
        return move if home else Move()
    to = outcome.moved_to
    if to == outcome.feed.url:  # moved back
        return Move()
    if to == move.to or (not to and not home):
        return move
    return Move(to, outcome.at) if to else Move()


def _at_home(outcome: Outcome) -> bool:
    """Tell whether a feed was asked at its own address."""
    return outcome.url in ("", outcome.feed.url)


# ── spans ─────────────────────────────────────────────────────────────────────────────


def _jitter(outcome: Outcome, span: timedelta) -> timedelta:
    """Return up to a tenth of `span`, the same for the same feed and minute."""
    slot = str(int(outcome.at.timestamp()) // 60)
    share = number("jitter", outcome.feed.url, slot) / 2**63
    return timedelta(seconds=int(span.total_seconds() * _JITTER * share))


def _length(span: timedelta) -> float:
    return max(span.total_seconds(), 0.0)


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=int(count))
