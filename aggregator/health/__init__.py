"""How feeds and topics fare, and what of it a person should hear. Pure.

`status` says it of one feed at one moment, `events` what changed since it was last
said, `coverage` what readers may know of it. What is remembered comes in as values from
the store; there is no clock and no database here.
"""

from aggregator.health.coverage import Followed, Window
from aggregator.health.events import Event, Kind
from aggregator.health.status import Health, Record, Status, status

__all__ = [
    "Event",
    "Followed",
    "Health",
    "Kind",
    "Record",
    "Status",
    "Window",
    "status",
]
