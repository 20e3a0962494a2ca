"""The pages people read: front, one a topic, one a year, and what is followed.

Decides what stands on a page and hands it to its template. Links between pages are
relative and name index.html, so that the folder works at any address, on an object
store and on a disk. Fragments are a further function here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from aggregator.health import Followed
from aggregator.model import Site, State, Story, Topic
from aggregator.publish import outlets, templates
from aggregator.publish.channels import Press, by_month
from aggregator.publish.citing import linked
from aggregator.publish.items import Items
from aggregator.publish.view import Shown, clean, web
from aggregator.publish.words import words

FRONT: Final = 100  # stories on the front page besides the pinned ones; DESIGN.md §6
_MAIL: Final = re.compile(r"(?:mailto:)?([^@\s<>:?&]+@[^@\s<>:?&]+\.[^@\s<>:?&]+)")


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a navigation: where to, seen from the page; None = without a number."""

    title: str
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """The stories of a month, or without one those pinned; items: HTML of a list."""

    month: datetime | None
    items: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed that a page offers; folder: seen from the page, address: at large."""

    title: str
    folder: str
    address: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a template is filled with. root: the published folder, seen from here.

    address: the page's own, at large. total: how many stories it speaks of; sections:
    those listed. older: some are not.
    """

    name: str
    root: str
    address: str
    title: str
    heading: str
    lead: str
    topics: tuple[Link, ...]
    years: tuple[Link, ...]
    feeds: tuple[Subscription, ...]
    coverage: Link
    total: int = 0
    sections: tuple[Section, ...] = ()
    older: bool = False


def framed(site: Site, topics: Sequence[Topic], stories: Iterable[Story]) -> str:
    """Return what changes when a page without stories does, whatever stands on it.

    stories: all; of the public ones it tells how many each year has.
    """
    zone = ZoneInfo(site.timezone)
    years = Counter(
        story.published_at.astimezone(zone).year
        for story in stories
        if story.state is State.PUBLISHED
    )
    links = [(topic.id, topic.title) for topic in topics]
    return repr((site, links, sorted(years.items())))


def pages(
    site: Site,
    topics: Sequence[Topic],
    press: Press,
    coverage: Sequence[Followed] | None,
    items: Items,
) -> dict[str, bytes]:
    """Return every page by name; coverage None: but that of the outlets."""
    made = _Pages(site, topics, press.years, items)
    made.front(press.main)
    for topic in topics:
        made.topic(topic, press.topics[topic.id])
    for year, its in press.years.items():
        made.year(year, its)
    if coverage is not None:
        made.outlets(outlets.rows(site, coverage))
    return made.documents


class _Pages:
    """The pages of one site; each method adds one document."""

    def __init__(
        self,
        site: Site,
        topics: Sequence[Topic],
        years: Mapping[int, tuple[Shown, ...]],
        items: Items,
    ) -> None:
        self.site, self.topics, self.years = site, topics, years
        self.name, self.said = clean(site.title) or site.url, words(site.language)
        self.documents: dict[str, bytes] = {}
        self._items = items

    def front(self, stories: Sequence[Shown]) -> None:
        """Add the newest of the main topics, pinned ones first."""
        pinned = tuple(one for one in stories if one.story.pinned)
        others = tuple(one for one in stories if not one.story.pinned)
        page = self._page("index.html", self.name, clean(self.site.subtitle))
        self._add_list(
            replace(page, total=len(stories), older=len(others) > FRONT),
            others[:FRONT],
            pinned,
        )

    def topic(self, topic: Topic, stories: Sequence[Shown]) -> None:
        """Add every story of a topic."""
        folder = f"topics/{topic.id}/"
        page = self._page(
            f"{folder}index.html",
            clean(topic.title) or topic.id,
            clean(topic.description),
            feed=folder,
        )
        self._add_list(
            replace(page, total=len(stories)),
            tuple(one for one in stories if not one.story.pinned),
            tuple(one for one in stories if one.story.pinned),
        )

    def year(self, year: int, stories: Sequence[Shown]) -> None:
        """Add every story of a year, whatever its topics, each with its anchor."""
        page = self._page(f"{year:04}/index.html", f"{year:04}")
        self._add_list(replace(page, total=len(stories)), stories)

    def outlets(self, rows: Sequence[outlets.Row]) -> None:
        """Add what is followed, and where articles may have been missed."""
        page = self._page(
            f"{outlets.FOLDER}index.html",
            self.said.gettext("Outlets followed"),
            self.said.gettext("What this list is made from, and what it may miss."),
        )
        self._add("outlets.html", page, rows=rows)

    def _page(self, name: str, heading: str, lead: str = "", feed: str = "") -> Page:
        """Return a page without its list; feed: the folder of its own feed, if any."""
        root = "../" * name.count("/")
        main = Subscription(self.name, root, f"{self.site.url}feed.atom")
        own = Subscription(
            f"{self.name} – {heading}", root + feed, f"{self.site.url}{feed}feed.atom"
        )
        followed = self.said.gettext("Outlets followed")
        return Page(
            name=name,
            root=root,
            address=self.site.url + name.removesuffix("index.html"),
            title=heading if name == "index.html" else f"{heading} – {self.name}",
            heading=heading,
            lead=lead,
            topics=tuple(
                _link(name, clean(topic.title) or topic.id, f"topics/{topic.id}/")
                for topic in self.topics
            ),
            years=tuple(
                _link(name, f"{year:04}", f"{year:04}/", len(its))
                for year, its in self.years.items()
            ),
            feeds=(own, main) if feed else (main,),
            coverage=_link(name, followed, outlets.FOLDER),
        )

    def _add_list(
        self, page: Page, listed: Sequence[Shown], pinned: tuple[Shown, ...] = ()
    ) -> None:
        first = [(None, pinned)] if pinned else []
        parts = [*first, *by_month(listed)]
        # As text: what a template is given lives until garbage is looked for.
        sections = tuple(
            Section(month, self._items.listed(its, page.root)) for month, its in parts
        )
        in_order = (one for _, its in parts for one in its)
        self._add(
            "page.html",
            replace(page, sections=sections),
            linked=linked(page.address, page.title, page.total, in_order),
        )

    def _add(
        self,
        template: str,
        page: Page,
        linked: Mapping[str, object] | None = None,
        **more: object,
    ) -> None:
        document = templates.filled(
            template,
            self.site.language,
            page=page,
            linked=templates.data_block(linked) if linked else None,
            site=self.site,
            site_name=self.name,
            contact=_contact(self.site.contact),
            legal_url=web(self.site.legal),
            **more,
        )
        self.documents[page.name] = document.encode("utf-8", "replace")


def _link(page: str, title: str, folder: str, count: int | None = None) -> Link:
    there = f"{folder}index.html"
    return Link(title, "../" * page.count("/") + there, there == page, count)


def _contact(contact: str) -> tuple[str, str]:
    """Return what to show and where it leads; ("", "") = nothing to show."""
    if mail := _MAIL.fullmatch(contact.strip()):
        return mail[1], f"mailto:{mail[1]}"
    return clean(contact), web(contact)
