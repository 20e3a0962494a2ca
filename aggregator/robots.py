"""What a site's robots.txt allows us (RFC 9309): the only room with protego.

Pure; it runs in a child process, since the text is a stranger's. Fetching it and
remembering it happen elsewhere.
"""

from __future__ import annotations

import math
from typing import Final

from aggregator import sandbox

AGENT: Final = "press-aggregator aggregator"
"""The names under which a robots.txt may address us: in full, or the command's."""

MOST: Final = 512_000  # bytes that are read; RFC 9309 §2.5 asks for 500 KiB at least


def allows(text: str, url: str) -> tuple[bool, float]:
    """Return whether a robots.txt lets us ask for `url`, and its crawl-delay.

    The delay is in seconds between two requests, 0.0 = none is asked for.
    """
    with sandbox.loading():
        from protego import Protego  # noqa: PLC0415 -- most cycles read no page

    rules = Protego.parse(text)
    delay = rules.crawl_delay(AGENT) or 0.0
    sane = delay if math.isfinite(delay) and delay > 0 else 0.0
    return rules.can_fetch(url, AGENT), sane
