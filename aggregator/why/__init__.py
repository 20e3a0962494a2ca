"""Why an article is, or is not, where somebody looks for it. Pure.

`explain` gets all that is known as a `Case` and says what follows from it: facts, and
what mends it. `present` tells of what the database has, `absent` of what it has not;
`nearest` finds the line of feeds.toml that nearly found a text. Reading the database is
`ask`, showing an answer `cli`; no clock, file or database may enter.
"""

from __future__ import annotations

from aggregator.why.absent import absent
from aggregator.why.present import present
from aggregator.why.values import (
    Answer,
    Article,
    Case,
    Cause,
    Forgotten,
    Mend,
    Reason,
    Source,
    Span,
    Tale,
    Trace,
)

__all__ = [
    "Answer",
    "Article",
    "Case",
    "Cause",
    "Forgotten",
    "Mend",
    "Reason",
    "Source",
    "Span",
    "Tale",
    "Trace",
    "explain",
]


def explain(case: Case) -> Answer:
    """Return what is to be said of what was asked for."""
    if case.traces:
        return Answer(case.asked, _article(case), present(case))
    if case.likely:
        facts = ("several articles have these words in their title, likeliest first",)
        mend = Mend("ask for one of them by its address or short id:")
        likely = tuple(_candidate(trace) for trace in case.likely)
        reason = Reason(Cause.SEVERAL, facts, (mend,))
        return Answer(case.asked, None, (reason,), likely)
    if case.url:
        return Answer(case.asked, None, absent(case))
    facts = ("no title in the history has these words, and no story this id",)
    mend = Mend("ask by the address of the article: that tells which outlet has it")
    return Answer(case.asked, None, (Reason(Cause.UNKNOWN_WORDS, facts, (mend,)),))


def _article(case: Case) -> Article:
    own = case.traces[0]
    listed = any(trace.listed for trace in case.traces)
    left = [trace.dropped_at for trace in case.traces if trace.dropped_at]
    story = case.tale.story if case.tale else None
    return Article(
        title=own.entry.title,
        outlet=own.outlet,
        url=own.entry.url,
        published_at=own.dated_at,
        seen_at=min(trace.seen_at for trace in case.traces),
        listed_until=None if listed else max(left, default=None),
        backfilled=all(trace.backfilled for trace in case.traces),
        feeds=tuple(dict.fromkeys(trace.feed for trace in case.traces if trace.feed)),
        story=story.short if story else "",
        state=story.state if story else None,
        topics=story.topics if story else (),
    )


def _candidate(trace: Trace) -> Article:
    return Article(
        title=trace.entry.title,
        outlet=trace.outlet,
        url=trace.entry.url,
        published_at=trace.dated_at,
        story=trace.story,
    )
