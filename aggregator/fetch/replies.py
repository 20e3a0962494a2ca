"""What an answer says besides its body: where it redirects to, why it brings nothing.

Of one answer each; which are asked for, and in what order, is `fetcher`'s.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import urldefrag, urljoin

import requests

from aggregator import urls
from aggregator.fetch import headers as said
from aggregator.model import FetchError

WAITS: Final = frozenset({429, 503})  # statuses of a host that may want a pause
_HOPS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_GONE: Final = 410


def go_on(visited: list[str], target: str) -> None:
    """Add where a redirect leads; raises FetchError where it is not to be followed."""
    if target in visited:
        raise FetchError("redirect loop", kind="limit")
    if len(visited) > _HOPS:
        raise FetchError(f"more than {_HOPS} redirects", kind="limit")
    if not urls.web(target):
        raise FetchError("redirect to no web address", kind="refused")
    visited.append(target)


def target(reply: requests.Response) -> str:
    """Return the absolute address a redirect points to, "" for any other answer."""
    location = reply.headers.get("Location", "").strip()
    if reply.status_code not in _REDIRECTS or not location:
        return ""
    # http.client reads headers as Latin-1; addresses in them are UTF-8 at best
    location = location.encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        return urldefrag(urljoin(reply.url, location)).url
    except ValueError as exc:
        raise FetchError("redirect to no web address", kind="refused") from exc


def refusal(reply: requests.Response, url: str, now: datetime) -> FetchError:
    """Return the error for a status that brings no document.

    url: as it was asked for; `reply.url` spells the host its own way.
    """
    status = reply.status_code
    wait = reply.headers.get("Retry-After", "") if status in WAITS else ""
    not_before = said.retry_after(wait, now)
    return FetchError(
        f"http {status}",
        kind="gone" if status == _GONE else "http",
        status=status,
        not_before=not_before,
        paused_host=urls.host(url) if not_before else "",
    )


def sendable(validator: str) -> str:
    """Return a validator as received, "" for one that no request may carry."""
    return validator if validator.isprintable() and validator.strip() else ""


def ended(raw: Any) -> bool:  # noqa: ANN401 - urllib3's response
    """Tell whether a compressed body came to the end of its stream.

    urllib3 2.8 notices that only for zstd, hence the look at its decoders; a body
    that is not compressed has none.
    """
    decoder = getattr(raw, "_decoder", None)
    for each in getattr(decoder, "_decoders", [decoder]):
        stream = getattr(each, "_obj", None)
        finished = getattr(stream, "is_finished", None)  # brotli's word for eof
        if not (finished() if finished else getattr(stream, "eof", True)):
            return False
    return True
