"""What mends what the desk tells of, ready to be pasted. Pure.

Lines of feeds.toml, which tests read with `config`. No sentence for people may enter.
"""

from __future__ import annotations

from collections.abc import Sequence

from aggregator import wording
from aggregator.publish.view import clean


def outlet(name: str, urls: Sequence[str]) -> str:
    """Return an outlet's line of `[outlets]`: its name and all its addresses."""
    return wording.outlet(clean(name), [*map(clean, urls)])
