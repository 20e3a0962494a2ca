"""The dead-man's switch: a page of the maintainer's that is asked after each cycle.

When to ask, and what to say of a failure, is for the caller.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from aggregator.fetch.fetcher import Fetcher
from aggregator.model import FetchError, Polling, Validators

_TIMEOUT: Final = timedelta(seconds=10)
_FINE: Final = range(200, 300)

# The maintainer's own address: it may well be on this machine or in its network.
_LIMITS: Final = Polling(allow_private_addresses=True, max_bytes=1_000_000)


def beat(url: str, user_agent: str, now: datetime) -> str:
    """GET `url` once; return why that failed in a few words, "" when it did not.

    Any status that means success will do. It takes ten seconds at most. The reason does
    not hold the URL, which is a secret in many a service.
    """
    with Fetcher(_LIMITS, user_agent) as fetcher:
        try:
            fetcher.fetch(url, Validators(), now=now, timeout=_TIMEOUT, accept="*/*")
        except FetchError as exc:
            return "" if exc.status in _FINE else str(exc)
    return ""
