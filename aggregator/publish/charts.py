"""A feed's entries a day as a small picture: the shape of its bars, and in words. Pure.

The shape is an SVG path, so that neither style nor script is needed to show it; its
colour is the text's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.publish.words import Words

HEIGHT = 24  # units; the busiest day's bar
STEP, BAR = 4, 3  # units from bar to bar, and of a bar
_LEAST = 2  # units; one entry among a thousand can still be seen


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars that fit a box of `width` by HEIGHT units, and what they say in words."""

    width: int
    path: str
    words: str


def chart(days: Sequence[int], said: Words) -> Chart:
    """Return the picture of so many entries a day, the oldest day first."""
    most = max(days, default=0)
    bars = "".join(
        f"M{STEP * place} {HEIGHT}v-{_height(count, most)}h{BAR}V{HEIGHT}z"
        for place, count in enumerate(days)
        if count > 0
    )
    return Chart(max(STEP * len(days) - (STEP - BAR), 1), bars, _words(days, said))


def _height(count: int, most: int) -> int:
    return max(_LEAST, round(HEIGHT * count / most))


def _words(days: Sequence[int], said: Words) -> str:
    total, span = sum(days), len(days)
    if not total:
        return said.gettext("no entry in %(span)s days") % {"span": span}
    told = {"count": total, "span": span, "most": max(days), "empty": days.count(0)}
    counted = said.ngettext("%(count)s entry", "%(count)s entries", total) % told
    rest = said.gettext("in %(span)s days, %(most)s a day at most, none on %(empty)s")
    return f"{counted} {rest % told}"
