"""What mends what the desk tells of, ready to be pasted. Pure.

Lines of the two files, which tests read with `config` and `curation`, and commands. No
sentence for people may enter.
"""

from __future__ import annotations

from collections.abc import Sequence

from aggregator import wording
from aggregator.model import Action
from aggregator.publish.view import clean


def outlet(name: str, urls: Sequence[str]) -> str:
    """Return an outlet's line of `[outlets]`: its name and all its addresses."""
    return wording.outlet(clean(name), [*map(clean, urls)])


def command(action: Action, *shorts: str) -> str:
    """Return the command that decides on stories.

    By short id, not by URL: some addresses show another article every day.
    """
    return f"aggregator {action} {' '.join(shorts)}"
