"""An article that the database has: where it stands, and why. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from aggregator import wording
from aggregator.match import match
from aggregator.model import (
    Action,
    Decision,
    Evidence,
    Mention,
    Outlet,
    State,
    Topic,
)
from aggregator.urls import canonical
from aggregator.why import saying
from aggregator.why.nearest import Key, Texts, hits, nearest
from aggregator.why.values import Case, Cause, Mend, Reason, Tale, Trace


def present(case: Case) -> tuple[Reason, ...]:
    """Return why an article with at least one trace is where it is."""
    tale = case.tale
    read, followed = case.traces[0].page, case.traces[0].link
    known = (
        *((saying.link(followed, case),) if followed else ()),
        *((saying.page(read, case),) if read else ()),
    )
    if tale is None:
        unfound = _unfound(case)
        return (replace(unfound, facts=(*unfound.facts, *known)),)
    tell = _TELLERS[tale.story.state]
    reasons = [*_joined(case, tale), tell(case, tale)]
    reasons[-1] = replace(reasons[-1], facts=(*reasons[-1].facts, *known))
    if tale.state is not tale.story.state:
        what = "this follows from your two files, and not from the last cycle yet"
        mend = Mend("to carry it out now:", run="aggregator publish")
        last = reasons[-1]
        reasons[-1] = Reason(
            last.cause,
            (*last.facts, what),
            (mend, *last.mends),
            last.nearest,
            last.places,
        )
    return tuple(reasons)


# ── it is a story ─────────────────────────────────────────────────────────────────────


def _joined(case: Case, tale: Tale) -> Iterator[Reason]:
    """Yield that what was asked for is told under another article's title."""
    if not case.url or not tale.reason:
        return
    if canonical(tale.story.url) == canonical(case.url):
        return
    story = tale.story
    day = saying.day(story.published_at, case)
    facts = [
        f"told as a copy of « {story.title} » ({story.outlet}, {day}, {story.short})",
        f"joined to it because: {tale.reason}",
    ]
    trace = case.traces[0]
    # by the link it came with: where that leads may be the address of both
    url = trace.link.url if trace.link else trace.entry.url
    split = Decision(Action.SPLIT, (url,))
    table = wording.decision(split, case.timezone)
    says = f"to part them, append to {case.curation}"
    yield Reason(Cause.JOINED, tuple(facts), (Mend(f"{says}:", paste=table),))


def _published(case: Case, tale: Tale) -> Reason:
    story = tale.story
    titles = [topic for topic in case.topics if topic.id in story.topics]
    added = f", added on {saying.day(story.added_at, case)}" if story.added_at else ""
    facts = [
        f"published under {_names(titles)}{added}",
        *_evidence(case, tale),
        *_decided(case, tale),
    ]
    if any(topic.main for topic in titles):
        return Reason(Cause.PUBLISHED, tuple(facts), (), None, tale.places)
    facts.append(
        f"{_names(titles)}: watched only (main = false), so neither on the front page "
        "nor in its feed"
    )
    first = titles[0].id if titles else ""
    mends = [
        Mend(
            "to have all its articles on the front page, in feeds.toml under the topic "
            f"{first}:",
            paste="main = true",
        )
    ]
    if main := next((topic.id for topic in case.topics if topic.main), ""):
        mends.append(saying.retag(story, main, "to have this one there:"))
    return Reason(Cause.WATCHED, tuple(facts), tuple(mends), None, tale.places)


def _waiting(case: Case, tale: Tale) -> Reason:
    facts = (
        "waits for your decision, and is not published until then",
        *_evidence(case, tale),
        *_decided(case, tale),
    )
    mends = (
        Mend("to decide by one key:", run="aggregator review"),
        saying.keep(tale.story, "or, to publish it:"),
    )
    return Reason(Cause.WAITING, facts, mends)


def _hidden(case: Case, tale: Tale) -> Reason:
    hiding = [told for told in tale.decided if told[1].action is Action.HIDE]
    place, decided = hiding[-1]
    facts = (
        f"hidden by {saying.decision(place, decided, case)}",
        *_evidence(case, tale),
    )
    undo = f"{wording.command(Action.HIDE, tale.story.short)} --undo"
    mends = (
        saying.keep(tale.story, "to publish it, both decisions standing:"),
        Mend(f"or, to take decision[{place}] out:", run=undo),
    )
    return Reason(Cause.HIDDEN, facts, mends)


def _suppressed(case: Case, tale: Tale) -> Reason:
    if not tale.story.topics:
        return _withdrawn(case, tale)
    against = [one for one in tale.story.evidence if _against(one, case.topics)]
    lines = [
        f"topic {one.topic}: a line of never set it aside: {one.line}"
        if one in against
        else f"topic {one.topic}: its article was read in full, and no line of match "
        "holds (page read)"
        for one in tale.story.evidence
    ]
    found = [
        f"found by a line of review: {hit.line}"
        for hit in hits(_texts(case.traces[0]), _of(case.topics, tale.story.topics))
        if hit.key == "review"
    ]
    keep = saying.keep(tale.story, "to publish this one:")
    narrow = Mend(
        "for all like it: narrow that line of never in feeds.toml, or take it out; "
        "`aggregator review --suppressed` shows what else such lines set aside"
        if against
        else "for all like it: add a line of match that such articles satisfy"
    )
    facts = (*lines, *_snippets(tale.story.evidence), *found, *_decided(case, tale))
    return Reason(Cause.SUPPRESSED, facts, (keep, narrow))


