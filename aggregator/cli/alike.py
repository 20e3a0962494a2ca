"""How `review` shows stories that may be one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from aggregator import wording
from aggregator.cli import show
from aggregator.model import Action, Story
from aggregator.stories import Suggested

Entry = dict[str, object]


def added(
    entries: Sequence[Entry],
    joins: Iterable[Suggested],
    entry: Callable[[Story], Entry],
) -> list[Entry]:
    """Return the queue as `--json` has it, with the stories that may be one.

    Each such story has its `suggestions`, those it may be one with; it is listed even
    when it does not wait itself.
    """
    queue = {str(one["story"]): dict(one) for one in entries}
    for join in joins:
        item = queue.setdefault(join.story.short, entry(join.story) | {"evidence": []})
        others = item.setdefault("suggestions", [])
        assert isinstance(others, list)
        others.append(entry(join.other) | {"reason": join.reason})
    return [*queue.values()]


def lines(joins: Sequence[Suggested], day: Callable[[Story], str]) -> Iterator[str]:
    """Yield what a reader sees of the stories that may be one, and what to paste."""
    if joins:
        yield "\nmay be one story; to merge them, or to keep them apart:"
    for join in joins:
        yield f"  {join.reason}"
        for one in (join.other, join.story):
            yield f"    {one.short}  {day(one)}  {show.safe(one.outlet)}"
            yield f"              {show.safe(one.title)}"
            if one.url:
                yield f"              {show.safe(one.url)}"
        own = join.story.short
        yield f"    {wording.command(Action.MERGE, join.other.short, own)}"
        yield f"    {wording.command(Action.SPLIT, own)}"
