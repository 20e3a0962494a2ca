"""What a site offers to be polled, found out by asking it, as politely as for a page.

Every address is asked and read for real, within bounds; a site's robots.txt is obeyed.
What comes of it is a proposal: nothing here writes, and what of it is worth having is
for `offers` to say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urljoin

from aggregator import config as configuration
from aggregator import sandbox
from aggregator.fetch import FEEDS, PAGES, Fetcher, Turns, spacing
from aggregator.model import (
    AggregatorError,
    Config,
    FetchError,
    PausedError,
    StageError,
    Validators,
)
from aggregator.offers import Discovery, Offer, Tried, proposal
from aggregator.parse.discovery import Named, Site
from aggregator.parse.inspection import Inspected, inspect
from aggregator.permit import ForbiddenError, Permits, UnknownError
from aggregator.urls import canonical, home, host, origin, site

# Where a site's feed stands that names none. No list of all that was ever seen: what
# these programs do unless they are told otherwise, and many a site by hand.
WELL_KNOWN: Final = (
    "/feed",  # WordPress, which adds a slash by redirect
    "/rss.xml",  # Drupal, Gatsby, and by hand
    "/rss",  # Ghost, likewise, and by hand
    "/atom.xml",  # Jekyll, Hexo, Movable Type
    "/feed.xml",  # Jekyll, Eleventy
    "/index.xml",  # Hugo
    "/feed.json",  # JSON Feed
    "/spip.php?page=backend",  # SPIP, much of the French independent press
    "/?feed=rss2",  # WordPress without permalinks
)
# And its list of the last two days' articles, where no robots.txt names it.
_NEWS_SITEMAPS: Final = (
    "/news-sitemap.xml",  # Yoast's, for WordPress
    "/sitemap-news.xml",  # xml-sitemaps, Arc
    "/sitemap_index.xml",  # Yoast's list
    "/sitemap.xml",  # where the standard wants it
)
_NAMED: Final = 20  # feeds of a page that are asked; some name one for each section
_LINKED: Final = 10  # of those it only links to
_SITEMAPS: Final = 4  # that are asked at most
_PATIENCE: Final = 2  # requests that a host may leave without an answer
_IS_NEWS: Final = re.compile(r"news|actu|notici|notizi|nachricht", re.IGNORECASE)
_COMMENTS: Final = re.compile(r"(?i)/comments?/|[?&]feed=comments|/comments?[-_.]")
_OF_COMMENTS: Final = re.compile(
    r"(?i)^comment\w*\b|\bcomment\w*$|\bcomments? (?:on|for|feed)"
)


class UnreachedError(AggregatorError):
    """The site could not be reached at all."""

    exit_status = 3


Progress = Callable[[str], None]


def discover(
    config: Config, url: str, now: datetime, progress: Progress | None = None
) -> Discovery:
    """Ask a site for what it offers to be polled.

    url: of a page of the site, its home page at best, or of a feed. progress: told each
    address before it is asked.

    Raises UnreachedError when its host cannot be reached, and AggregatorError when it
    may not be asked.
    """
    agent = configuration.user_agent(config)
    turns = Turns(spacing(config.polling))
    with (
        Fetcher(config.polling, agent, turns) as fetcher,
        Fetcher(config.polling, agent, turns) as asker,
    ):
        permits = Permits(asker, turns, config.polling, now)
        search = _Search(config, fetcher, permits, now, progress)
        return search.of(url)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An address that answered, where it moved for good, and what is there."""

    url: str
    final: str
    found: Inspected


