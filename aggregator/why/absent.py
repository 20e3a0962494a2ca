"""An article that the database does not have: what became of it on its way. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from aggregator import wording
from aggregator.health import Health, Status, Window
from aggregator.why import saying
from aggregator.why.values import Case, Cause, Mend, Reason, Source, Span

_UNREAD = (Health.FAILING, Health.NEVER_WORKED, Health.GONE)
_OUTLETS = 3  # that are told of where one host has many
_WINDOWS = 3  # holes that are told of where no date chooses among them
# Which of several reasons is likelier to be the one.
_ORDER = (
    Cause.FORGOTTEN,
    Cause.DISABLED,
    Cause.NOT_POLLED,
    Cause.FAILING,
    Cause.MISSED,
    Cause.EARLIER,
    Cause.NEVER_LISTED,
)


def absent(case: Case) -> tuple[Reason, ...]:
    """Return why there is no entry with the URL asked for, the likeliest first."""
    if not case.sources:
        return (_unknown_outlet(case),)
    found = [(one, source) for source in case.sources for one in _reasons(case, source)]
    found = found or [(_never_listed(case), case.sources[0])]
    found.sort(key=lambda pair: _ORDER.index(pair[0].cause))
    (first, source), *rest = found
    if first.cause is not Cause.NOT_POLLED:  # polled, it comes by itself
        add = _add(case, source.outlet.name)
        first = replace(first, mends=(*first.mends, add))
    return first, *(reason for reason, _ in rest)


def _unknown_outlet(case: Case) -> Reason:
    parts = urlsplit(case.url)
    host = parts.netloc
    facts = (
        f"no outlet of feeds.toml has {host} as its homepage or the address of a feed",
    )
    mends = (
        Mend(
            "to follow it; without --add this only shows what it offers:",
            run=f"aggregator discover {parts.scheme}://{host}/ --add",
        ),
        _add(case, host.removeprefix("www.")),
    )
    return Reason(Cause.UNKNOWN_OUTLET, facts, mends)


def _reasons(case: Case, source: Source) -> Iterator[Reason]:
    """Yield what may have kept an outlet's article from coming here."""
    name = source.outlet.name
    left = [one for one in case.forgotten if one.feed in source.outlet.urls]
    if left:
        yield _forgotten(case, source, left[0].dropped_at)
        return
    if not source.outlet.enabled:
        fact = f"{name} is not asked: enabled = false"
        mend = Mend(f"take enabled = false out of {_line_of(name)}")
        yield Reason(Cause.DISABLED, (fact,), (mend,))
        return
    new = [line for line in source.lines if line.state is Health.NEW]
    if new:
        yield _not_polled(case, source, new)
        if len(new) == len(source.lines):
            return
    yield from _failing(case, source)
    yield from _missed(case, source)
    yield from _too_old(case, source)


def _forgotten(case: Case, source: Source, left: datetime) -> Reason:
    facts = (
        f"{source.outlet.name} listed it until {saying.day(left, case)}",
        f"no line found it, so its text was dropped {_history(case)} after that day",
    )
    return Reason(Cause.FORGOTTEN, facts, _kept_longer(case))


def _history(case: Case) -> str:
    return f"{case.history.days} days (storage.history)"


def _kept_longer(case: Case) -> tuple[Mend, ...]:
    days = f'history = "{max(2 * case.history.days, 1)}d"'
    says = "to keep texts longer from now on, in feeds.toml under [storage]:"
    return (Mend(says, paste=days),)


def _not_polled(case: Case, source: Source, new: Sequence[Status]) -> Reason:
    name = source.outlet.name
    facts = [f"{name} has not been polled yet: {line.url}" for line in new]
    if case.ended_at is None:
        facts.append("no cycle has ended yet")
    mend = saying.poll(source.outlet, "to ask it now:")
    return Reason(Cause.NOT_POLLED, tuple(facts), (mend,))


