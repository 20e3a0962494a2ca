"""What the maintainer should hear of after a cycle: found, told once, and kept.

It reads the database, asks `health` what changed, and remembers that. It neither polls
nor publishes, but gathers what the desk and the coverage page show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from aggregator import health
from aggregator.desk import Desk
from aggregator.health import Event, Followed, Kind, Record, Told
from aggregator.identity import number
from aggregator.model import ConfigError, State, Story
from aggregator.publish.desk import DeskView
from aggregator.store import Store, books, events, tales
from aggregator.store.base import instant
from aggregator.stories import suggested


def watch(store: Store, desk: Desk, stories: Iterable[Story], now: datetime) -> bool:
    """Keep what is new after a cycle and, once a day, what the coverage page says.

    Doing it again with the same `now` changes nothing. Returns whether outlets can be
    reached: False when this machine seems cut off from all of them.
    """
    records = _followed(desk, books.records(store))
    waiting = [story for story in stories if story.state is State.WAITING]
    found = _found(store, desk, records, waiting, now)
    day = _day(desk, now)
    with store.transaction():
        if events.keep(store, found):
            events.forget(store, now, [story.short for story in waiting])
        if day != store.fact("coverage_day"):
            rows = _covered(store, desk, records, now)
            store.note("coverage", health.as_text(rows))
            store.note("coverage_day", day)
    return not health.cut_off(records.values())


def edits(store: Store, desk: Desk, wrong: ConfigError | None, now: datetime) -> bool:
    """Keep whether the maintainer's two files can be used; tell if that is news.

    wrong: what is wrong with one of them, while `desk` is what stood there before; None
    = both are in force.
    """
    told = Told(events.told(store))
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
    told = Told(events.told(store))
    found = list(health.brake_events(desk.config.topics, held, told, now))
    if found:
        with store.transaction():
            events.keep(store, found)


def coverage(store: Store) -> tuple[Followed, ...]:
    """Return what the coverage page says, as it was decided last."""
    return health.from_text(store.fact("coverage"))


def view(store: Store, desk: Desk, stories: Iterable[Story]) -> DeskView:
    """Return what the maintainer's private pages show, as of the newest poll."""
    stories = tuple(stories)
    records = books.records(store)
    polled = [one.polled_at for one in _followed(desk, records).values()]
    as_of = max(filter(None, polled), default=None)
    return DeskView(
        lines=tuple(
            health.status(feed, records.get(feed.url)) for feed in desk.config.feeds
        ),
        days=books.daily(store, as_of) if as_of else {},
        events=events.told(store),
        waiting=tuple(story for story in stories if story.state is State.WAITING),
        held=tuple(story for story in stories if story.held),
        joins=suggested(stories, tales.suggestions(store), desk.decisions),
        as_of=as_of,
    )


def _followed(desk: Desk, records: Mapping[str, Record]) -> dict[str, Record]:
    """Return the records of the feeds that are polled."""
    urls = [feed.url for feed in desk.config.feeds if feed.outlet.enabled]
    return {url: records[url] for url in urls if url in records}


def _found(
    store: Store,
    desk: Desk,
    records: Mapping[str, Record],
    waiting: Sequence[Story],
    now: datetime,
) -> list[Event]:
    config, told = desk.config, Told(events.told(store))
    reach = health.Reach.of(records.values())
    gaps = books.gaps(store, now - events.AGAIN)
    mentioned = books.mentioned(store)
    return [
        *health.feed_events(config.feeds, records, told, now),
        *health.gap_events(config.feeds, gaps, told),
        *health.topic_events(config.topics, mentioned, told, reach.newest, now),
        *health.waiting_events(waiting, told, now),
    ]


def _day(desk: Desk, now: datetime) -> str:
    """Return what changes when the lists of outlets may: the day, or the outlets."""
    outlets = [one for one in desk.config.outlets if one.enabled]
    names = (
        part
        for one in outlets
        for part in (one.name, one.homepage, one.language, one.kind, *one.urls)
    )
    day = now.astimezone(ZoneInfo(desk.config.site.timezone)).date()
    return f"{day} {number(*names)}"


def _covered(
    store: Store, desk: Desk, records: Mapping[str, Record], now: datetime
) -> tuple[Followed, ...]:
    rows = health.coverage(
        desk.config.outlets, records, events.lasting(store), books.gaps(store), now
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
    store.note("coverage", health.as_text(followed))
    store.note("coverage_recovered", store.fact("coverage"))
    store.note("coverage_day", _day(desk, now))
