"""How an outlet's older entries are reached: what follows from each answer. Pure.

A way is proved by what an outlet answers, never set: its live document names the one
before it; a page by number has other entries; its robots.txt names sitemaps. An outlet
that answers the same again, whatever is asked, is noticed. Neither the network nor the
database may enter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aggregator.identity import number
from aggregator.model import Landing, Onward, Step, StepKind, Walk, Way
from aggregator.urls import origin, web

_PAGES: Final[tuple[tuple[StepKind, Way, int], ...]] = (  # kind, way, the second page
    ("wordpress", "wordpress", 2),
    ("path", "path", 2),
    ("drupal", "drupal", 1),
)
_SECOND: Final = {kind: second for kind, _, second in _PAGES}
_WAYS: Final = {kind: way for kind, way, _ in _PAGES}
_PARAMETER: Final = {"wordpress": "paged", "drupal": "page"}
_FEED_FOLDER: Final = re.compile(r"(.*/)feed(?:/(atom|rdf|rss2?))?/?")
_PAGE_FOLDER: Final = re.compile(r"/page/\d+/$")
_LAST: Final = 9  # rank of what is looked for when pages by number are none
_GONE: Final = frozenset({404, 410})
_BUSY: Final = frozenset({429, 503})  # nothing is proved by that
_PASSING: Final = frozenset({408, 425, 429})  # of 4xx those that say: not now
_REFUSED: Final = range(400, 500)


def onward(landing: Landing, walk: Walk) -> Onward:
    """Return what follows from what a step brought; walk: as it was before."""
    if not landing.asked:
        return Onward(done=False)
    kind = landing.step.kind
    if landing.failure and not (lasting(landing) or _passed_over(landing, walk)):
        return Onward(done=False, stop=landing.failure.reason)
    read = _READERS.get(kind, _from_page)
    return read(landing, walk)


def lasting(landing: Landing) -> bool:
    """Tell whether a failure says that a document is not to be had, today or later."""
    failure = landing.failure
    if failure is None or failure.kind in ("network", "ours"):
        return False
    if failure.kind == "http":
        status = landing.status or 0
        return status in _REFUSED and status not in _PASSING
    return True


def address(kind: StepKind, url: str, page: int) -> str:
    """Return where a feed's page of a number is; url: of the feed or any such page.

    "" where pages of that kind cannot be.
    """
    parts = urlsplit(url)
    if kind == "path":
        if _PAGE_FOLDER.search(parts.path):
            path = _PAGE_FOLDER.sub(f"/page/{page}/", parts.path)
            return urlunsplit(parts._replace(path=path))
        folder = _FEED_FOLDER.fullmatch(parts.path)
        if folder is None:
            return ""
        path = f"{folder[1]}page/{page}/"
        form = urlencode({"feed": folder[2] or "rss2"})
        return urlunsplit(parts._replace(path=path, query=form))
    name = _PARAMETER[kind]
    query = [
        pair
        for pair in parse_qsl(parts.query, keep_blank_values=True)
        if pair[0] != name
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, (name, page)])))


def _passed_over(landing: Landing, walk: Walk) -> bool:
    """Tell whether a failure that may pass ends nothing but the hope for one way.

    A site that its feed or feeds.toml calls the outlet's home may not be there at all,
    and a page by number that is none may be any error but that of a busy server.
    """
    if landing.step.kind == "robots":
        return origin(landing.step.url) != origin(landing.feed.url)
    trial = _on_trial(landing.step, walk)
    return trial and landing.status is not None and landing.status not in _BUSY


def _on_trial(step: Step, walk: Walk) -> bool:
    """Tell whether a step is to show whether there are pages of its kind."""
    second = _SECOND.get(step.kind)
    return step.number == second and walk.way != _WAYS[step.kind]


def _from_live(landing: Landing, _walk: Walk) -> Onward:
    """Return what to try, the likeliest first; a feed's own word goes before all."""
    if landing.failure:
        return Onward(done=False, stop=landing.failure.reason)
    if landing.older not in ("", landing.step.url, landing.url):
        step = Step(landing.older, "archive", 1)
        return Onward("archive", add=(step,))  # the first archive may list the same
    pages = () if landing.sitemap else _tried(landing)
    return Onward(add=(*pages, *_robots(landing)), digest=digest(landing.signs))