class _Search:
    """The walk through one site."""

    def __init__(
        self,
        config: Config,
        fetcher: Fetcher,
        permits: Permits,
        now: datetime,
        progress: Progress | None,
    ) -> None:
        self._config = config
        self._fetcher = fetcher
        self._permits = permits
        self._now = now
        self._progress = progress
        self._seen: set[str] = set()
        self._offers: list[Offer] = []
        self._tried: list[Tried] = []
        self._pages: list[Site] = []  # that were taken for feeds
        self._failures: Counter[str] = Counter()  # by host
        self._closed: set[str] = set()  # hosts that are asked nothing more

    def of(self, url: str) -> Discovery:
        """Return what a site offers."""
        first = self._first(url)
        pages = [first.found.site] if first and first.found.site else []
        base = first.final if first else url
        if first and first.found.form == "list":
            self._sitemaps(first.found.sitemaps)
        elif first and not first.found.site:
            self._take(first)
            pages += self._home(first.found.home, base)
        else:
            if not (pages and pages[0].feeds) and not home(base):
                pages += self._home(origin(base), base)
            self._feeds(pages, base)
            self._news(base)
        return proposal(
            self._config, base, pages, tuple(self._offers), tuple(self._tried)
        )

    def _first(self, url: str) -> _Answer | None:
        """Return what is at the given address, None where only others may be asked.

        Raises as `discover`.
        """
        try:
            return self._answer(url, PAGES)
        except ForbiddenError as exc:
            self._tried.append(Tried(url, str(exc)))
        except UnknownError as exc:
            if exc.refusal and exc.refusal.kind == "network":
                raise UnreachedError(f"{url}: not reached: {exc.refusal}") from exc
            raise AggregatorError(f"{url}: not asked: {exc}") from exc
        except FetchError as exc:
            if exc.kind == "network":
                raise UnreachedError(f"{url}: not reached: {exc}") from exc
            if exc.kind == "refused":
                raise AggregatorError(f"{url}: not asked: {exc}") from exc
            self._tried.append(Tried(url, str(exc)))
        except StageError as exc:
            self._tried.append(Tried(url, str(exc)))
        return None

    def _home(self, url: str, base: str) -> list[Site]:
        """Return what the home page of the same site says, if it can be asked."""
        if not url or site(url) != site(base):
            return []
        answer = self._asked(urljoin(url, "/") if home(url) else url, PAGES)
        return [answer.found.site] if answer and answer.found.site else []

    def _feeds(self, pages: Sequence[Site], base: str) -> None:
        """Ask places where feeds may be, until one is there."""
        for named in self._places(pages, base):
            self._all(named)
            if self._offers:
                return

    def _places(self, pages: Sequence[Site], base: str) -> Iterator[list[Named]]:
        """Yield the likely places, the likeliest first.

        What pages name; what they link to, and what pages link to that were met there
        (many a site has a page of its feeds); then where feeds often stand.
        """
        yield [one for page in pages for one in page.feeds]
        yield [one for page in pages for one in page.links][:_LINKED]
        yield self._met()
        inside = [] if home(base) else [urljoin(base, "feed")]
        for url in (*inside, *(urljoin(base, path) for path in WELL_KNOWN)):
            yield [Named(url)]
        yield self._met()

    def _met(self) -> list[Named]:
        """Return what pages name and link to that were taken for feeds."""
        found = [one for page in self._pages for one in (*page.feeds, *page.links)]
        self._pages.clear()
        new = [one for one in found if canonical(one.url) not in self._seen]
        return list(dict.fromkeys(new))[:_LINKED]

    def _all(self, named: list[Named]) -> None:
        """Ask the first of several feeds."""
        wanted = [one for one in named if not self._of_comments(one)]
        for one in wanted[:_NAMED]:
            answer = self._asked(one.url, FEEDS)
            if answer:
                self._take(answer, one.title)
        if len(wanted) > _NAMED:
            why = f"{len(wanted)} feeds are named, and only the first {_NAMED} asked"
            self._tried.append(Tried(wanted[_NAMED].url, why))

    def _of_comments(self, named: Named) -> bool:
        """Tell whether a feed is one of comments, and keep that it was left out."""
        path = named.url.removeprefix(origin(named.url))
        found = _COMMENTS.search(path) or _OF_COMMENTS.search(named.title)
        if found and canonical(named.url) not in self._seen:
            self._seen.add(canonical(named.url))
            self._tried.append(Tried(named.url, "comments, not articles"))
        return bool(found)

    def _take(self, answer: _Answer, title: str = "") -> None:
        """Keep a feed or a sitemap that has articles."""
        found = answer.found
        why = ""
        if found.site:
            self._pages.append(found.site)
            why = "a web page, not a feed"
        elif found.form == "list":
            why = "a list of sitemaps"
        elif not found.articles:
            why = "no article in it"
        elif _OF_COMMENTS.search(found.title):
            why = "comments, not articles"
        if why:
            self._tried.append(Tried(answer.url, why))
            return
        self._offers.append(
            Offer(
                url=answer.final,
                asked=answer.url,
                kind="sitemap" if found.form == "sitemap" else "feed",
                form=found.form,
                title=found.title or title,
                home=found.home,
                language=found.language,
                articles=found.articles,
                newest_at=found.newest_at,
            )
        )

    def _news(self, base: str) -> None:
        """Ask the site's news sitemaps, and all others where it has no feed."""
        named: list[str] = []
        with suppress(StageError):  # told already, of the page
            named = [*self._permits.sitemaps(base)]
        fallback = [] if self._offers else [urljoin(base, p) for p in _NEWS_SITEMAPS]
        self._sitemaps([*named, *fallback], every=not self._offers)

    def _sitemaps(self, places: Iterable[str], *, every: bool = True) -> None:
        """Ask sitemaps, those of news first, and those that a list names.

        every: also those whose address does not say that it is one of news.
        """
        waiting = list(places)
        for _ in range(_SITEMAPS):
            waiting = [url for url in waiting if canonical(url) not in self._seen]
            waiting.sort(key=lambda url: not _IS_NEWS.search(url))
            if not waiting or not (every or _IS_NEWS.search(waiting[0])):
                return
            answer = self._asked(waiting.pop(0), FEEDS)
            if answer and answer.found.form == "list":
                waiting += answer.found.sitemaps
            elif answer:
                self._take(answer)
                every = every and not self._offers

    def _asked(self, url: str, accept: str) -> _Answer | None:
        """Return what is at an address; None where that was not to be had, or known."""
        if host(url) in self._closed or canonical(url) in self._seen:
            return None
        try:
            return self._answer(url, accept)
        except PausedError as exc:
            self._closed.add(host(url))
            self._tried.append(Tried(url, str(exc)))
        except StageError as exc:
            self._tried.append(Tried(url, str(exc)))
            if isinstance(exc, FetchError) and exc.kind == "network":
                self._failures[host(url)] += 1
                if self._failures[host(url)] == _PATIENCE:
                    self._closed.add(host(url))
                    why = "fails again and again: nothing more is asked of it"
                    self._tried.append(Tried(origin(url), why))
        return None

    def _answer(self, url: str, accept: str) -> _Answer:
        """Return what is at an address; raises StageError."""
        self._seen.add(canonical(url))
        if self._progress:
            self._progress(url)
        polling = self._config.polling
        self._permits.rules(url)  # so that this costs the request none of its time
        fetched = self._fetcher.fetch(
            url,
            Validators(),
            now=self._now,
            timeout=polling.timeout,
            accept=accept,
            gate=self._permits.gate,
        )
        found = sandbox.run(
            inspect,
            fetched,
            polling.max_entries,
            timeout=polling.timeout.total_seconds(),
            large=bool(fetched.spooled),
        )
        here = fetched.url if found.site else fetched.moved_to or url
        return _Answer(url, here, found)
