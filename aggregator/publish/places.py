"""In which published documents a story stands. Pure.

It asks the same rooms that `render` fills the documents from; no format may enter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aggregator.model import Site, State, Story, Topic
from aggregator.publish.channels import (
    archived,
    live,
    month_of,
    newest,
    with_main,
    with_topic,
)
from aggregator.publish.pages import FRONT
from aggregator.publish.view import Shown, shown


def places(
    site: Site, topics: Sequence[Topic], stories: Iterable[Story], short: str
) -> tuple[str, ...]:
    """Return the names of the pages and Atom feeds that hold a story, pages first.

    The page of its year comes with the anchor; a feed stands for its RSS and JSON
    forms too; archives come last. () = it is not among the published of `stories`.
    """
    by_id = {topic.id: topic for topic in topics}
    published = newest(
        shown(story, site, by_id) for story in stories if story.state is State.PUBLISHED
    )
    own = next((one for one in published if one.story.short == short), None)
    if own is None:
        return ()
    return (
        *_pages(own, published),
        *(name for name, its in _feeds(topics, published) if _holds(its, site, own)),
        *_archives(site, own),
    )


def _pages(own: Shown, published: Sequence[Shown]) -> Iterator[str]:
    others = [one for one in with_main(published) if not one.story.pinned]
    if own in others[:FRONT] or (own.story.pinned and with_main([own])):
        yield "index.html"
    for topic in own.topics:
        yield f"topics/{topic.id}/index.html"
    yield own.permalink


def _feeds(
    topics: Sequence[Topic], published: Sequence[Shown]
) -> Iterator[tuple[str, tuple[Shown, ...]]]:
    yield "feed.atom", with_main(published)
    for topic in topics:
        yield f"topics/{topic.id}/feed.atom", with_topic(published, topic)
    yield "all/feed.atom", tuple(published)


def _archives(site: Site, own: Shown) -> Iterator[str]:
    name = archived(month_of(own.added_at, site))
    if with_main([own]):
        yield name
    for topic in own.topics:
        yield f"topics/{topic.id}/{name}"


def _holds(stories: Sequence[Shown], site: Site, own: Shown) -> bool:
    return own in live(stories, site.feed_size)
