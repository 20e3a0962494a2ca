"""What a walk through pages may ask for: each site's robots.txt, asked and obeyed.

A site's robots.txt is asked before its first page, unless it is known, and looked into
at every redirect. `read` and `knock` walk by it; no clock, no disk and no database may
enter.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from aggregator import robots, sandbox, spool
from aggregator.fetch import Fetcher, Turns
from aggregator.model import FetchError, PageBatch, Robots, StageError, Validators
from aggregator.urls import host, origin

_KNOWN: Final = timedelta(days=1)  # RFC 9309 §2.4: no robots.txt lasts longer
_MISSED: Final = timedelta(hours=1)  # how long one is not asked for that did not come
_DELAY: Final = 30.0  # seconds between two pages that a site may ask for at most
_ALLOWED: Final = range(400, 500)  # RFC 9309 §2.3.1.3: there is none, so all is allowed
_BUSY: Final = 429  # of them the one that says something else


class UnknownError(StageError):
    """A site's robots.txt is not to be had, so nothing may be asked of it for now."""

    def __init__(self, refusal: FetchError | None) -> None:
        """Keep why it did not come, None = that was earlier."""
        super().__init__("robots.txt is not to be had")
        self.refusal = refusal


def missed(known: Robots, now: datetime) -> bool:
    """Tell whether a robots.txt did not come a moment ago; its site is left alone."""
    return known.text is None and _valid(known, now)


def _valid(known: Robots, now: datetime) -> bool:
    last = _MISSED if known.text is None else _KNOWN
    return timedelta(0) <= now - known.asked_at < last


class Permission:
    """The robots.txt files of the sites of one batch.

    asker: fetches them while another fetcher of the batch waits; turns: both have the
    same.
    """

    def __init__(self, batch: PageBatch, asker: Fetcher, turns: Turns) -> None:
        """Begin with the files that the batch knows."""
        self._batch = batch
        self._asker = asker
        self._turns = turns
        self._robots = {known.site: known for known in batch.robots}
        self._asked: list[Robots] = []
        self._refused: dict[str, FetchError] = {}

    def asked(self) -> tuple[Robots, ...]:
        """Return the files that were asked for since this was asked last."""
        asked, self._asked = tuple(self._asked), []
        return asked

    def gate(self, url: str) -> None:
        """Let pass what the site's robots.txt allows, as slowly as it asks for.

        Raises FetchError for what it forbids, UnknownError where there is none to be
        had.
        """
        text = self.rules(url)
        if text is None:
            raise UnknownError(self._refused.get(origin(url)))
        if not text:
            return
        timeout = self._batch.polling.timeout.total_seconds()
        allowed, delay = sandbox.run(
            robots.allows, text, url, timeout=timeout, heavy=True
        )
        if not allowed:
            raise FetchError("robots.txt forbids it", kind="refused")
        if delay:
            self._turns.slow(host(url), min(delay, _DELAY))

    def rules(self, url: str) -> str | None:
        """Return the text of the robots.txt for a URL; None: not to be had."""
        site = origin(url)
        known = self._robots.get(site)
        now = self._batch.now
        if known and _valid(known, now):
            return known.text
        text = self._ask(site)
        if text is None and known:
            text = known.text  # RFC 9309 §2.4: the old one is good where none is new
        self._robots[site] = Robots(site, text, now)
        self._asked.append(self._robots[site])
        return text

    def _ask(self, site: str) -> str | None:
        """Return a site's robots.txt as it is now, None for none to be had."""
        try:
            fetched = self._asker.fetch(
                f"{site}/robots.txt",
                Validators(),
                now=self._batch.now,
                timeout=self._batch.polling.timeout,
                accept="text/plain, */*;q=0.5",
            )
        except FetchError as exc:
            if exc.kind == "refused":
                raise  # the page stands at the same forbidden address
            self._refused[site] = exc
            allowed = exc.status in _ALLOWED and exc.status != _BUSY
            return "" if allowed else None
        return spool.read(fetched)[: robots.MOST].decode("utf-8", "replace")
