"""What `check` asks the network: feeds that are to work, links that are to last.

`feeds` judges what polls bring, `links` what published addresses answer, both pure;
`asking` has them asked. Nothing of it is stored.
"""

from aggregator.checkup.asking import LinksChecked, ask_feeds, ask_links
from aggregator.checkup.feeds import FeedCheck, Fit, Problem
from aggregator.checkup.links import Life, LinkCheck

__all__ = [
    "FeedCheck",
    "Fit",
    "Life",
    "LinkCheck",
    "LinksChecked",
    "Problem",
    "ask_feeds",
    "ask_links",
]
