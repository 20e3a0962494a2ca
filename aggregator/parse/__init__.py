"""From the bytes of a document to its entries.

`feeds` is the only module that knows feedparser; around it stand pure helpers: what
charset a document is in, what must be cut from it, dates in every dialect, what tells
an entry from its neighbours; `past` reads what only a backfill asks for. It runs in a
child process (`sandbox`): no network, no clock and no file may enter.
"""

from aggregator.parse.discovery import NAMES
from aggregator.parse.feeds import parse
from aggregator.parse.past import PART, Past, past

__all__ = ["NAMES", "PART", "Past", "parse", "past"]
