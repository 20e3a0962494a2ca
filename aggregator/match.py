"""Which entries mention which topics, how surely, and by what evidence.

Pure: one FTS5 index holds the entries of a call in which anything may be found, and
each line of feeds.toml that may find something is asked of it once. `poll` and the
second wave call it; the maintainer's decisions come later. Nothing that reads a file, a
clock or the network may enter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from aggregator.fts import COLUMNS, Index, Spans, TextColumn, headline
from aggregator.model import (
    Column,
    Entry,
    Mention,
    Outlet,
    Query,
    Rule,
    Topic,
    Verdict,
)
from aggregator.sieve import Chances, Sieve, positions
from aggregator.text import fold, fold_map, snippet

_PREPARED = 8  # sets of topics: one for most outlets, others for those that name some

_Texts = tuple[str, str, str]  # title, summary, article, as `fts.COLUMNS`
_Own = Literal["always", "review", ""]  # which key of the outlet names the topic


@dataclass(frozen=True, slots=True)
class Proof:
    """Where in a text words were found: see `Mention`, whose fields these are."""

    column: Column
    spans: Spans
    snippet: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of feeds.toml. expression: with the columns that its key looks at."""

    text: str
    expression: str


@dataclass(frozen=True, slots=True)
class _Ruling:
    """What a topic's rules say of an entry. line: None where the rule needs none."""

    verdict: Verdict
    rule: Rule
    line: _Line | None = None


