"""One request, politely and within bounds: the only room that speaks HTTP.

Nothing is remembered between batches and nothing is decided about when to ask again;
whatever a server does is a `Fetched` or a `FetchError`. Redirects are followed by hand,
so that each hop's address is checked and each waits its turn. `poll`, `read` and
`follow` call it.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, Self
from urllib.parse import urlsplit
from urllib.request import getproxies

import requests
import urllib3
from requests.exceptions import InvalidURL, MissingSchema
from requests.utils import default_headers, select_proxy, should_bypass_proxies

from aggregator import urls
from aggregator.fetch import guard, replies
from aggregator.fetch import headers as said
from aggregator.fetch.reasons import lasting, why
from aggregator.fetch.turns import Turns
from aggregator.model import Fetched, FetchError, Polling, Validators
from aggregator.spool import Spool

FEEDS: Final = (
    "application/atom+xml, application/rss+xml, application/feed+json, "
    "application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, "
    "application/json;q=0.8, */*;q=0.5"
)
PAGES: Final = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
_PERMANENT: Final = frozenset({301, 308})
_UNCHANGED: Final = 304
_CHUNK: Final = 2**16  # bytes read at once
_OK: Final = 200
_SUCCESS: Final = range(200, 300)

# L'Express sends over 100 headers, the limit of http.client. Each may have 64 KiB, and
# parsing takes seven times that: a thousand of them took 450 MB.
http.client._MAXHEADERS = 300  # type: ignore[attr-defined]  # noqa: SLF001


class Fetcher:
    """Makes the requests of one batch; closed with its `with` block.

    No cookies, no Referer, no ~/.netrc; proxies are those of the environment when it
    was made. To be used by one thread at a time.

    waited: seconds that the last `fetch` waited for its turns.
    """

    def __init__(
        self, polling: Polling, user_agent: str, turns: Turns | None = None
    ) -> None:
        """Take the limits and the name under which outlets see us.

        turns: shared with the other fetchers of the batch; None: no host waits.
        """
        self.waited = 0.0
        self._polling = polling
        self._turns = turns or Turns()
        self._deadline = guard.Deadline()
        self._spool = Spool()
        self._proxies = getproxies()
        self._headers = {**default_headers(), "User-Agent": user_agent}
        gate = guard.Gate(self._deadline, private=polling.allow_private_addresses)
        self._adapter = guard.Adapter(gate)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection; what was spooled is gone."""
        self._adapter.close()
        self._spool.close()

    def fetch(
        self,
        url: str,
        validators: Validators,
        *,
        now: datetime,
        timeout: timedelta,
        headers: tuple[tuple[str, str], ...] = (),
        accept: str = FEEDS,
        gate: Callable[[str], None] | None = None,
    ) -> Fetched:
        """GET `url`, conditionally where validators are known.

        A 304 has no body and keeps the validators it was asked with. timeout: for the
        whole request, redirects and body included; waiting for a turn does not count.
        headers: the outlet's own; sent to the host of `url` only, not where it
        redirects to, nor there in the clear where `url` is not. gate: told each address
        before it is asked, redirects' too; what it raises ends the request.

        Raises PausedError instead of asking, at any hop, a host that wants to be left
        alone, StoppedError when nothing more is asked at all, and FetchError for any
        other status than 200 and 304, a sixth redirect or a loop, an address that is
        not public, a body over `max_bytes` once decompressed, and for a request that is
        not over in time.
        """
        self._deadline.start(timeout.total_seconds())
        self.waited = 0.0
        asked = {"Accept": accept}
        if validators.etag:
            asked["If-None-Match"] = validators.etag
        if validators.last_modified:
            asked["If-Modified-Since"] = validators.last_modified
        visited = [url]
        permanent = True
        while True:
            here = visited[-1]
            if gate:
                gate(here)
            self._take_turn(urls.host(here))
            own = headers if _as_private(here, url) else ()
            with self._sent("GET", here, {**asked, **dict(own)}) as reply:
                target = replies.target(reply)
                if not target:
                    moved_to = here if permanent and len(visited) > 1 else ""
                    asked_at = now + timedelta(seconds=self.waited)
                    asked_at = asked_at.replace(microsecond=0)
                    return self._taken(reply, here, validators, moved_to, asked_at)
                permanent = permanent and reply.status_code in _PERMANENT
            replies.go_on(visited, target)

    def follow(self, url: str, *, now: datetime, timeout: timedelta) -> str:
        """Return where a redirector sends its readers; what is there is not asked.

        The first address on the way that is no redirector's itself. Each of theirs is
        asked as by `fetch`, and no body is read. GET and not HEAD: several redirectors
        answer HEAD with 405, or with 200 and no target.

        Raises as `fetch` does, and FetchError for an answer that is no redirect.
        """
        self._deadline.start(timeout.total_seconds())
        self.waited = 0.0
        visited = [url]
        while urls.opaque(here := visited[-1]):
            self._take_turn(urls.host(here))
            with self._sent("GET", here, {"Accept": PAGES}) as reply:
                target = replies.target(reply)
                if not target:
                    if reply.status_code != _OK:
                        raise self._refused(reply, here, now)
                    raise FetchError("leads nowhere by itself", kind="document")
            replies.go_on(visited, urls.unwrapped(target))
        return visited[-1]

    def reach(
        self,
        url: str,
        *,
        now: datetime,
        timeout: timedelta,
        gate: Callable[[str], None] | None = None,
    ) -> str:
        """Return where an address leads readers in the end; what is there is not read.

        By HEAD, and by GET where that is answered by anything else than success or a
        redirect: servers refuse it, or say that nothing is there. gate: as for `fetch`.

        Raises as `fetch` does.
        """
        self._deadline.start(timeout.total_seconds())
        self.waited = 0.0
        visited = [url]
        while True:
            here = visited[-1]
            if gate:
                gate(here)
            target = self._led("HEAD", here, now)
            if target is None:
                target = self._led("GET", here, now)
            if not target:
                return here
            replies.go_on(visited, target)

    def _led(self, method: str, url: str, now: datetime) -> str | None:
        """Return where an address redirects to, "" = nowhere; None: HEAD cannot tell.

        Raises as `fetch` does.
        """
        self._take_turn(urls.host(url))
        doubtful = method == "HEAD"
        try:
            with self._sent(method, url, {"Accept": PAGES}) as reply:
                status, target = reply.status_code, replies.target(reply)
                if target or status in _SUCCESS:
                    return target
                if not doubtful or status in replies.WAITS:
                    raise self._refused(reply, url, now)
        except FetchError as exc:
            if not doubtful or exc.kind != "network" or lasting(str(exc)):
                raise
        return None

    def post(
        self,
        url: str,
        form: tuple[tuple[str, str], ...],
        *,
        now: datetime,
        timeout: timedelta,
    ) -> None:
        """POST a form; any status that means success will do, and no redirect does.

        timeout: for the whole request. Raises FetchError for any other status, and
        whenever `fetch` does.
        """
        self._deadline.start(timeout.total_seconds())
        with self._sent("POST", url, {"Accept": "*/*"}, form) as reply:
            if reply.status_code not in _SUCCESS:
                raise replies.refusal(reply, url, now)
            self._take(reply)  # else the connection could not be used again

    def _take_turn(self, host: str) -> None:
        """Wait until a host may be asked, on top of the time there is for it."""
        waited = self._turns.take(host)
        self.waited += waited
        self._deadline.lengthen(waited)

    @contextmanager
    def _sent(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        form: tuple[tuple[str, str], ...] = (),
    ) -> Iterator[requests.Response]:
        """Send one request; whatever goes wrong until it is closed is a FetchError."""
        try:
            asked = {**self._headers, **headers}
            request = requests.Request(method, url, headers=asked, data=form).prepare()
            # No requests.Session: told not to follow a redirect, it reads its whole
            # body all the same, without a limit.
            with self._adapter.send_again(
                request,
                stream=True,
                timeout=self._deadline.left(),
                proxies=self._proxies_for(str(request.url)),
            ) as reply:
                yield reply
        except (InvalidURL, MissingSchema, urllib3.exceptions.LocationParseError) as e:
            raise FetchError("not a web address", kind="refused") from e
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
            UnicodeError,
        ) as exc:
            self._deadline.left()
            raise FetchError(why(exc)) from exc

    def _proxies_for(self, url: str) -> dict[str, str]:
        """Return the proxies for a URL; where one is used, check the target here.

        The proxy resolves the name by itself, so what is private as far as we see is
        refused and a name unknown here is left to it. url: as it is sent, since two
        readers of a crooked one may find two hosts in it.
        """
        if not self._proxies or should_bypass_proxies(url, self._proxies.get("no")):
            return {}
        if select_proxy(url, self._proxies) and (
            not self._polling.allow_private_addresses
        ):
            try:
                found = guard.resolve(urlsplit(url).hostname or "", 0, self._deadline)
            except FetchError:
                return self._proxies
            guard.allowed(found)
        return self._proxies

    def _taken(
        self,
        reply: requests.Response,
        url: str,
        validators: Validators,
        moved_to: str,
        now: datetime,
    ) -> Fetched:
        """Read an answer that is no redirect to its end."""
        status, headers = reply.status_code, reply.headers
        # a 304 to a question without conditions would be no news for ever
        expected = (_OK, _UNCHANGED) if validators != Validators() else (_OK,)
        if status not in expected:
            raise self._refused(reply, url, now)
        fresh_until = said.fresh_until(
            headers.get("Cache-Control", ""),
            headers.get("Expires", ""),
            headers.get("Age", ""),
            now,
        )
        if status == _UNCHANGED:
            return Fetched(
                url,
                status,
                validators=validators,
                moved_to=moved_to,
                fresh_until=fresh_until,
            )
        complete = self._take(reply)
        body, spooled = self._spool.kept()
        return Fetched(
            url,
            status,
            body,
            spooled,
            self._spool.digest(),
            content_type=headers.get("Content-Type", ""),
            content_location=headers.get("Content-Location", ""),
            content_language=headers.get("Content-Language", ""),
            validators=Validators(
                replies.sendable(headers.get("ETag", "")),
                replies.sendable(headers.get("Last-Modified", "")),
            ),
            moved_to=moved_to,
            fresh_until=fresh_until,
            complete=complete,
        )

    def _refused(self, reply: requests.Response, url: str, now: datetime) -> FetchError:
        """Return the error for a status that brings nothing; a pause begins here."""
        refusal = replies.refusal(reply, url, now)
        if refusal.not_before:
            self._turns.pause(refusal.paused_host, refusal.not_before)
        return refusal

    def _take(self, reply: requests.Response) -> bool:
        """Spool the decompressed body; return whether it came to its end.

        A body that breaks off is kept as far as it came: its entries are worth having.
        Nothing at all is an error.
        """
        raw, spool, most = reply.raw, self._spool, self._polling.max_bytes
        spool.start()
        too_long = FetchError(f"body over {most / 1e6:g} MB", kind="limit")
        if (said.count(reply.headers.get("Content-Length", "")) or 0) > most:
            raise too_long
        try:
            # read1, not iter_content: that one waits for a whole chunk before it
            # yields, and a dripping server outruns the deadline.
            while chunk := raw.read1(_CHUNK, decode_content=True):
                spool.take(chunk)
                if spool.size > most:
                    raise too_long
                self._deadline.left()
        except (urllib3.exceptions.DecodeError, urllib3.exceptions.ProtocolError):
            if not spool.size:
                raise
            return False
        return replies.ended(raw)


def _as_private(here: str, url: str) -> bool:
    """Tell whether an address is of the same host as `url`, and no easier to read."""
    sealed, was_sealed = (one.lower().startswith("https:") for one in (here, url))
    return urls.host(here) == urls.host(url) and (sealed or not was_sealed)
