"""Same article or not, and where a story stands. Pure.

`joining` places entries into stories, each join with its reason (DESIGN.md §8), by the
`likeness` of titles and texts; `suggesting` tells of likely ones that wait for the
maintainer, `regrouping` does what the maintainer says of them; `standing` decides what
a story's state becomes, `brake` holds what would move too many at once; `telling` draws
up the story as readers see it. No clock but the `now` it is given, no database, no
file.
"""

from aggregator.stories.brake import Settled, brake, held_by_topic
from aggregator.stories.joining import (
    ACROSS_OUTLETS,
    ADOPTION,
    place,
    possible_ids,
)
from aggregator.stories.ledger import Ledger, Member, Placement, Standing, Suggestion
from aggregator.stories.likeness import marks, summaries_agree, title_key
from aggregator.stories.regrouping import regroup
from aggregator.stories.standing import UNKNOWN, ruling, settle, spoken
from aggregator.stories.suggesting import Suggested, suggested
from aggregator.stories.telling import compose, rank_of, tombstone

__all__ = [
    "ACROSS_OUTLETS",
    "ADOPTION",
    "UNKNOWN",
    "Ledger",
    "Member",
    "Placement",
    "Settled",
    "Standing",
    "Suggested",
    "Suggestion",
    "brake",
    "compose",
    "held_by_topic",
    "marks",
    "place",
    "possible_ids",
    "rank_of",
    "regroup",
    "ruling",
    "settle",
    "spoken",
    "suggested",
    "summaries_agree",
    "title_key",
    "tombstone",
]