def _withdrawn(case: Case, tale: Tale) -> Reason:
    story = tale.story
    since = saying.moment(story.withdrawn_at, case)
    was = f"was published, and withdrawn on {since}: " if story.withdrawn_at else ""
    near = nearest(_texts(case.traces[0]), case.topics)
    facts = (
        f"{was}no line of feeds.toml and no decision speaks for it any longer",
        *(saying.near(near) if near else ()),
        *_decided(case, tale),
    )
    again = "to publish it again:"
    retag = saying.retag(story, saying.main_topic(case), again)
    keep = saying.keep(story, again) if story.topics else retag
    return Reason(Cause.WITHDRAWN, facts, (keep,), nearest=near)


_TELLERS: dict[State, Callable[[Case, Tale], Reason]] = {
    State.PUBLISHED: _published,
    State.WAITING: _waiting,
    State.HIDDEN: _hidden,
    State.SUPPRESSED: _suppressed,
    State.WITHDRAWN: _withdrawn,
}


def _evidence(case: Case, tale: Tale) -> Iterator[str]:
    """Yield which line found it for each topic, and what speaks against it."""
    texts = _texts(case.traces[0])
    for one in tale.story.evidence:
        if not one.line:
            rule = "by hand" if one.certain else "whatever this outlet publishes"
            yield f"topic {one.topic}: {rule}"
            continue
        key = _key(one, case.topics)
        yield f"topic {one.topic}, found by a line of {key}: {one.line}"
        if key == "match" and not one.certain:
            topics = _of(case.topics, [one.topic])
            against = (h.line for h in hits(texts, topics) if h.key == "never")
            yield from (
                f"a line of never speaks against it: {line}" for line in against
            )
    yield from _snippets(tale.story.evidence)


def _key(evidence: Evidence, topics: Sequence[Topic]) -> Key:
    own = next(iter(_of(topics, [evidence.topic])), None)
    matching = own is not None and evidence.line in [query.text for query in own.match]
    return "match" if matching or evidence.certain else "review"


def _against(evidence: Evidence, topics: Sequence[Topic]) -> bool:
    """Tell whether a line of never set it aside, not its article."""
    return any(
        evidence.line == query.text
        for topic in _of(topics, [evidence.topic])
        for query in topic.never
    )


def _snippets(evidence: Sequence[Evidence]) -> Iterator[str]:
    return (saying.marked(one.snippet) for one in evidence if one.snippet)


def _decided(case: Case, tale: Tale) -> Iterator[str]:
    return (saying.decision(place, one, case) for place, one in tale.decided)


# ── it is none ────────────────────────────────────────────────────────────────────────


def _unfound(case: Case) -> Reason:
    """Return why an entry belongs to no story."""
    if any(trace.mentions for trace in case.traces):
        fact = "found, but not joined into a story yet: a cycle was cut off"
        return Reason(
            Cause.UNPLACED, (fact,), (Mend("to do that:", run="aggregator publish"),)
        )
    trace = case.traces[0]
    outlet = next(
        (outlet for outlet in case.outlets if outlet.name == trace.outlet),
        Outlet(trace.outlet, ()),
    )
    now = match([trace.entry], case.topics, outlet)
    if now:
        return _edited(case, trace, now[0])
    asked = _of(case.topics, outlet.topics)
    left = [topic for topic in case.topics if topic not in asked]
    if found := [hit for hit in hits(_texts(trace), left) if hit.key != "never"]:
        hit = found[0]
        left_out = (
            f"topic {hit.topic} would find it, by its line of {hit.key}: {hit.line}",
            f"but outlets.{wording.quoted(outlet.name)}.topics leaves that topic out",
        )
        mend = Mend(
            f"add {wording.quoted(hit.topic)} to topics in its line of [outlets]"
        )
        return Reason(Cause.LEFT_OUT, left_out, (mend, _add(case, trace, hit.topic)))
    return _no_line(case, trace, asked)


def _edited(case: Case, trace: Trace, now: Mention) -> Reason:
    facts = (
        "no line found it when it was read, but one of today does",
        f"topic {now.topic}: {now.line or 'whatever this outlet publishes'}",
    )
    mend = Mend("to apply what was edited:", run="aggregator publish")
    return Reason(Cause.EDITED, facts, (mend, _add(case, trace, now.topic)))


def _no_line(case: Case, trace: Trace, topics: Sequence[Topic]) -> Reason:
    near = nearest(_texts(trace), topics)
    facts = ("no line of feeds.toml finds it", *(saying.near(near) if near else ()))
    topic = near.topic if near else saying.main_topic(case)
    mends = [_add(case, trace, topic)]
    if near:
        mends.append(
            Mend(
                f"for all like it: a line under topic {near.topic} of feeds.toml that "
                f"does without {', '.join(near.missing)}"
            )
        )
    return Reason(Cause.NO_LINE, facts, tuple(mends), near)


def _add(case: Case, trace: Trace, topic: str) -> Mend:
    """Return the decision that publishes an entry which is no story."""
    entry = trace.entry
    table = wording.addition(
        entry.url,
        trace.outlet,
        [topic],
        title=entry.title,
        day=saying.day(trace.dated_at, case),
    )
    return Mend(f"to publish this one, append to {case.curation}:", paste=table)


def _texts(trace: Trace) -> Texts:
    entry = trace.entry
    return entry.title, entry.summary, entry.content


def _of(topics: Sequence[Topic], names: Sequence[str] | None) -> list[Topic]:
    """Return the topics with these ids; all of them for None."""
    return [topic for topic in topics if names is None or topic.id in names]


def _names(topics: Sequence[Topic]) -> str:
    return ", ".join(topic.id for topic in topics)
