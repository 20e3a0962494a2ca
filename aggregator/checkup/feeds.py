"""What one poll tells of a feed, for a maintainer who has just written it down. Pure.

Each problem is one line, with what mends it: lines to paste, or a command. What a
cycle makes of the same answer is `pace` and `health`; nothing here is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from aggregator import wording
from aggregator.identity import number
from aggregator.model import Failure, Feed, Outcome, Outlet
from aggregator.parse import NAMES
from aggregator.urls import canonical, origin

_OLD: Final = timedelta(days=365)  # a feed with nothing newer is hardly kept up
_SLOW: Final = 3  # part of its timeout that a feed may take without a word
_LONGER: Final = 2  # times the timeout that is proposed where it was too short
_MISSING: Final = frozenset({404, 410})


class Fit(StrEnum):
    """Whether a feed may stay as it is: ODD ones bring something, but look again."""

    WORKS = "works"
    ODD = "odd"
    FAILS = "fails"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in one line. paste: lines of feeds.toml; run: a command."""

    says: str
    paste: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class FeedCheck:
    """What asking a feed once told of it.

    newest: date of its newest entry, None = none has one. language: "" = it says none.
    seconds: how long it took, without waiting for its turn. offline: it failed as all
    do where this machine has no network. lists: stands for what its entries are, 0 =
    there are none.
    """

    outlet: str
    url: str
    state: Fit
    entries: int = 0
    newest: datetime | None = None
    language: str = ""
    seconds: float = 0.0
    problems: tuple[Problem, ...] = ()
    offline: bool = False
    lists: int = 0


def judge(outcome: Outcome, timeout: timedelta, text: str) -> FeedCheck:
    """Return what a poll without validators says of a feed.

    timeout: how long its request might take. text: of feeds.toml.
    """
    feed = outcome.feed
    check = FeedCheck(feed.outlet.name, feed.url, Fit.WORKS, seconds=outcome.seconds)
    if not outcome.asked:
        return unasked(feed, outcome.not_before)
    if outcome.failure:
        problem = _failed(feed, outcome, outcome.failure, timeout, text)
        offline = outcome.failure.kind == "network"
        return replace(check, state=Fit.FAILS, problems=(problem,), offline=offline)
    entries = outcome.entries
    dates = [one.published_at for one in entries if one.published_at]
    spoken = (outcome.language, *(entry.language for entry in entries))
    check = replace(
        check,
        entries=len(entries),
        newest=max(dates, default=None),
        language=next(filter(None, spoken), ""),
        lists=number(*sorted(canonical(one.url) or one.key for one in entries))
        if entries
        else 0,
    )
    found = tuple(_oddities(feed, outcome, check, timeout, text))
    return replace(check, state=Fit.ODD if found else Fit.WORKS, problems=found)


def unasked(feed: Feed, until: datetime | None = None) -> FeedCheck:
    """Return what is said of a feed that was not asked; until: its host's wish."""
    check = FeedCheck(feed.outlet.name, feed.url, Fit.NOT_ASKED)
    if until is None:
        return check
    says = f"its host asked to be left alone until {until:%Y-%m-%d %H:%M} UTC"
    return replace(check, problems=(Problem(says),))


def twins(checks: Sequence[FeedCheck]) -> tuple[FeedCheck, ...]:
    """Return the checks; of feeds with the same entries all but the first say so."""
    first: dict[int, FeedCheck] = {}
    told = []
    for check in checks:
        other = first.setdefault(check.lists, check) if check.lists else check
        told.append(check if other is check else _twin(check, other))
    return tuple(told)


def _twin(check: FeedCheck, other: FeedCheck) -> FeedCheck:
    whose = "" if other.outlet == check.outlet else f" ({other.outlet})"
    problem = Problem(f"lists the same as {other.url}{whose}: one of them is enough")
    return replace(check, state=Fit.ODD, problems=(*check.problems, problem))


def line(text: str, outlet: Outlet, old: str, new: str) -> str:
    """Return the line of feeds.toml that names a feed, with another address.

    As it stands in the text, so that its other keys stay; where it is not found there,
    the outlet's name and addresses.
    """
    quoted = re.compile(rf"(['\"]){re.escape(old)}\1")
    for written in text.splitlines():
        if quoted.search(written) and not written.lstrip().startswith("#"):
            return quoted.sub(lambda _: wording.quoted(new), written).strip()
    return wording.outlet(
        outlet.name, [new if url == old else url for url in outlet.urls]
    )


def _failed(
    feed: Feed, outcome: Outcome, failure: Failure, timeout: timedelta, text: str
) -> Problem:
    """Return why a feed does not work, and what may mend it."""
    reason = failure.reason
    if outcome.status in _MISSING:
        home = feed.outlet.homepage or origin(feed.url)
        run = f"aggregator discover {home}"
        return Problem(f"{reason}: nothing is there", run=run)
    if NAMES in reason:
        named = reason.partition(NAMES)[2]
        return Problem(reason, line(text, feed.outlet, feed.url, named))
    if failure.kind == "network" and "timeout after" in reason:
        longer = f"{_LONGER * timeout.total_seconds():g}s"
        return Problem(f"{reason}; give it longer", _keyed(feed, "timeout", longer))
    return Problem(reason)


def _keyed(feed: Feed, key: str, value: str) -> str:
    """Return an outlet's line with one more key; only the key where it has others."""
    outlet, pair = feed.outlet, f"{key} = {wording.quoted(value)}"
    if outlet != Outlet(outlet.name, outlet.urls):
        return pair
    name, _, urls = wording.outlet(outlet.name, outlet.urls).partition(" = ")
    return f"{name} = {{ url = {urls}, {pair} }}"


def _oddities(
    feed: Feed, outcome: Outcome, check: FeedCheck, timeout: timedelta, text: str
) -> Iterator[Problem]:
    """Yield what is odd of a feed that works."""
    if moved := outcome.moved_to:
        new = line(text, feed.outlet, feed.url, moved)
        yield Problem(f"redirects for good to {moved}", new)
    if not outcome.complete:
        yield Problem("malformed, or cut short: what can be read of it is used")
    if not check.entries:
        yield Problem("has no entry")
    elif check.newest and outcome.at - check.newest > _OLD:
        yield Problem(f"has no entry newer than {check.newest:%Y-%m-%d}")
    if check.seconds * _SLOW > timeout.total_seconds():
        yield Problem(
            f"took {check.seconds:.1f} s of the {timeout.total_seconds():g} s it has"
        )
