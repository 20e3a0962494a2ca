"""How feeds and topics fare, and what of it a person should hear. Pure.

`rhythm` judges silences, `status` says how a feed fares at one moment. `events` is what
changed since it was last told: `troubles` finds it in feeds, `news` in the rest.
`coverage` is what readers may know. What is remembered comes in as values from the
store; there is no clock and no database here.
"""

from aggregator.health.coverage import (
    Followed,
    Window,
    as_text,
    continued,
    coverage,
    from_text,
)
from aggregator.health.events import BRAKES, EDITS, Event, Kind, Told
from aggregator.health.news import (
    Gap,
    brake_events,
    edit_events,
    gap_events,
    hub_events,
    topic_events,
    waiting_events,
)
from aggregator.health.rhythm import LATEST, SLOT, moments, patience
from aggregator.health.status import Health, Record, Rhythm, Status, rhythm_of, status
from aggregator.health.troubles import OURS, Reach, cut_off, feed_events, is_told

__all__ = [
    "BRAKES",
    "EDITS",
    "LATEST",
    "OURS",
    "SLOT",
    "Event",
    "Followed",
    "Gap",
    "Health",
    "Kind",
    "Reach",
    "Record",
    "Rhythm",
    "Status",
    "Told",
    "Window",
    "as_text",
    "brake_events",
    "continued",
    "coverage",
    "cut_off",
    "edit_events",
    "feed_events",
    "from_text",
    "gap_events",
    "hub_events",
    "is_told",
    "moments",
    "patience",
    "rhythm_of",
    "status",
    "topic_events",
    "waiting_events",
]
