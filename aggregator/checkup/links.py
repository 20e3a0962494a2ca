"""Which links are published, and what their answers say of them. Pure.

A dead link is no mistake of the maintainer's, and mended only by a lasting copy: for
each one an address to look at is proposed, and the text that publishes it. Whether
there is a copy, nobody is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal
from zoneinfo import ZoneInfo

from aggregator import wording
from aggregator.decisions import added, archiving
from aggregator.fetch import lasting
from aggregator.model import Answer, Decision, State, Story
from aggregator.urls import HOME, lobby, written

_MISSING: Final = frozenset({404, 410})
_ARCHIVE: Final = "https://web.archive.org/web"

Role = Literal["article", "copy", "archived"]


class Life(StrEnum):
    """Whether a link leads somewhere.

    SAVED: no more, but its story has an archived copy that is not dead. UNCLEAR: it
    could not be asked now.
    """

    ALIVE = "alive"
    DEAD = "dead"
    SAVED = "saved"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Use:
    """Where an address is published: as what, of which story."""

    url: str
    role: Role
    story: Story


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """A published link that does not answer, and why; `role` and `story` as in `Use`.

    look: where a lasting copy may be, "" where none is needed. place: the table of
    curation.toml, from 1, that is to have the line `paste`; 0 = `paste` is a table of
    its own, or "" where another link of the story has it.
    """

    url: str
    state: Life
    reason: str
    role: Role
    story: Story
    look: str = ""
    place: int = 0
    paste: str = ""


def uses(stories: Iterable[Story]) -> tuple[Use, ...]:
    """Return every link of the published stories, in their order and as written there.

    What is no web address is no link there either.
    """
    return tuple(
        replace(use, url=url)
        for story in stories
        if story.state is State.PUBLISHED
        for use in _uses(story)
        if (url := written(use.url))
    )


def _uses(story: Story) -> Iterator[Use]:
    yield Use(story.url, "article", story)
    others = dict.fromkeys(copy.url for copy in story.copies if copy.url != story.url)
    for url in others:
        yield Use(url, "copy", story)
    yield Use(story.archived, "archived", story)


def life(answer: Answer) -> tuple[Life, str]:
    """Return whether an address is alive, and why it is not.

    A redirect to a home page is how many outlets say that nothing is there any more.
    One to a page to log in or to agree says nothing.
    """
    failure = answer.failure
    if failure is None:
        if answer.asked:
            where = lobby(answer.url)
            if not where or lobby(answer.page) == where:
                return Life.ALIVE, ""
            state = Life.DEAD if where == HOME else Life.UNCLEAR
            return state, f"redirects to {where}"
        until = answer.not_before
        told = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        return Life.UNCLEAR, f"its host is left alone{told}"
    if answer.status in _MISSING or lasting(failure.reason):
        return Life.DEAD, failure.reason
    return Life.UNCLEAR, failure.reason


def found(
    dead: Sequence[tuple[Use, str]],
    decisions: Sequence[Decision],
    timezone: str,
    now: datetime,
) -> tuple[LinkCheck, ...]:
    """Return what is to be said of dead links, each with the reason, in their order.

    A story gets one archived copy: of its article if that is dead, else of another
    outlet's.
    """
    lost = {use.story.short for use, _ in dead if use.role == "archived"}
    given: set[str] = set()
    checks = {}
    # articles before other outlets' copies, by the names of the roles
    for use, reason in sorted(dead, key=lambda one: one[0].role):
        story = use.story
        check = LinkCheck(use.url, Life.DEAD, reason, use.role, story)
        if use.role == "archived":
            place = added(story, decisions)
            look = f"{_ARCHIVE}/*/{story.url or use.url}"
            paste = 'archived = ""' if place else ""
            check = replace(check, look=look, place=place, paste=paste)
        elif story.archived:
            saved = Life.DEAD if story.short in lost else Life.SAVED
            check = replace(check, state=saved)
        else:
            day = story.published_at.astimezone(ZoneInfo(timezone))
            look = f"{_ARCHIVE}/{day:%Y%m%d}/{use.url}"
            check = replace(check, look=look)
            if story.short not in given:
                given.add(story.short)
                check = _offered(check, decisions, timezone, now)
        checks[use] = check
    return tuple(checks[use] for use, _ in dead)


def _offered(
    check: LinkCheck, decisions: Sequence[Decision], timezone: str, now: datetime
) -> LinkCheck:
    """Return a check with the text that publishes what may be an archived copy."""
    if place := added(check.story, decisions):
        paste = f"archived = {wording.quoted(check.look)}"
        return replace(check, place=place, paste=paste)
    decided = archiving(check.story, check.look, now)
    return replace(check, paste=wording.decision(decided, timezone))
