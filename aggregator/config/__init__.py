"""feeds.toml, read and validated as a whole, every problem at once.

`tables` reads typed keys from any TOML table, `values` single values, `keys` describes
every key of feeds.toml, `reading` puts them together, `advice` reads them again. What
was read once is kept as the text that `kept` makes of it.
"""

from aggregator.config import kept
from aggregator.config.advice import advice
from aggregator.config.reading import (
    DEFAULT_PLACES,
    VARIABLE,
    duration,
    locate,
    read,
    read_bytes,
    setting,
    site_id,
    user_agent,
    warnings,
)
from aggregator.config.tables import content

__all__ = [
    "DEFAULT_PLACES",
    "VARIABLE",
    "advice",
    "content",
    "duration",
    "kept",
    "locate",
    "read",
    "read_bytes",
    "setting",
    "site_id",
    "user_agent",
    "warnings",
]
