"""Which entries of a feed its document means: identity with the feed's memory. Pure.

`parse.ladder` tells the entries of one document apart; here they are known again among
all that the feed ever listed (DESIGN.md §8, rule 0), whatever the outlet did to their
guid, URL, date or title. `likeness` compares words and dates, `match` pairs entries. No
database, no clock and no other feed may enter, so that the order of polls cannot show.
"""

from aggregator.recognition.recognise import Recognition, compared, recognise
from aggregator.recognition.traces import Called, Trace, called, keys, named

__all__ = [
    "Called",
    "Recognition",
    "Trace",
    "called",
    "compared",
    "keys",
    "named",
    "recognise",
]
