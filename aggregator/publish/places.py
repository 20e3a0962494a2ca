"""In which published documents a story stands. Pure.

It asks the same rooms that `render` fills the documents from; no format may enter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aggregator.model import Site, State, Story, Topic
from aggregator.publish.channels import Press, archived, listed, live, month_of
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
    public = (
        shown(story, site, by_id) for story in stories if story.state is State.PUBLISHED
    )
    press = listed(public, topics)
    own = next((one for one in press.every if one.story.short == short), None)
    if own is None:
        return ()
    return (
        *_pages(own, press),
        *(name for name, its in _feeds(press) if _holds(its, site, own)),
        *_archives(site, own, press),
    )


def _pages(own: Shown, press: Press) -> Iterator[str]:
    others = [one for one in press.main if not one.story.pinned]
    if own in others[:FRONT] or (own.story.pinned and own in press.main):
        yield "index.html"
    for topic in own.topics:
        yield f"topics/{topic.id}/index.html"
    yield own.permalink


def _feeds(press: Press) -> Iterator[tuple[str, tuple[Shown, ...]]]:
    yield "feed.atom", press.main
    for topic, its in press.topics.items():
        yield f"topics/{topic}/feed.atom", its
    yield "all/feed.atom", press.every


def _archives(site: Site, own: Shown, press: Press) -> Iterator[str]:
    name = archived(month_of(own.added_at, site))
    if own in press.main:
        yield name
    for topic in own.topics:
        yield f"topics/{topic.id}/{name}"


def _holds(stories: Sequence[Shown], site: Site, own: Shown) -> bool:
    return own in live(stories, site.feed_size)
