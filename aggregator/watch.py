"""What the maintainer should hear of after a cycle: found, told once, and kept.

It reads the database, asks `health` what changed, and remembers that. It neither polls
nor publishes, but gathers what the desk and the coverage page show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from aggregator import health
from aggregator.config.kept import program
from aggregator.desk import Desk
from aggregator.health import (
    BRAKES,
    EDITS,
    Event,
    Followed,
    Kind,
    Record,
    Status,
    Told,
)
from aggregator.identity import number
from aggregator.model import ConfigError, Feed, State, Story, found
from aggregator.publish.desk import DeskView
from aggregator.publish.troubles import MOVED, SHOWN, attention
from aggregator.store import Store, books, configurations, events, judged, tales
from aggregator.store.base import instant
from aggregator.store.judged import Judged, Overview
from aggregator.stories import suggested

_TOGETHER = 1000  # feeds whose moments are in memory at a time, 40 of each


def watch(store: Store, desk: Desk, stories: Iterable[Story], now: datetime) -> bool:
    """Keep what is new after a cycle and, once a day, what the coverage page says.

    Doing it again with the same `now` changes nothing. Returns whether outlets can be
    reached: False when this machine seems cut off from all of them.
    """
    waiting = [story for story in stories if story.state is State.WAITING]
    every = judged.overview(store)
    with store.transaction():
        found = _found(store, desk, every, waiting, now)
        if events.keep(store, found):
            events.forget(store, now, [story.short for story in waiting])
        day = _day(store, desk, now)
        if day != store.fact("coverage_day"):
            _note_coverage(store, _covered(store, desk, now), day)
    return not health.cut_off(every.reach, every.began)


def edits(store: Store, desk: Desk, wrong: ConfigError | None, now: datetime) -> bool:
    """Keep whether the maintainer's two files can be used; tell if that is news.

    wrong: what is wrong with one of them, while `desk` is what stood there before; None
    = both are in force.
    """
    told = Told(events.of(store, EDITS))
    files = [desk.config.source.name, desk.config.storage.curation.name]
    problems = dict.fromkeys([*told.subjects(Kind.EDIT), *files], "")
    if wrong:
        name = Path(wrong.source).name
        if name == desk.config.source.name:
            problems = {}  # the other one is read with it, so nobody looked
        problems[name] = "\n".join(wrong.problems)
    found = list(health.edit_events(problems, told, now))
    if found:
        with store.transaction():
            events.keep(store, found)
    return bool(found)


def brake(store: Store, desk: Desk, stories: Iterable[Story], now: datetime) -> None:
    """Keep of which topics the brake holds stories, where that is news."""
    held = Counter(topic for story in stories for topic in story.held)
    told = Told(events.of(store, BRAKES))
    found = list(health.brake_events(desk.config.topics, held, told, now))
    if found:
        with store.transaction():
            events.keep(store, found)


def coverage(store: Store) -> tuple[Followed, ...]:
    """Return what the coverage page says, as it was decided last.

    The fact `coverage_digest` changes when that does.
    """
    return health.from_text(store.fact("coverage"))


def view(store: Store, desk: Desk, stories: Iterable[Story]) -> DeskView:
    """Return what the maintainer's private pages show, as of the newest poll."""
    stories, told = tuple(stories), events.told(store)
    config = desk.config
    adopted = configurations.adopted(store, config.digest)
    known = adopted and store.fact("judged_by") == program()
    every = judged.overview(store) if known else None
    if every and every.feeds >= SHOWN:
        lines, as_of = _foremost(store, desk, told), every.polled_at
    else:
        records = books.records(store)
        polled = [one.polled_at for one in _followed(desk, records).values()]
        lines = [health.status(feed, records.get(feed.url)) for feed in config.feeds]
        as_of = max(filter(None, polled), default=None)
    shown = [line.url for line in sorted(lines, key=attention)[:SHOWN]]
    return DeskView(
        lines=tuple(lines),
        days=books.daily(store, shown, as_of) if as_of else {},
        events=told,
        waiting=tuple(story for story in stories if story.state is State.WAITING),
        held=tuple(story for story in stories if story.held),
        joins=suggested(stories, tales.suggestions(store), desk.decisions),
        as_of=as_of,
        feeds=len(config.feeds),
    )


