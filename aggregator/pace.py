"""When a feed is asked next: pure functions of what is known and what just happened.

No clock and no chance: jitter is a hash of the feed and of the time slot, so a cycle
done again after a crash decides the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from aggregator.identity import number
from aggregator.model import Outcome, Polling

GONE = timedelta(days=30)  # a feed that answered 410 is asked once a month
RETRY_CAP = timedelta(days=7)  # no outlet may silence itself for longer (DESIGN.md §7)
_JITTER = 0.1  # of the interval, so that feeds found together drift apart
_DOUBLINGS = 16  # beyond any span between a second and a day


def next_poll(outcome: Outcome, failures: int, polling: Polling) -> datetime:
    """Return when to ask the feed of `outcome` again.

    failures: polls that failed in a row, this one included. An interval that the
    maintainer set for the outlet is kept to the letter while the feed answers; what the
    server asked for (`not_before`) always holds, up to its cap.
    """
    own = outcome.feed.outlet.interval
    base = own or polling.interval
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
