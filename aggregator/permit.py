"""What sites let us ask, and how fast, by their robots.txt: as `fetch` is to ask it.

Each is asked once a day, before the first address of its site that robots.txt speaks
of, and obeyed at every redirect. Nothing is remembered here longer than a batch; no
database and no decision about when to ask again may enter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from aggregator import robots, sandbox, spool
from aggregator.fetch import Fetcher, Turns
from aggregator.model import FetchError, Polling, Robots, StageError, Validators
from aggregator.parse import fields
from aggregator.urls import host, origin

_KNOWN: Final = timedelta(days=1)  # RFC 9309 §2.4: no robots.txt lasts longer
_MISSED: Final = timedelta(hours=1)  # how long one is not asked for that did not come
_DELAY: Final = 30.0  # seconds between two pages that a site may ask for at most
_ALLOWED: Final = range(400, 500)  # RFC 9309 §2.3.1.3: there is none, so all is allowed
_SITEMAP: Final = re.compile(r"(?im)^[ \t]*sitemap[ \t]*:[ \t]*(\S+)")
_SITEMAPS: Final = 1000  # that are looked at
_BUSY: Final = 429  # of them the one that says something else


class UnknownError(StageError):
    """A site's robots.txt is not to be had, so nothing may be asked of it for now.

    refusal: why, where it was asked for just now.
    """

    def __init__(self, refusal: FetchError | None) -> None:
        """Keep whether the host asked for a pause instead."""
        why = f": {refusal}" if refusal else ""
        super().__init__(f"robots.txt is not to be had{why}")
        self.refusal = refusal
        self.not_before = refusal.not_before if refusal else None
        self.paused_host = refusal.paused_host if refusal else ""


class ForbiddenError(FetchError):
    """A site's robots.txt forbids an address; others of it may be asked."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("robots.txt forbids it", kind="refused")


def missed(known: Robots, now: datetime) -> bool:
    """Tell whether a robots.txt did not come a moment ago; its site is left alone."""
    return known.text is None and _valid(known, now)


def _valid(known: Robots, now: datetime) -> bool:
    last = _MISSED if known.text is None else _KNOWN
    return timedelta(0) <= now - known.asked_at < last


class Permits:
    """What robots.txt files allow, asked for as needed."""

    def __init__(
        self,
        asker: Fetcher,
        turns: Turns,
        polling: Polling,
        now: datetime,
        known: Iterable[Robots] = (),
        told: Callable[[str], None] | None = None,
    ) -> None:
        """Take what is known of them.

        asker: fetches them, while another fetcher waits for its turn. told: of each
        address before it is asked; what it raises ends the request.
        """
        self._asker = asker
        self._turns = turns
        self._polling = polling
        self._now = now
        self._told = told
        self._robots = {one.site: one for one in known}
        self._asked: list[Robots] = []
        self._refused: dict[str, FetchError] = {}

    def taken(self) -> tuple[Robots, ...]:
        """Return the files that were asked since this was called last."""
        asked, self._asked = tuple(self._asked), []
        return asked

    def gate(self, url: str) -> None:
        """Let pass what the site's robots.txt allows, as slowly as it asks for.

        Raises ForbiddenError for what it forbids, UnknownError where there is none to
        be had.
        """
        text = self.rules(url)
        if text is None:
            raise UnknownError(self._refused.get(origin(url)))
        if not text:
            return
        timeout = self._polling.timeout.total_seconds()
        allowed, delay = sandbox.run(
            robots.allows, text, url, timeout=timeout, heavy=True
        )
        if not allowed:
            raise ForbiddenError
        if delay:
            self._turns.slow(host(url), min(delay, _DELAY))

    def rules(self, url: str) -> str | None:
        """Return the text of the robots.txt for a URL; None: not to be had.

        Raises FetchError for an address that may not be asked at all.
        """
        site = origin(url)
        known = self._robots.get(site)
        if known and _valid(known, self._now):
            return known.text
        text = self._ask(site)
        if text is None and known:
            text = known.text  # RFC 9309 §2.4: the old one is good where none is new
        self._robots[site] = Robots(site, text, self._now)
        self._asked.append(self._robots[site])
        return text

    def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the sitemaps that the robots.txt for a URL names.

        Raises UnknownError where there is none to be had, FetchError as `rules` does.
        """
        text = self.rules(url)
        if text is None:
            raise UnknownError(self._refused.get(origin(url)))
        written = (fields.link(one, url) for one in _SITEMAP.findall(text))
        return tuple(dict.fromkeys(filter(None, written)))[:_SITEMAPS]

    def _ask(self, site: str) -> str | None:
        """Return a site's robots.txt as it is now, None for none to be had."""
        try:
            fetched = self._asker.fetch(
                f"{site}/robots.txt",
                Validators(),
                now=self._now,
                timeout=self._polling.timeout,
                accept="text/plain, */*;q=0.5",
                gate=self._told,
            )
        except FetchError as exc:
            if exc.kind == "refused":
                raise  # the page stands at the same forbidden address
            self._refused[site] = exc
            allowed = exc.status in _ALLOWED and exc.status != _BUSY
            return "" if allowed else None
        return spool.read(fetched)[: robots.MOST].decode("utf-8", "replace")