def _tried(landing: Landing) -> Iterator[Step]:
    """Yield the second page of every kind, that of the feed's generator first."""
    made_by = landing.generator.casefold()
    order = sorted(_PAGES, key=lambda page: page[0] not in made_by)
    for rank, (kind, _, second) in enumerate(order):
        if url := address(kind, landing.url, second):
            yield Step(url, kind, second, rank)


def _robots(landing: Landing) -> Iterator[Step]:
    sites = (landing.url, landing.feed.outlet.homepage, landing.home)
    for site in dict.fromkeys(origin(url) for url in sites if web(url)):
        yield Step(f"{site}/robots.txt", "robots", rank=_LAST)


def _from_archive(landing: Landing, walk: Walk) -> Onward:
    if landing.failure:
        return Onward(done=False, stop=landing.failure.reason)
    mark = digest(landing.signs)
    if landing.signs and mark in walk.pages:
        return Onward(end="repeats", digest=mark)
    kept = Onward("archive", keep=True, unread=_cut(landing), digest=mark)
    if not landing.older:
        return replace(kept, end="complete")
    if landing.older in walk.asked:
        return replace(kept, end="repeats")
    number_, newest = landing.step.number + 1, landing.newest
    return replace(kept, add=(Step(landing.older, "archive", number_, newest=newest),))


def _from_page(landing: Landing, walk: Walk) -> Onward:
    step, mark = landing.step, digest(landing.signs)
    way = _WAYS[step.kind]
    trial = _on_trial(step, walk)
    again = mark in walk.pages or _alike(landing.signs, walk.first)
    if landing.failure:
        if trial:
            return Onward()
        if landing.status in _GONE:
            return Onward(end="complete")
        return Onward(done=False, stop=landing.failure.reason)
    if not landing.signs:
        return Onward() if trial else Onward(end="complete")
    if again:
        return Onward() if trial else Onward(end="repeats", digest=mark)
    page = step.number + 1
    url = address(step.kind, step.url, page)
    following = Step(url, step.kind, page, newest=landing.newest)
    kept = Onward(way, keep=True, unread=_cut(landing), digest=mark)
    return replace(kept, add=(following,), alone=trial)


def _from_robots(landing: Landing, walk: Walk) -> Onward:
    if landing.failure:
        return Onward()
    found = tuple(_sitemaps(landing, walk))
    return Onward("sitemap" if landing.nested else "", add=found)


def _from_sitemap(landing: Landing, walk: Walk) -> Onward:
    if landing.failure:
        return Onward("sitemap", unread=landing.failure.reason)
    found = tuple(_sitemaps(landing, walk))
    if landing.more:
        return Onward("sitemap", keep=True, done=False, start=landing.more)
    return Onward("sitemap", keep=True, add=found)


def _sitemaps(landing: Landing, walk: Walk) -> Iterator[Step]:
    """Yield the sitemaps that a document names, but those that were looked at."""
    known = walk.asked | walk.others | {landing.feed.url}
    for one in landing.nested:
        if one.url not in known:
            yield Step(one.url, "sitemap", newest=one.changed_at)


_READERS: Final[dict[StepKind, Callable[[Landing, Walk], Onward]]] = {
    "live": _from_live,
    "archive": _from_archive,
    "robots": _from_robots,
    "sitemap": _from_sitemap,
}


def _cut(landing: Landing) -> str:
    """Return why a document is not whole, "" for one that is."""
    return f"over {landing.cut} entries (polling.max_entries)" if landing.cut else ""


def _alike(signs: Iterable[int], first: frozenset[int]) -> bool:
    """Tell whether most of a page stands in the live document.

    Not all: an article may have come out in between.
    """
    here = frozenset(signs)
    return 2 * len(here & first) > len(here)


def digest(signs: Iterable[int]) -> int:
    """Return what stands for all that a document lists, in whatever order."""
    return number(*(str(one) for one in sorted(signs)))
