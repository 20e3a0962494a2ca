"""TOML that mends what the desk tells of, ready to be pasted. Pure.

What is pasted is read by `config` and `curation`: a test reads it with them. No
sentence for people may enter.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from aggregator.model import Action
from aggregator.publish.view import clean


def outlet(name: str, urls: Sequence[str]) -> str:
    """Return an outlet's line of `[outlets]`: its name and all its addresses."""
    addresses = [_quoted(url) for url in urls]
    written = addresses[0] if len(addresses) == 1 else f"[{', '.join(addresses)}]"
    return f"{_quoted(name)} = {written}"


def decision(action: Action, short: str, about: str) -> str:
    """Return a table of curation.toml; about: what a reader of that file sees first.

    By short id, not by URL: some addresses show another article every day.
    """
    return (
        f"# {clean(about)}\n"
        "[[decision]]\n"
        f"action = {_quoted(action.value)}\n"
        f"story  = {_quoted(short)}"
    )


def _quoted(words: str) -> str:
    # A JSON string without the characters that `clean` removes is a TOML basic string.
    return json.dumps(clean(words), ensure_ascii=False)
