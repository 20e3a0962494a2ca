"""From the bytes of a document to its entries.

`feeds` has plain feeds skimmed (`skim`, with `names` and `keeping`) and all others read
by feedparser; around it stand pure helpers: what charset a document is in, what must be
cut from it, dates in every dialect, what tells an entry from its neighbours. It runs in
a child process (`sandbox`): no network, no clock and no file may enter.
"""

from aggregator.parse.feeds import Reading, confirmed, judged, parse

__all__ = ["Reading", "confirmed", "judged", "parse"]
