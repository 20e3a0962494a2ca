"""From an address to a complete answer: the only package that knows requests.

`guard` decides which addresses may be connected to, `headers` reads what servers say of
time, `fetcher` asks. What a document says may not enter.
"""

from aggregator.fetch.fetcher import FEEDS, Fetcher

__all__ = ["FEEDS", "Fetcher"]