def _foremost(store: Store, desk: Desk, told: Sequence[Event]) -> list[Status]:
    """Return the lines of the feeds of which the desk shows something, of very many.

    These are the ones in trouble, the first of all, those that were told of, and what
    else their outlets have. How others fare was judged when they changed last.
    """
    config = desk.config
    urls = {*judged.stirred(store), *judged.troubled(store, MOVED, SHOWN)}
    urls.update(event.subject for event in told)
    feeds = found(config.feeds, urls)
    names = {event.outlet for event in told}
    names.update(feed.outlet.name for feed in feeds.values())
    theirs = (outlet for name in names if (outlet := config.outlet(name)))
    feeds |= {url: Feed(url, outlet) for outlet in theirs for url in outlet.urls}
    known = judged.rhythms(store, feeds)
    records = books.records(store, known, moments=0)
    records |= books.records(store, [url for url in feeds if url not in known])
    return [
        health.status(feed, records.get(url), known.get(url))
        for url, feed in feeds.items()
    ]


def _followed(desk: Desk, records: Mapping[str, Record]) -> dict[str, Record]:
    """Return the records of the feeds that are polled."""
    feeds = found(desk.config.feeds, records.keys())
    return {url: records[url] for url, feed in feeds.items() if feed.outlet.enabled}


def _found(
    store: Store,
    desk: Desk,
    every: Overview,
    waiting: Sequence[Story],
    now: datetime,
) -> list[Event]:
    config, told = desk.config, Told(events.told(store))
    gaps = books.gaps(store, now - events.AGAIN)
    gapped = found(config.feeds, {gap.url for gap in gaps})
    mentioned, reach = books.mentioned(store), every.reach
    return [
        *_of_feeds(store, desk, every, told, now),
        *health.gap_events(gapped.values(), gaps, told),
        *health.topic_events(config.topics, mentioned, told, reach.newest, now),
        *health.waiting_events(waiting, told, now),
    ]


def _of_feeds(
    store: Store, desk: Desk, every: Overview, told: Told, now: datetime
) -> Iterator[Event]:
    """Yield what is new of feeds, and keep how they fare; inside a transaction.

    Only of those that changed: nothing is new of others, but where a failure that may
    have been our own fault turns out to be the outlet's.
    """
    if store.fact("judged_by") != program():
        judged.stir(store)
        store.note("judged_by", program())
    stirred = judged.stirred(store)
    reach = every.reach
    ours = judged.blamed(store, reach) if every.began else ()
    blamed = [url for url in ours if not health.is_told(told, url)]
    urls = [*dict.fromkeys((*stirred, *blamed))]
    for start in range(0, len(urls), _TOGETHER):
        part = urls[start : start + _TOGETHER]
        records = _followed(desk, books.records(store, part))
        feeds = found(desk.config.feeds, records.keys())
        yield from health.feed_events(feeds.values(), records, reach, told, now)
        judged.keep(store, part, (_judged(feeds[url], records[url]) for url in records))


def _judged(feed: Feed, record: Record) -> Judged:
    rhythm = health.rhythm_of(record)
    rank, name, *_ = attention(health.status(feed, record, rhythm))
    return Judged(feed.url, rank, name, rhythm)


def _day(store: Store, desk: Desk, now: datetime) -> str:
    """Return what changes when the lists of outlets may: the day, or the outlets."""
    day = now.astimezone(ZoneInfo(desk.config.site.timezone)).date()
    return f"{day} {_outlets(store, desk)}"


def _outlets(store: Store, desk: Desk) -> str:
    """Return what stands for all that the lists of outlets say of each.

    It is remembered for the feeds.toml that it was made of, inside a transaction.
    """
    digest = desk.config.digest
    known, _, made = store.fact("coverage_of").partition(" ")
    if digest and digest == known:
        return made
    outlets = [one for one in desk.config.outlets if one.enabled]
    names = (
        part
        for one in outlets
        for part in (one.name, one.homepage, one.language, one.kind, *one.urls)
    )
    made = str(number(*names))
    store.note("coverage_of", f"{digest} {made}")
    return made


def _covered(store: Store, desk: Desk, now: datetime) -> tuple[Followed, ...]:
    rows = health.coverage(
        desk.config.outlets,
        _followed(desk, books.records(store, moments=1)),
        events.lasting(store),
        books.gaps(store),
        now,
    )
    lost_at = store.fact("recovered_at")
    if not lost_at:
        return rows
    before = health.from_text(store.fact("coverage_recovered"))
    return health.continued(rows, before, instant(int(lost_at)))


def resume(
    store: Store, desk: Desk, followed: Iterable[Followed], now: datetime
) -> None:
    """Go on from a coverage page that was published, inside a transaction.

    It stands until the day is over, and what it says of the time before stays.
    """
    _note_coverage(store, followed, _day(store, desk, now))
    store.note("coverage_recovered", store.fact("coverage"))


def _note_coverage(store: Store, followed: Iterable[Followed], day: str) -> None:
    text = health.as_text(followed)
    store.note("coverage", text)
    store.note("coverage_digest", str(number(text)))  # the text is 14 MB of 100,000
    store.note("coverage_day", day)
