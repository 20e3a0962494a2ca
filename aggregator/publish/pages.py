"""The pages people read: front, one a topic, one a year.

Decides what stands on a page and hands it to `templates/page.html`. Links between pages
are relative and name index.html, so that the folder works at any address, on an object
store and on a disk. Fragments and the coverage page are further functions here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.model import Site, Topic
from aggregator.publish import channels, templates
from aggregator.publish.view import Shown, clean, web

FRONT = 100  # stories on the front page besides the pinned ones; DESIGN.md §6
_MAIL = re.compile(r"(?:mailto:)?([^@\s<>:?&]+@[^@\s<>:?&]+\.[^@\s<>:?&]+)")


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a navigation: where to, seen from the page; None = without a number."""

    title: str
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """The stories of a month, or without one those pinned."""

    month: datetime | None
    stories: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed that a page offers; folder: seen from the page, address: at large."""

    title: str
    folder: str
    address: str


@dataclass(frozen=True, slots=True)
class Page:
    """What `page.html` is filled with. root: the published folder, seen from here."""

    name: str
    root: str
    title: str
    heading: str
    lead: str
    total: int
    sections: tuple[Section, ...]
    topics: tuple[Link, ...]
    years: tuple[Link, ...]
    feeds: tuple[Subscription, ...]
    older: bool = False


def pages(
    site: Site, topics: Sequence[Topic], stories: Sequence[Shown]
) -> dict[str, bytes]:
    """Return every page by name."""
    made = _Pages(site, topics, channels.by_year(stories))
    made.front(channels.with_main(stories))
    for topic in topics:
        made.topic(topic, channels.with_topic(stories, topic))
    for year, its in made.years.items():
        made.year(year, its)
    return made.documents


class _Pages:
    """The pages of one site; each method adds one document."""

    def __init__(
        self,
        site: Site,
        topics: Sequence[Topic],
        years: Mapping[int, tuple[Shown, ...]],
    ) -> None:
        self.site, self.topics, self.years = site, topics, years
        self.name = clean(site.title) or site.url
        self.documents: dict[str, bytes] = {}

    def front(self, stories: Sequence[Shown]) -> None:
        """Add the newest of the main topics, pinned ones first."""
        pinned = tuple(one for one in stories if one.story.pinned)
        others = channels.newest(one for one in stories if not one.story.pinned)
        self._add(
            "index.html",
            heading=self.name,
            lead=clean(self.site.subtitle),
            total=len(stories),
            pinned=pinned,
            listed=others[:FRONT],
            older=len(others) > FRONT,
        )

    def topic(self, topic: Topic, stories: Sequence[Shown]) -> None:
        """Add every story of a topic."""
        self._add(
            f"topics/{topic.id}/index.html",
            heading=clean(topic.title) or topic.id,
            lead=clean(topic.description),
            total=len(stories),
            pinned=tuple(one for one in stories if one.story.pinned),
            listed=tuple(one for one in stories if not one.story.pinned),
            feed=f"topics/{topic.id}/",
        )

    def year(self, year: int, stories: Sequence[Shown]) -> None:
        """Add every story of a year, whatever its topics, each with its anchor."""
        self._add(
            f"{year:04}/index.html",
            heading=f"{year:04}",
            lead="",
            total=len(stories),
            listed=stories,
        )

    def _add(
        self,
        name: str,
        *,
        heading: str,
        lead: str,
        total: int,
        listed: Sequence[Shown],
        pinned: Sequence[Shown] = (),
        older: bool = False,
        feed: str = "",
    ) -> None:
        root = "../" * name.count("/")
        first = (Section(None, channels.newest(pinned)),) if pinned else ()
        months = (Section(month, its) for month, its in channels.by_month(listed))
        main = Subscription(self.name, root, f"{self.site.url}feed.atom")
        own = Subscription(
            f"{self.name} – {heading}", root + feed, f"{self.site.url}{feed}feed.atom"
        )
        page = Page(
            name=name,
            root=root,
            title=heading if name == "index.html" else f"{heading} – {self.name}",
            heading=heading,
            lead=lead,
            total=total,
            sections=(*first, *months),
            topics=tuple(
                _link(name, clean(topic.title) or topic.id, f"topics/{topic.id}/")
                for topic in self.topics
            ),
            years=tuple(
                _link(name, f"{year:04}", f"{year:04}/", len(its))
                for year, its in self.years.items()
            ),
            feeds=(own, main) if feed else (main,),
            older=older,
        )
        document = templates.html(
            "page.html",
            self.site.language,
            page=page,
            site=self.site,
            site_name=self.name,
            contact=_contact(self.site.contact),
            legal_url=web(self.site.legal),
        )
        self.documents[name] = document.encode("utf-8", "replace")


def _link(page: str, title: str, folder: str, count: int | None = None) -> Link:
    there = f"{folder}index.html"
    return Link(title, "../" * page.count("/") + there, there == page, count)


def _contact(contact: str) -> tuple[str, str]:
    """Return what to show and where it leads; ("", "") = nothing to show."""
    if mail := _MAIL.fullmatch(contact.strip()):
        return mail[1], f"mailto:{mail[1]}"
    return clean(contact), web(contact)
