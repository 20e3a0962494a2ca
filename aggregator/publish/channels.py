"""Which stories stand in which published feed and on which page, and in what order.

Pure selection over stories as shown. No text of a page, no format and no library may
enter. RFC 5005 archives (one document a month) are another selection and belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from aggregator.model import Site, Topic
from aggregator.publish.view import Gone, Shown, clean

FRESH = timedelta(days=7)  # a reader who looks once a week misses nothing
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # `updated` of a feed that never had a story


@dataclass(frozen=True, slots=True)
class Channel:
    """A published feed, before any format.

    folder: where its documents stand, "" or ending with a slash. page: the page that
    shows the same stories, "" = the front page. stories: the live ones, last added
    first. gone: those that were, last gone first. updated_at: when any of them all
    changed last.
    """

    folder: str
    page: str
    id: str
    title: str
    description: str
    updated_at: datetime
    stories: tuple[Shown, ...]
    gone: tuple[Gone, ...] = ()


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
    """Return the feed of these stories; title: what it adds to the site's.

    It tells of as many stories that are gone as it may list.
    """
    entries = live(stories, site.feed_size)
    tombs = tuple(one for one in gone if one.story.live)[: site.feed_size]
    changes = [one.updated_at for one in entries or stories]
    changes += [one.withdrawn_at for one in tombs]
    name = clean(site.title) or site.url
    return Channel(
        folder=folder,
        page=page,
        id=f"{site.id}/{folder}".rstrip("/"),
        title=f"{name} – {clean(title)}" if title else name,
        description=clean(description) or clean(site.subtitle) or name,
        updated_at=max(changes, default=NEVER),
        stories=entries,
        gone=tombs,
    )


def live(stories: Iterable[Shown], size: int) -> tuple[Shown, ...]:
    """Return the live ones: the `size` last added, and all added in the last week.

    That week ends with the newest addition, not now: publishing reads no clock.
    """
    ordered = sorted(
        (one for one in stories if one.story.live),
        key=lambda one: (one.added_at, one.story.short),
        reverse=True,
    )
    if not ordered:
        return ()
    since = ordered[0].added_at - FRESH
    return tuple(
        one for i, one in enumerate(ordered) if i < size or one.added_at >= since
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


def with_main(stories: Iterable[Shown]) -> tuple[Shown, ...]:
    """Return those with at least one main topic: the front page and the main feed."""
    return tuple(one for one in stories if any(topic.main for topic in one.topics))


def with_topic(stories: Iterable[Shown], topic: Topic) -> tuple[Shown, ...]:
    """Return the stories of a topic."""
    return tuple(one for one in stories if topic.id in one.story.topics)


def by_year(stories: Iterable[Shown]) -> dict[int, tuple[Shown, ...]]:
    """Return the stories of each year in the site's zone, newest year first."""
    grouped = groupby(newest(stories), key=lambda one: one.local_at.year)
    return {year: tuple(group) for year, group in grouped}


def by_month(stories: Iterable[Shown]) -> list[tuple[datetime, tuple[Shown, ...]]]:
    """Return the stories of each month, newest first, with a moment in that month."""
    grouped = groupby(
        newest(stories), key=lambda one: (one.local_at.year, one.local_at.month)
    )
    months = [tuple(group) for _, group in grouped]
    return [(month[0].local_at, month) for month in months]
