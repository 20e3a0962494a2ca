"""Same article or not, and where a story stands. Pure.

`joining` places entries into stories, each join with its reason (DESIGN.md §8);
`standing` decides what a story's state becomes, `brake` holds what would move too many
at once; `telling` draws up the story as readers see it. No clock but the `now` it is
given, no database, no file.
"""

from aggregator.stories.brake import Settled, brake, held_by_topic
from aggregator.stories.joining import place, summaries_agree, title_key
from aggregator.stories.ledger import Ledger, Member, Placement, Standing
from aggregator.stories.standing import ruling, settle, spoken
from aggregator.stories.telling import compose

__all__ = [
    "Ledger",
    "Member",
    "Placement",
    "Settled",
    "Standing",
    "brake",
    "compose",
    "held_by_topic",
    "place",
    "ruling",
    "settle",
    "spoken",
    "summaries_agree",
    "title_key",
]
