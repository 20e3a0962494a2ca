"""From the bytes of a document to its entries.

`feeds` has plain feeds skimmed (`skim`, with `names` and `keeping`) and all others read
by feedparser; around it stand pure helpers: what charset a document is in, what must be
cut from it, dates in every dialect, what tells an entry from its neighbours; `past`
reads what only a backfill asks for. It runs in a child process (`sandbox`): no network,
no clock and no file may enter.
"""

from aggregator.parse.discovery import NAMES
from aggregator.parse.feeds import Reading, confirmed, judged, parse, read
from aggregator.parse.past import PART, Past, past

__all__ = [
    "NAMES",
    "PART",
    "Past",
    "Reading",
    "confirmed",
    "judged",
    "parse",
    "past",
    "read",
]
