"""From an address to a complete answer: the only package that knows requests.

`guard` decides which addresses may be connected to, `turns` when a host may be asked,
`headers` reads what servers say of time, `replies` the rest but for the body, `fetcher`
asks; `heartbeat` and `hub` tell
others of us. What a document says may not enter.
"""

from aggregator.fetch.fetcher import FEEDS, PAGES, Fetcher
from aggregator.fetch.reasons import lasting
from aggregator.fetch.turns import Turns, spacing

__all__ = ["FEEDS", "PAGES", "Fetcher", "Turns", "lasting", "spacing"]
