"""What an article's text makes of a doubt (DESIGN.md §3, Verdict). Pure.

The second wave calls it, and whoever matches again what is stored. Where the text came
from is no business of this room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aggregator.match import match
from aggregator.model import Entry, Mention, Outlet, Topic, Verdict


def weigh(
    entries: Sequence[Entry], topics: Sequence[Topic], outlet: Outlet, *, whole: bool
) -> tuple[Mention, ...]:
    """Return what entries mention whose `content` is the text of their article's page.

    By entry, then by topic, as `match`. whole: the pages were read in full, so that no
    doubt is left: where `match` holds it is certain, else it is suppressed. Of a page
    that was not, a doubt by title and summary stays what it is.
    """
    found = match(entries, topics, outlet)
    if whole:
        return tuple(map(settled, found))
    heads = [replace(entry, content="") for entry in entries]
    doubts = {
        (mention.entry, mention.topic): mention
        for mention in match(heads, topics, outlet)
        if mention.verdict is Verdict.DOUBTFUL
    }
    return tuple(
        doubts.get((mention.entry, mention.topic), mention) for mention in found
    )


def settled(mention: Mention) -> Mention:
    """Return a mention without doubt, now that its article was read in full."""
    if mention.verdict is not Verdict.DOUBTFUL:
        return mention
    holds = mention.rule == "match"
    return replace(mention, verdict=Verdict.CERTAIN if holds else Verdict.SUPPRESSED)
