"""The published folder: which documents there are, and writing them.

`render` is pure: the same site, topics, stories and coverage give the same bytes, in
whatever order they come; it reads no clock and no environment. Each format has a room
of its own; a new document is a room and a line here. The maintainer's private documents
are `desk`'s, and go into another folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from aggregator.health import Followed
from aggregator.model import Site, State, Story, Topic
from aggregator.publish import bib, data, opml, tables, templates
from aggregator.publish.channels import (
    Channel,
    Press,
    archive,
    archived,
    channel,
    left_main,
    left_topic,
    listed,
)
from aggregator.publish.entries import entry
from aggregator.publish.feeds import atom, rss
from aggregator.publish.files import write
from aggregator.publish.fragments import fragments
from aggregator.publish.items import Items
from aggregator.publish.jsonfeed import jsonfeed
from aggregator.publish.outlets import FOLDER as OUTLETS
from aggregator.publish.pages import framed, pages
from aggregator.publish.sitemap import sitemap
from aggregator.publish.view import Gone, gone, marked, shown
from aggregator.publish.words import words

__all__ = ["OUTLETS", "framed", "render", "research", "write"]


def render(
    site: Site,
    topics: Sequence[Topic],
    stories: Sequence[Story],
    coverage: Sequence[Followed] | None = (),
) -> Iterator[tuple[str, bytes]]:
    """Yield every document, with its name relative to the published folder.

    stories: all of them in any order; of those that are not public only the feeds tell,
    and only of those that were.
    coverage: the outlets followed, in any order; None: the documents that list them,
    those in OUTLETS, are left out, for they stand as they are. Pages come before the
    feeds that lead to them, and archives before what leads on to them, oldest first, so
    that writing in this order never leaves a reader before a link without its target.
    """
    site, press = _published(site, topics, stories)
    left, items = gone(stories, site), Items(site.language)
    yield "style.css", templates.stylesheet()
    yield from templates.icons().items()
    yield from pages(site, topics, press, coverage, items).items()
    yield from fragments(site, topics, press).items()
    yield "sitemap.xml", sitemap(site, topics, press, left)
    if coverage is not None:
        yield f"{OUTLETS}outlets.opml", opml.opml(site, coverage)
        yield f"{OUTLETS}outlets.csv", tables.outlets(coverage)
    yield from _feeds(site, _channels(site, topics, press, left), items)
    # the few large ones last: the disk is busy with the archives meanwhile
    yield "stories.jsonl", data.jsonl(data.records(press.every, left))
    yield "stories.csv", tables.stories(site, press.every)
    yield "stories.bib", bib.bib(press.every, site.language)


def research(
    site: Site, topics: Sequence[Topic], stories: Sequence[Story]
) -> dict[str, bytes]:
    """Return by name what holds every story, to be kept or taken elsewhere.

    The table holds all there is to know, other than the published one.
    """
    site, press = _published(site, topics, stories)
    published = press.every
    records = data.records(published, gone(stories, site))
    return {
        "stories.jsonl": data.jsonl(records),
        "stories.csv": tables.complete(site, published, records),
        "stories.bib": bib.bib(published, site.language),
    }


def _published(
    site: Site, topics: Sequence[Topic], stories: Iterable[Story]
) -> tuple[Site, Press]:
    """Return the site with the address as documents use it, and the public stories."""
    site = replace(site, url=f"{site.url.rstrip('/')}/")
    by_id = {topic.id: topic for topic in topics}
    public = (
        shown(story, site, by_id) for story in stories if story.state is State.PUBLISHED
    )
    return site, listed(public, topics)


def _channels(
    site: Site,
    topics: Sequence[Topic],
    press: Press,
    gone: Sequence[Gone],
) -> list[Channel]:
    """Return the documents of all feeds; all/ alone has no archives."""
    every = words(site.language).gettext("All topics")
    found = [channel(site, press.every, gone, folder="all/", title=every)]
    for topic in topics:
        folder = f"topics/{topic.id}/"
        its = press.topics[topic.id]
        left = left_topic(gone, topic)
        live = channel(
            site,
            its,
            left,
            folder=folder,
            page=f"{folder}index.html",
            title=topic.title or topic.id,
            description=topic.description,
        )
        found += archive(site, live, its, left)
    its, left = press.main, left_main(gone, topics)
    return [*found, *archive(site, channel(site, its, left), its, left)]


def _feeds(
    site: Site, channels: Sequence[Channel], items: Items
) -> Iterator[tuple[str, bytes]]:
    @cache  # a story stands in several feeds
    def atom_entry(short: str) -> str:
        return entry(site, by_short[short], items.told(by_short[short]))

    def snippet(text: str) -> str:
        return templates.filled("snippet.html", site.language, parts=marked(text))

    by_short = {one.story.short: one for feed in channels for one in feed.stories}
    for feed in channels:
        entries = [atom_entry(one.story.short) for one in feed.stories]
        if feed.month:
            yield f"{feed.folder}{archived(feed.month)}", atom(site, feed, entries)
            continue
        yield f"{feed.folder}feed.atom", atom(site, feed, entries)
        yield f"{feed.folder}feed.rss", rss(site, feed, items.told)
        yield f"{feed.folder}feed.json", jsonfeed(site, feed, items.told, snippet)
