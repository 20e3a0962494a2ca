"""What else the maintainer should hear: gaps, topics, hubs, edits, and what waits.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.health.events import (
    BRAKES,
    EDITS,
    HUBS,
    TOPIC,
    Event,
    Kind,
    Told,
    event_id,
    later,
)
from aggregator.health.rhythm import moments, patience
from aggregator.model import Feed, State, Story, Topic

_MENTIONS = 5  # fewer say nothing of how often a topic is written about
_LEAST = timedelta(days=30)  # no topic is silent sooner


@dataclass(frozen=True, slots=True)
class Gap:
    """A feed's document had nothing in common with the one before it.

    since: of that one, None where it is not known; until: of this one.
    """

    url: str
    since: datetime | None
    until: datetime


def gap_events(feeds: Iterable[Feed], gaps: Iterable[Gap], told: Told) -> list[Event]:
    """Return the gaps of the followed feeds that were not told, each at its end."""
    outlets = {feed.url: feed.outlet.name for feed in feeds if feed.outlet.enabled}
    return list(
        told.new(
            Event(
                event_id(Kind.GAP, gap.url, gap.until),
                gap.until,
                Kind.GAP,
                gap.url,
                outlets[gap.url],
                "",
                gap.since,
            )
            for gap in gaps
            if gap.url in outlets
        )
    )


def topic_events(
    topics: Iterable[Topic],
    mentioned: Mapping[str, Sequence[datetime]],
    told: Told,
    answered_at: datetime | None,
    now: datetime,
) -> Iterator[Event]:
    """Yield the topics of which nothing is written any more, and those of which it is.

    mentioned: the dates of each topic's certain mentions. answered_at: when a feed last
    answered; silence is judged as of then, since nothing is known of the time after.

    A topic is silent after twice its longest pause but one, or five usual ones (see
    `rhythm.patience`), and after a month at least. Articles on a work come in bursts:
    the mean pause of a premiere's week would be an alarm a week later.
    """
    for topic in topics:
        dates = mentioned.get(topic.id, ())
        if not dates or answered_at is None:
            continue
        newest, last = max(dates), told.last(topic.id, TOPIC)
        if last and last.kind is Kind.TOPIC_SILENT:
            if last.since and newest <= last.since:
                continue
            kind, since = Kind.TOPIC_SPEAKS, last.since
        elif len(dates) >= _MENTIONS and (
            answered_at - newest > max(_LEAST, patience(moments(dates)))
        ):
            kind, since = Kind.TOPIC_SILENT, newest
        else:
            continue
        at = later(now, last)
        yield Event(
            event_id(kind, topic.id, at), at, kind, topic.id, topic.title, "", since
        )


def waiting_events(stories: Iterable[Story], told: Told, now: datetime) -> list[Event]:
    """Return the stories that wait and were not told, each once."""
    return list(
        told.new(
            Event(
                event_id(Kind.WAITS, story.short),
                now,
                Kind.WAITS,
                story.short,
                story.outlet,
                story.title,
            )
            for story in stories
            if story.state is State.WAITING
        )
    )


def brake_events(
    topics: Iterable[Topic], held: Mapping[str, int], told: Told, now: datetime
) -> Iterator[Event]:
    """Yield the topics of which the brake holds stories, and those it let go.

    held: how many, by topic id. It is told again when there are more of them.
    """
    titles = {topic.id: topic.title for topic in topics}
    for topic in dict.fromkeys([*held, *told.subjects(Kind.BRAKE)]):
        last, count = told.last(topic, BRAKES), held.get(topic, 0)
        known = int(last.text) if last and last.kind is Kind.BRAKE else 0
        if count > known:
            kind, text = Kind.BRAKE, str(count)
        elif known and not count:
            kind, text = Kind.BRAKE_OFF, ""
        else:
            continue
        at, title = later(now, last), titles.get(topic, topic)
        yield Event(event_id(kind, topic, at), at, kind, topic, title, text)


def edit_events(
    problems: Mapping[str, str], told: Told, now: datetime
) -> Iterator[Event]:
    """Yield the edits that cannot be used, each once, and those that were mended.

    problems: by a file's name, "" for one that is fine; a file that was not read is not
    among them.
    """
    for name, text in problems.items():
        last = told.last(name, EDITS)
        wrong = last is not None and last.kind is Kind.EDIT
        if text and not (last and wrong and last.text == text):
            kind = Kind.EDIT
        elif wrong and not text:
            kind = Kind.EDIT_MENDED
        else:
            continue
        at = later(now, last)
        yield Event(event_id(kind, name, text, at), at, kind, name, "", text)


def hub_events(
    reasons: Mapping[str, str], told: Told, now: datetime
) -> Iterator[Event]:
    """Yield the hubs that begin to fail, and those that work again.

    reasons: why each hub that was asked did not take all it was told, "" = it did.
    """
    for url, reason in reasons.items():
        last = told.last(url, HUBS)
        failed = last is not None and last.kind is Kind.HUB_FAILS
        if failed == bool(reason):
            continue
        kind, at = Kind.HUB_FAILS if reason else Kind.HUB_WORKS, later(now, last)
        since = last.at if last and failed else None
        yield Event(event_id(kind, url, at), at, kind, url, "", reason, since)
