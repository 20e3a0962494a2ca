"""What of the feeds and sitemaps of a site is worth polling, and its outlet's line.

Pure: `discover` asks the site, `roster` writes. Several feeds of a site often hold the
same articles in another format; one of them will do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from aggregator import roster, urls
from aggregator.model import Config, FeedKind, Outlet
from aggregator.parse.discovery import Site
from aggregator.parse.inspection import Form
from aggregator.sources import letters
from aggregator.text import cut

_LONGEST: Final = 60  # characters of a name
_BETWEEN: Final = re.compile(r"\s+[|–—•·»:-]\s+|\s*[|»]\s*")  # parts of a title
# Where everybody has a channel, and the site's own name says nothing.
_PLATFORMS: Final = frozenset(
    "dailymotion.com medium.com soundcloud.com vimeo.com youtube.com".split()
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A feed or news sitemap that was read.

    url: where to poll it; asked: as it was found, before it moved for good. title,
    home, language: what it says, "" = nothing. articles: what tells its entries apart.
    polled: the outlet of feeds.toml it is polled for, "" = none. instead: the offer
    that has all of its articles, so that this one is not needed, "" = none.
    """

    url: str
    asked: str
    kind: FeedKind
    form: Form
    title: str
    home: str
    language: str
    articles: frozenset[str]
    newest_at: datetime | None
    polled: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """An address that is of no use, and why."""

    url: str
    why: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a site offers, and what to make of it.

    url: the page that was asked. outlet: to be added as it stands, None for nothing
    new; where feeds.toml has it already, `known` is how, and outlet has what it gains.
    """

    url: str
    name: str
    offers: tuple[Offer, ...]
    tried: tuple[Tried, ...]
    outlet: Outlet | None = None
    known: Outlet | None = None


def proposal(
    config: Config,
    url: str,
    pages: Sequence[Site],
    offers: Sequence[Offer],
    tried: Sequence[Tried],
) -> Discovery:
    """Return what to make of what a site offers. url: the page that was asked."""
    name = _name(url, pages, offers)
    homepage = _homepage(url, offers)
    compared = compared_with(config.outlets, offers)
    there = {one.name: one for one in config.outlets if one.kind != "search"}
    meant = roster.meant(config.outlets, Outlet(name, (), homepage=homepage)) or next(
        (one.polled for one in compared if one.polled in there), ""
    )
    known = there.get(meant)
    wanted = [one for one in compared if not (one.polled or one.instead)]
    outlet = None
    if wanted:
        elsewhere = any(_bare(one.url) != _bare(homepage) for one in wanted)
        only_sitemaps = all(one.kind == "sitemap" for one in wanted)
        outlet = Outlet(
            meant or name,
            tuple(one.url for one in wanted),
            homepage=homepage if elsewhere else "",
            language=_language(config.site.language, wanted, pages),
            kind="sitemap" if only_sitemaps else "feed",
        )
    return Discovery(url, name, compared, tuple(tried), outlet, known)


def compared_with(
    outlets: Iterable[Outlet], offers: Sequence[Offer]
) -> tuple[Offer, ...]:
    """Return the offers with what is polled already, and what another one has.

    A feed that has all articles of another stands for it: one that is polled first,
    then the longer, then the one that the site names first. A sitemap, which has
    titles only, is needed where there is no feed.
    """
    addresses = (url for one in offers for url in (one.url, one.asked))
    owners = roster.polled(outlets, addresses)
    marked = [
        replace(one, polled=owners.get(one.url, owners.get(one.asked, "")))
        for one in offers
    ]
    ranked = sorted(
        marked, key=lambda one: (one.kind, not one.polled, -len(one.articles))
    )
    chosen: list[Offer] = []
    instead: dict[str, str] = {}
    for one in ranked:
        better = (
            other.url
            for other in chosen
            if one.articles <= other.articles or one.kind != other.kind
        )
        if (found := next(better, "")) and not one.polled:
            instead[one.url] = found
        else:
            chosen.append(one)
    return tuple(replace(one, instead=instead.get(one.url, "")) for one in marked)


def _name(url: str, pages: Sequence[Site], offers: Sequence[Offer]) -> str:
    """Return what the site calls itself, on one line."""
    own = letters(urls.site(url))
    titles = [one.title for one in offers]
    said = [] if urls.site(url) in _PLATFORMS else [page.name for page in pages]
    parts = (
        part
        for title in (*titles, *(page.title for page in pages))
        for part in _BETWEEN.split(title)
        if letters(part) == own
    )
    names = (*said, *parts, *titles, urls.host(url).removeprefix("www."))
    lines = (cut(" ".join(name.split()), _LONGEST) for name in names)
    return next(filter(None, lines))


def _homepage(url: str, offers: Sequence[Offer]) -> str:
    """Return where the readers go: as the feed says, else the host's own page."""
    homes = (one.home for one in offers if urls.site(one.home) == urls.site(url))
    return next(homes, f"{urls.origin(url)}/")


def _language(own: str, wanted: Sequence[Offer], pages: Sequence[Site]) -> str:
    """Return the language to write down: where feeds do not say that it is not ours."""
    if any(one.language for one in wanted):
        return ""
    said = next((page.language for page in pages if page.language), "")
    return "" if said.partition("-")[0].lower() == own else said


def _bare(url: str) -> str:
    return urls.host(url).removeprefix("www.")
