"""TOML that mends what the desk tells of, ready to be pasted. Pure.

What is pasted is read by `config` and `curation`: a test reads it with them. No
sentence for people may enter.
"""

from __future__ import annotations

from collections.abc import Sequence

from aggregator import wording
from aggregator.model import Action, Decision
from aggregator.publish.view import clean


def outlet(name: str, urls: Sequence[str]) -> str:
    """Return an outlet's line of `[outlets]`: its name and all its addresses."""
    return wording.outlet(clean(name), [*map(clean, urls)])


def decision(action: Action, short: str, about: str) -> str:
    """Return a table of curation.toml; about: what a reader of that file sees first.

    By short id, not by URL: some addresses show another article every day.
    """
    table = wording.decision(Decision(action, (short,)), "UTC")
    return f"# {clean(about)}\n{table}"