@dataclass(frozen=True, slots=True)
class _Rules:
    """The lines of a topic, by its id."""

    topic: str
    match: tuple[_Line, ...]
    review: tuple[_Line, ...]
    never: tuple[_Line, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """An index, and which expressions have a chance in it."""

    index: Index
    chances: Chances

    def first(self, lines: Iterable[_Line]) -> dict[int, _Line]:
        """Return the positions that any line finds, each with the first of them."""
        found: dict[int, _Line] = {}
        for line in lines:
            if line.expression in self.chances:
                for position in self.index.find(line.expression):
                    found.setdefault(position, line)
        return found


def doubted(mentions: Iterable[Mention]) -> tuple[Mention, ...]:
    """Return mentions of entries that have no words of their own: none is certain.

    But for what the outlet is trusted with, whatever it says.
    """
    return tuple(
        replace(one, verdict=Verdict.DOUBTFUL)
        if one.verdict is Verdict.CERTAIN and one.rule != "always"
        else one
        for one in mentions
    )


def match(
    entries: Sequence[Entry], topics: Sequence[Topic], outlet: Outlet
) -> tuple[Mention, ...]:
    """Return what the entries of an outlet mention, by entry, then by topic.

    At most one mention for each entry and topic; its evidence is the first line in file
    order that speaks for the verdict, in the first of title, summary and article. Of
    the outlet's keys, `topics` comes first: what it leaves out is never looked for.
    """
    wanted = tuple(t for t in topics if outlet.topics is None or t.id in outlet.topics)
    rules, sieve = _prepared(wanted)
    rows = [*map(_row, map(_texts, entries))]
    chances = sieve.chances(rows)
    kept = positions(chances)
    if not (kept or outlet.always or outlet.review):
        return ()  # as nearly always; making an index takes half a millisecond
    with Index((rows[position] for position in kept), kept) as index:
        asked = _Asked(index, chances)
        ruled = [
            (position, order, ruling)
            for order, rule in enumerate(rules)
            for position, ruling in _rulings(rule, outlet, asked, len(entries))
        ]
        settled: defaultdict[_Line, set[int]] = defaultdict(set)
        for position, _, ruling in ruled:
            if ruling.line:
                settled[ruling.line].add(position)
        # Asked line by line: asking mention by mention took eight times as long.
        found = {
            line: index.spans(line.expression, places)
            for line, places in settled.items()
        }
    ruled.sort(key=lambda at: at[:2])
    return tuple(
        _mention(
            entries[position],
            wanted[order],
            ruling,
            found[ruling.line][position] if ruling.line else {},
        )
        for position, order, ruling in ruled
    )


def search(texts: Iterable[_Texts], query: Query) -> tuple[int, ...]:
    """Return the positions of the plain texts that satisfy `query`, ascending."""
    with Index(map(_row, texts)) as index:
        return tuple(index.find(query.expression))


def proofs(texts: Sequence[_Texts], query: Query) -> tuple[tuple[Proof, ...], ...]:
    """Return for each of the plain texts where the words of `query` stand in it.

    In the order of title, summary, article; () for one that does not satisfy it.
    """
    with Index(map(_row, texts)) as index:
        found = index.spans(query.expression, range(len(texts)))
    return tuple(
        tuple(_proof(row, at) for at in found.get(position, {}).items())
        for position, row in enumerate(texts)
    )


def _texts(entry: Entry) -> _Texts:
    return entry.title, entry.summary, entry.content


def _row(texts: _Texts) -> _Texts:
    title, summary, body = texts
    return fold(title), fold(summary), fold(body)


@lru_cache(_PREPARED)
def _prepared(topics: tuple[Topic, ...]) -> tuple[tuple[_Rules, ...], Sieve]:
    """Return the topics' lines, ready to be asked, and the sieve that goes before."""
    rules = tuple(
        _Rules(
            topic.id,
            tuple(_Line(query.text, query.expression) for query in topic.match),
            tuple(map(_headline, topic.review)),
            tuple(map(_headline, topic.never)),
        )
        for topic in topics
    )
    lines = (line for each in rules for line in each.match + each.review + each.never)
    return rules, Sieve(line.expression for line in lines)


def _rulings(
    rules: _Rules, outlet: Outlet, asked: _Asked, count: int
) -> Iterator[tuple[int, _Ruling]]:
    """Yield the positions, of `count`, that a topic rules upon, and its rulings."""
    match, review = asked.first(rules.match), asked.first(rules.review)
    found = match.keys() | review.keys()
    never = asked.first(rules.never) if found else {}
    own: _Own = ""
    if rules.topic in outlet.always:
        own = "always"
    elif rules.topic in outlet.review:
        own = "review"
    for at in range(count) if own else found:
        ruling = _ruling(own, match.get(at), review.get(at), never.get(at))
        if ruling:
            yield at, ruling


def _ruling(
    own: _Own, match: _Line | None, review: _Line | None, never: _Line | None
) -> _Ruling | None:
    """Return what follows from the outlet's own key and the first line found of each.

    The order of DESIGN.md §3; None: the topic has nothing to say.
    """
    if own == "always":
        return _Ruling(Verdict.CERTAIN, "always")
    if match:
        return _Ruling(Verdict.DOUBTFUL if never else Verdict.CERTAIN, "match", match)
    if own == "review" or (review and not never):
        return _Ruling(Verdict.DOUBTFUL, "review", review)
    return _Ruling(Verdict.SUPPRESSED, "never", never) if review else None


def _headline(query: Query) -> _Line:
    return _Line(query.text, headline(query.expression))


def _mention(
    entry: Entry, topic: Topic, ruling: _Ruling, found: dict[TextColumn, Spans]
) -> Mention:
    """Return the mention, with its evidence in the spelling of the outlet."""
    mention = Mention(entry.id, topic.id, ruling.verdict, ruling.rule)
    if ruling.line is None:
        return mention
    # a line never matches by nothing
    proof = _proof(_texts(entry), next(iter(found.items())))
    return replace(
        mention,
        line=ruling.line.text,
        column=proof.column,
        spans=proof.spans,
        snippet=proof.snippet,
    )


def _proof(texts: _Texts, found: tuple[TextColumn, Spans]) -> Proof:
    """Return what was found in one column of the folded texts, as it was spelt."""
    column, folded_spans = found
    text = dict(zip(COLUMNS, texts, strict=True))[column]
    folded = fold_map(text)
    spans = tuple(folded.span(start, end) for start, end in folded_spans)
    return Proof(column, spans, snippet(text, spans))
