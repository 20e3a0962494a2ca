"""What of a story only its maintainer can have said, as decisions. Pure.

A story that comes from another folder brings its entries, ids and dates; an addition, a
note, a merge stood in that folder's curation.toml. Here they are worded again, as far
as the story would not be the same without: first what makes its entries one story, then
what stands of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, time
from zoneinfo import ZoneInfo

from aggregator.decisions import Rulings
from aggregator.model import (
    Action,
    Addition,
    Decision,
    Origin,
    Precision,
    State,
    Story,
)

_NOON = time(12)  # how a date alone is kept, in the site's zone
_MONTH = len("2019-11")


def grouping(
    wanted: Iterable[Story],
    shown: Mapping[str, Story],
    keys: Collection[str],
    timezone: str,
    at: datetime,
) -> Iterator[Decision]:
    """Yield the additions, merges and splits that stories are made by.

    shown: the stories by short id, as they are without these. keys: of the additions
    that there are. at: when they are decided.
    """
    for story in wanted:
        for place, origin in enumerate(story.entries):
            if not origin.feed and origin.key not in keys:
                yield _addition(story, origin, timezone, at, first=place == 0)
        there = shown.get(story.short)
        ours = {(one.feed, one.key) for one in there.entries} if there else set()
        missing = [one for one in story.entries if (one.feed, one.key) not in ours]
        if any(not one.story for one in story.entries):
            # one after the other, as their entries follow each other
            for other in dict.fromkeys(one.story for one in missing if one.story):
                yield Decision(Action.MERGE, (story.short, other), at)
        else:
            for one in missing:
                if one.url:
                    day = _day(one, timezone) if one.reused else ""
                    yield Decision(Action.SPLIT, (one.url,), at, published=day)


def _day(origin: Origin, timezone: str) -> str:
    return origin.published_at.astimezone(ZoneInfo(timezone)).date().isoformat()


def standing(
    wanted: Iterable[Story],
    shown: Mapping[str, Story],
    rulings: Rulings,
    at: datetime,
) -> Iterator[Decision]:
    """Yield what keeps, hides, pins and annotates stories as they were.

    shown: the stories by short id as they are with `rulings`, all that there are.
    """
    for story in wanted:
        target = (story.short,)
        if story.state is State.HIDDEN and rulings.of(target, ("",)).kept is not False:
            yield Decision(Action.HIDE, target, at)
        if story.state is not State.PUBLISHED:
            continue
        now = shown.get(story.short)
        mentioned = {proof.topic for one in story.entries for proof in one.mentions}
        topics = {*now.topics} if now and now.state is State.PUBLISHED else set()
        # what it mentioned and was not published under was taken out by hand
        if {*story.topics} != topics & (mentioned | {*story.topics}):
            if mentioned == {*story.topics}:
                yield Decision(Action.KEEP, target, at)
            else:
                yield Decision(Action.RETAG, target, at, topics=story.topics)
        if story.note and (now is None or now.note != story.note):
            yield Decision(Action.NOTE, target, at, text=story.note)
        if story.pinned and not (now and now.pinned):
            yield Decision(Action.PIN, target, at)


def _addition(
    story: Story, origin: Origin, timezone: str, at: datetime, *, first: bool
) -> Decision:
    local = origin.published_at.astimezone(ZoneInfo(timezone))
    day = origin.key.partition("/")[0]
    precision: Precision
    if first:
        precision = story.precision
    elif "/" in origin.key and origin.key != origin.url and len(day) == _MONTH:
        precision = "month"
    else:
        precision = "day" if local.time() == _NOON else "time"
    added = Addition(
        key=origin.key,
        title=origin.title,
        outlet=origin.outlet,
        published_at=origin.published_at,
        precision=precision,
        topics=tuple(proof.topic for proof in origin.mentions) or story.topics,
        url=origin.url,
        form=story.form,
        detail=story.detail,
        author=origin.author,
        excerpt=story.summary if origin.told else "",
        archived=story.archived,
    )
    return Decision(Action.ADD, (origin.key,), at, addition=added)
