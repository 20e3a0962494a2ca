"""Which stories stand in which published feed and on which page, and in what order.

A feed is a live document and, where it is archived, one document for each month in
which stories were added (RFC 5005 §4): newer documents lead to older ones, so that a
reader who follows them has every story. Pure selection over stories as shown. No text
of a page, no format and no library may enter.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from aggregator.model import Site, Topic
from aggregator.publish.view import Gone, Shown, clean, untagged

FRESH = timedelta(days=7)  # a reader who looks once a week misses nothing
# `updated` of a feed that never had a story; validators doubt what is older.
NEVER = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Channel:
    """One document of a published feed, before any format.

    folder: where the feed's documents stand, "" or ending with a slash. page: the page
    that shows the same stories, "" = the front page. stories: last added first. gone:
    those that were, last gone first. updated_at: when any of them all changed last.
    month: of an archive, as in "2020-02"; "" = the live document. earlier, later: the
    months of the archives that come before and after it, "" = there is none.
    """

    folder: str
    page: str
    id: str
    title: str
    description: str
    updated_at: datetime
    stories: tuple[Shown, ...]
    gone: tuple[Gone, ...] = ()
    month: str = ""
    earlier: str = ""
    later: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """The public stories, and those of each list; last published first in all of them.

    main: with at least one main topic: the front page and the main feed. topics: of
    each topic, by its id. years: of each year in the site's zone, the newest first.
    """

    every: tuple[Shown, ...]
    main: tuple[Shown, ...]
    topics: Mapping[str, tuple[Shown, ...]]
    years: Mapping[int, tuple[Shown, ...]]


def listed(stories: Iterable[Shown], topics: Iterable[Topic]) -> Press:
    """Return the stories in their lists; topics: all of feeds.toml."""
    every = newest(stories)
    its: dict[str, list[Shown]] = {topic.id: [] for topic in topics}
    for one in every:
        for topic in one.topics:
            its[topic.id].append(one)
    yearly = groupby(every, key=lambda one: one.local_at.year)
    return Press(
        every=every,
        main=tuple(one for one in every if any(topic.main for topic in one.topics)),
        topics={topic: tuple(found) for topic, found in its.items()},
        years={year: tuple(found) for year, found in yearly},
    )


def channel(
    site: Site,
    stories: Sequence[Shown],
    gone: Sequence[Gone] = (),
    *,
    folder: str = "",
    page: str = "",
    title: str = "",
    description: str = "",
) -> Channel:
    """Return the live document of these stories; title: what it adds to the site's.

    It tells of as many stories that are gone as it may list.
    """
    entries = live(stories, site.feed_size)
    tombs = tuple(one for one in gone if one.story.live)[: site.feed_size]
    name = untagged(clean(site.title)) or site.url
    about = clean(description) or clean(site.subtitle) or name
    return Channel(
        folder=folder,
        page=page,
        id=f"{site.id}/{folder}".rstrip("/"),
        title=f"{name} – {untagged(clean(title))}" if title else name,
        description=untagged(about),
        updated_at=_changed(entries or stories, tombs),
        stories=entries,
        gone=tombs,
    )


def archived(month: str) -> str:
    """Return the name of an archive document, seen from its feed's folder."""
    return f"archive/{month}.atom"


def archive(
    site: Site, current: Channel, stories: Iterable[Shown], gone: Iterable[Gone]
) -> tuple[Channel, ...]:
    """Return the documents of a feed: its archives, oldest first, then the live one.

    current: that live one, which does not yet lead to its archives.
    A story stands for good in the archive of the month in which it was added; for what
    was added at its own, older date that is its own month. So the past is written anew
    only where something of it changed. The live document leads to the newest archive
    that tells of something it does not tell itself. As long as it holds all of a month,
    that archive is of a month that is over, and whoever read it once has read it.
    """
    monthly: defaultdict[str, list[Shown]] = defaultdict(list)
    for one in added(stories):
        monthly[month_of(one.added_at, site)].append(one)
    months = sorted(monthly)
    left = _told(gone, months, site)
    documents = [
        replace(
            current,
            stories=tuple(monthly[its]),
            gone=tuple(left.get(its, ())),
            updated_at=_changed(monthly[its], left.get(its, ())),
            month=its,
            earlier=months[place - 1] if place else "",
            later=months[place + 1] if place + 1 < len(months) else "",
        )
        for place, its in enumerate(months)
    ]
    told = _ids(current)
    needed = [one.month for one in documents if not _ids(one) <= told]
    return (*documents, replace(current, earlier=needed[-1] if needed else ""))


def month_of(at: datetime, site: Site) -> str:
    """Return the month of a moment in the site's zone, as in "2020-02"."""
    local = at.astimezone(ZoneInfo(site.timezone))
    return f"{local.year:04}-{local.month:02}"


def live(stories: Iterable[Shown], size: int) -> tuple[Shown, ...]:
    """Return the live ones: the `size` last added, and all added in the last week.

    That week ends with the newest addition, not now: publishing reads no clock.
    """
    ordered = added(one for one in stories if one.story.live)
    if not ordered:
        return ()
    since = ordered[0].added_at - FRESH
    return tuple(
        one for i, one in enumerate(ordered) if i < size or one.added_at >= since
    )


def added(stories: Iterable[Shown]) -> list[Shown]:
    """Return the stories as a feed has them, last added first."""
    return sorted(
        stories, key=lambda one: (one.added_at, one.story.short), reverse=True
    )


def newest(stories: Iterable[Shown]) -> tuple[Shown, ...]:
    """Return the stories as a press list has them, last published first."""
    return tuple(
        sorted(
            stories,
            key=lambda one: (one.story.published_at, one.story.short),
            reverse=True,
        )
    )


def left_main(gone: Iterable[Gone], topics: Iterable[Topic]) -> list[Gone]:
    """Return those that are gone from the front page and the main feed."""
    main = {topic.id for topic in topics if topic.main}
    return [one for one in gone if main.intersection(one.story.topics)]


def left_topic(gone: Iterable[Gone], topic: Topic) -> list[Gone]:
    """Return those that are gone from a topic."""
    return [one for one in gone if topic.id in one.story.topics]


def by_month(stories: Iterable[Shown]) -> list[tuple[datetime, tuple[Shown, ...]]]:
    """Return the stories of each month, with a moment in it; stories: as in a list."""
    grouped = groupby(stories, key=lambda one: (one.local_at.year, one.local_at.month))
    months = [tuple(group) for _, group in grouped]
    return [(month[0].local_at, month) for month in months]


def _changed(stories: Iterable[Shown], gone: Iterable[Gone]) -> datetime:
    changes = [one.updated_at for one in stories]
    changes += [one.withdrawn_at for one in gone]
    return max(changes, default=NEVER)


def _told(
    gone: Iterable[Gone], months: Sequence[str], site: Site
) -> Mapping[str, list[Gone]]:
    """Return which archive tells of which stories that are gone.

    That of their own month, else the next one, so that a month that lost all it had
    needs no document.
    """
    left: defaultdict[str, list[Gone]] = defaultdict(list)
    for one in gone if months else ():
        place = bisect_left(months, month_of(one.added_at, site))
        left[months[min(place, len(months) - 1)]].append(one)
    return left


def _ids(document: Channel) -> set[str]:
    """Return the ids of all that a document tells of."""
    return {one.id for one in document.stories} | {one.id for one in document.gone}