def _failing(case: Case, source: Source) -> Iterator[Reason]:
    """Yield the feeds that cannot be read, but for what was published before that."""
    lines = [line for line in source.lines if line.state in _UNREAD]
    dated = case.dated
    unread = [
        line
        for line in lines
        if not (dated and line.last_success and dated.end < line.last_success)
    ]
    if not unread:
        return
    name = source.outlet.name
    facts = [
        f"{name} cannot be read: {line.error} ({line.url}); "
        + (
            f"last read on {saying.moment(line.last_success, case)}"
            if line.last_success
            else "it never was"
        )
        for line in unread
    ]
    mends = [
        saying.poll(source.outlet, "once that is over, to ask it at once:"),
        Mend(
            "if its feed has another address, put that in place of the old one, in "
            "feeds.toml under [outlets]:",
            paste=wording.outlet(name, source.outlet.urls),
        ),
    ]
    yield Reason(Cause.FAILING, tuple(facts), tuple(mends))


def _missed(case: Case, source: Source) -> Iterator[Reason]:
    """Yield the holes that an article lies in or, its date unknown, may lie in."""
    holes = [one for one in source.windows if one.kind != "silence" and one.until]
    if case.dated:
        holes = [one for one in holes if _within(case.dated, one)]
    if not holes:
        return
    name, last = source.outlet.name, holes[-_WINDOWS:]
    facts = [_hole(case, name, one) for one in last]
    if case.dated:
        facts.append(f"the article is of {case.dated.written}, and so within that")
    else:
        facts.append(
            "when the article was published is not known; with --published DATE "
            "only those are told that it may lie in"
        )
    says = "to read what it published then, if it still gives it:"
    mends = [saying.backfill(source.outlet, says, again=True)]
    if any(one.kind == "gap" for one in last):
        mends.append(
            Mend(
                f"to miss less of it, ask it more often, in {_line_of(name)}:",
                paste='interval = "10m"',
            )
        )
    yield Reason(Cause.MISSED, tuple(facts), tuple(mends))


def _hole(case: Case, name: str, hole: Window) -> str:
    since, until = saying.moment(hole.since, case), saying.moment(hole.until, case)
    if hole.kind == "failure":
        return f"{name} could not be read between {since} and {until}"
    return (
        f"between {since} and {until} entries of {name} may have come and gone unseen: "
        "nothing was left of what its feed listed before"
    )


def _within(dated: Span, hole: Window) -> bool:
    return dated.end >= hole.since and (hole.until is None or dated.start <= hole.until)


def _too_old(case: Case, source: Source) -> Iterator[Reason]:
    """Yield that an article is older than what is followed, or than what is kept."""
    if case.dated is None:
        return
    written, name = case.dated.written, source.outlet.name
    since, kept = source.since, case.now - case.history
    if since and case.dated.end < since:
        earlier = (
            f"{name} is followed since {saying.day(since, case)}",
            f"the article is of {written}, and no feed listed it any more by then",
        )
        says = "to read what it published before:"
        yield Reason(Cause.EARLIER, earlier, (saying.backfill(source.outlet, says),))
    elif case.dated.end < kept:
        facts = (
            f"the article is of {written}; it may have been read, and dropped since",
            f"no line finding it, a text stays {_history(case)} after it left its feed",
        )
        yield Reason(Cause.FORGOTTEN, facts, _kept_longer(case))


def _never_listed(case: Case) -> Reason:
    """Return that outlets were read without a gap, and it never came."""
    facts = []
    for source in case.sources[:_OUTLETS]:
        read = [line.last_success for line in source.lines if line.last_success]
        since = f" since {saying.day(source.since, case)}" if source.since else ""
        last = saying.moment(max(read, default=None), case)
        facts.append(f"{source.outlet.name} is followed{since}, last read on {last}")
    more = len(case.sources) - _OUTLETS
    if more > 0:
        facts.append(f"and {more} more outlets at the same host")
    facts.append("no feed listed it, and no gap is known in which it may have come")
    own = case.sources[0].outlet
    says = (
        f"if another feed of {own.name} carries it, put its address beside the others, "
        "in feeds.toml under [outlets]:"
    )
    line = wording.outlet(own.name, [*own.urls, "https://…"])
    return Reason(Cause.NEVER_LISTED, tuple(facts), (Mend(says, paste=line),))


def _line_of(name: str) -> str:
    return f"the line of {wording.quoted(name)} in feeds.toml"


def _add(case: Case, outlet: str) -> Mend:
    table = wording.addition(
        case.url,
        outlet,
        [saying.main_topic(case)],
        day=case.dated.written if case.dated else "",
    )
    says = (
        f'to publish it all the same, fill in what is "" and append to {case.curation}:'
    )
    return Mend(says, paste=table)
