"""What waits for the maintainer, with all that helps to decide: doubts, and joins.

More of an outlet's text is shown than to readers: nobody else sees the desk. What
stands where on the page is for its template.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aggregator import wording
from aggregator.model import Action, Evidence, Site, State, Story
from aggregator.publish.channels import newest
from aggregator.publish.view import Part, Shown, clean, highlighted, marked, shown
from aggregator.publish.words import words
from aggregator.stories import Suggested

_EXCERPT = 400  # characters: enough to tell one film from another of that name


@dataclass(frozen=True, slots=True)
class Why:
    """One piece of evidence: whose topic, by which line, where, and the words.

    line: "" = whatever this outlet publishes. snippet: () where the words can be seen
    marked in the title or the excerpt.
    """

    topic: str
    line: str
    where: str
    snippet: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A story that waits. title: with the evidence marked. keep, hide: to be pasted."""

    shown: Shown
    title: tuple[Part, ...]
    why: tuple[Why, ...]
    keep: str
    hide: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two stories that may be one, the earlier first; reason: what they share.

    one, two: to be pasted, to say that they are one, or two.
    """

    sides: tuple[Shown, Shown]
    reason: str
    one: str
    two: str


def pairs(site: Site, joins: Iterable[Suggested]) -> tuple[Pair, ...]:
    """Return what may be one story, the latest first."""
    ordered = sorted(
        joins,
        key=lambda j: (j.story.published_at, j.story.short, j.other.short),
        reverse=True,
    )
    return tuple(_pair(site, join) for join in ordered)


def _pair(site: Site, join: Suggested) -> Pair:
    said = words(site.language)
    reasons = {
        "same URL, other title and text": said.gettext(
            "the same address, with another title and text"
        ),
        "same outlet and title within 24 h": said.gettext(
            "the same outlet and title, within a day"
        ),
        "same outlet, title retouched within 24 h": said.gettext(
            "the same outlet, nearly the same title, within a day"
        ),
        "same outlet and text within 24 h": said.gettext(
            "the same outlet and text, within a day"
        ),
        "same title within 48 h": said.gettext("the same title, within two days"),
        "nearly the same title within 48 h": said.gettext(
            "nearly the same title, within two days"
        ),
        "same URL behind a link": said.gettext("the same address behind a short link"),
        "same text within 48 h": said.gettext("much the same text, within two days"),
    }
    return Pair(
        sides=(shown(join.other, site, {}), shown(join.story, site, {})),
        reason=reasons.get(join.reason, clean(join.reason)),
        one=wording.command(Action.MERGE, join.other.short, join.story.short),
        two=wording.command(Action.SPLIT, join.story.short),
    )


def waiting(site: Site, stories: Iterable[Story]) -> tuple[Waiting, ...]:
    """Return those of the stories that wait, last published first."""
    return tuple(
        _waiting(site, one)
        for one in newest(
            shown(replace(story, excerpt=_EXCERPT), site, {})
            for story in stories
            if story.state is State.WAITING
        )
    )


def _waiting(site: Site, one: Shown) -> Waiting:
    short = one.story.short
    return Waiting(
        shown=one,
        title=_title(one),
        why=tuple(
            _why(site, given, kept)
            for given, kept in zip(one.story.evidence, one.evidence, strict=True)
        ),
        keep=wording.command(Action.KEEP, short),
        hide=wording.command(Action.HIDE, short),
    )


def _title(one: Shown) -> tuple[Part, ...]:
    """Return the title with its evidence marked, if it is shown as it was matched."""
    if one.name != one.story.title:
        return ((one.name, False),)
    spans = (span for proof in one.evidence if _titled(proof) for span in proof.spans)
    fitting = [(a, b) for a, b in spans if 0 <= a < b <= len(one.name)]
    return highlighted(one.name, fitting)


def _why(site: Site, given: Evidence, kept: Evidence) -> Why:
    """Return a piece of evidence; kept: as far as the excerpt shows it (see `view`)."""
    said = words(site.language)
    where = {
        "title": said.gettext("in the title"),
        "summary": said.gettext("in the summary"),
        "article": said.gettext("in the article"),
        "": "",
    }
    seen = _titled(given) or bool(kept.spans)
    return Why(
        topic=clean(given.topic),
        line=clean(given.line),
        where=where[given.column],
        snippet=() if seen else marked(given.snippet),
    )


def _titled(evidence: Evidence) -> bool:
    return evidence.of_first and evidence.column == "title"
