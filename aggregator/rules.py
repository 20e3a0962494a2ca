"""Edited rules, applied to the history as if they had always been these.

What the topics' lines and the outlets' `topics`, `always` and `review` were when the
history was last matched is remembered. Only what an edit touches is matched anew: the
index of the history says which entries a line may find. Nothing here places, publishes
or polls; `run` does that with the mentions it leaves.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aggregator.fts import headline
from aggregator.match import doubted, match
from aggregator.model import Config, Entry, Mention, Outlet, Topic
from aggregator.store import Store, entries
from aggregator.store import rules as remembered
from aggregator.weigh import weigh

_NO_RULE = ""  # of a feed whose outlet has no key of its own
_UNKNOWN = Outlet("unknown", ())  # whose feed was dropped before the database was lost


@dataclass(frozen=True, slots=True)
class _Edit:
    """What is other than it was. feeds: by URL, the topics that their edit concerns."""

    topics: tuple[Topic, ...]
    gone: tuple[str, ...]
    feeds: Mapping[str, frozenset[str]]

    def __bool__(self) -> bool:
        return bool(self.topics or self.gone or self.feeds)


def apply(store: Store, config: Config) -> frozenset[str]:
    """Have the mentions follow what was edited; return the topics that it concerns.

    All of it in one transaction; what is concerned stays marked in the database until
    the stories were settled anew. Of an outlet that is no longer in feeds.toml the last
    rule holds: removing it withdraws nothing.
    """
    asked = {topic.id: _lines(topic) for topic in config.topics}
    outlets = {feed.url: _keys(feed.outlet) for feed in config.feeds}
    before = remembered.known(store, "feed")
    lines = remembered.known(store, "topic")
    edit = _edit(config, asked, outlets, before, lines)
    if not edit:
        return frozenset()
    treated = {url: _outlet(rule) for url, rule in {**before, **outlets}.items()}
    with store.transaction():
        for topic in edit.gone:
            remembered.drop(store, topic)
        for asker in edit.topics:
            takers = [u for u, o in treated.items() if asker.id in o.always + o.review]
            found = _touched(store, asker, lines.get(asker.id, ""), takers)
            _match(store, found, [asker], treated)
        for url, concerned in edit.feeds.items():
            topics = [topic for topic in config.topics if topic.id in concerned]
            if topics:
                _match(store, remembered.of_feeds(store, [url]), topics, treated)
        remembered.remember(store, "topic", asked)
        remembered.remember(store, "feed", {url: outlets[url] for url in edit.feeds})
        edited = frozenset(topic.id for topic in edit.topics)
        edited = edited.union(edit.gone, *edit.feeds.values())
        remembered.mark(store, remembered.marked(store) | edited)
    return edited


def revisit(store: Store, config: Config, ids: Iterable[int]) -> None:
    """Have entries of feeds that came by another way mention what the rules say.

    Inside a transaction.
    """
    outlets = {feed.url: _keys(feed.outlet) for feed in config.feeds}
    rules = {**remembered.known(store, "feed"), **outlets}
    treated = {url: _outlet(rule) for url, rule in rules.items()}
    _match(store, ids, config.topics, treated)


def _edit(
    config: Config,
    asked: Mapping[str, str],
    outlets: Mapping[str, str],
    before: Mapping[str, str],
    topics: Mapping[str, str],
) -> _Edit:
    """Return what differs. before, topics: the rules of feeds and topics as applied."""
    ids = frozenset(asked)
    return _Edit(
        topics=tuple(t for t in config.topics if topics.get(t.id) != asked[t.id]),
        gone=tuple(sorted(topics.keys() - ids)),
        feeds={
            url: _concerned(_outlet(before.get(url, _NO_RULE)), _outlet(rule), ids)
            for url, rule in outlets.items()
            if before.get(url, _NO_RULE) != rule
        },
    )


def _concerned(one: Outlet, other: Outlet, topics: frozenset[str]) -> frozenset[str]:
    """Return the topics that two rules of an outlet treat otherwise."""

    def wanted(outlet: Outlet) -> frozenset[str]:
        return topics if outlet.topics is None else topics & {*outlet.topics}

    return frozenset(
        (wanted(one) ^ wanted(other))
        | ({*one.always} ^ {*other.always})
        | ({*one.review} ^ {*other.review})
    )


def _lines(topic: Topic) -> str:
    """Return all that matching takes from a topic, as text."""
    keys = (topic.match, topic.review, topic.never)
    return json.dumps([[(q.text, q.expression) for q in lines] for lines in keys])


def _keys(outlet: Outlet) -> str:
    """Return all that matching takes from an outlet, as text; "" for nothing."""
    keys = (outlet.topics, outlet.always, outlet.review)
    return _NO_RULE if keys == (None, (), ()) else json.dumps(keys)


def _outlet(rule: str) -> Outlet:
    """Return an outlet without name, of which `_keys` makes that text."""
    if rule == _NO_RULE:
        return Outlet("", ())
    topics, always, review = json.loads(rule)
    return Outlet(
        "",
        (),
        topics=None if topics is None else tuple(topics),
        always=tuple(always),
        review=tuple(review),
    )


# ── matching anew ─────────────────────────────────────────────────────────────────────


def _touched(
    store: Store, topic: Topic, before: str, takers: Iterable[str]
) -> set[int]:
    """Return the entries of which a topic may say something else than before.

    before: its lines as applied, "" for none. takers: the feeds whose every entry is
    its. Where no line changed its place, what only unchanged lines find is left alone.
    """
    if not before:
        return remembered.touched(store, topic, takers)
    old, new = _by_key(before), _by_key(_lines(topic))
    if any(_reordered(*lines) for lines in zip(old, new, strict=True)):
        return remembered.touched(store, topic, takers)
    match, review, never = ({*a} ^ {*b} for a, b in zip(old, new, strict=True))
    found = {*match, *((text, headline(expression)) for text, expression in review)}
    touched = set().union(*(remembered.finds(store, line) for _, line in found))
    said = remembered.said(store, topic.id)
    for _, expression in never:
        touched |= said.keys() & remembered.finds(store, headline(expression))
    edited = {text for text, _ in found}
    return touched | {entry for entry, line in said.items() if line in edited}


def _by_key(lines: str) -> list[list[tuple[str, str]]]:
    """Return the lines of match, review and never, each with its expression."""
    return [[(text, found) for text, found in its] for its in json.loads(lines)]


def _reordered(old: Sequence[object], new: Sequence[object]) -> bool:
    """Tell whether lines that stay have changed places: the first one is evidence."""
    return [one for one in old if one in new] != [one for one in new if one in old]


def _match(
    store: Store,
    ids: Iterable[int],
    topics: Sequence[Topic],
    treated: Mapping[str, Outlet],
) -> None:
    """Have the mentions that entries make of `topics` be what the rules say now."""
    by_id = {topic.id: topic for topic in topics}
    for chunk in remembered.read(store, ids):
        alike: defaultdict[tuple[Outlet, str, bool], list[Entry]] = defaultdict(list)
        for kept in chunk:
            unknown = _UNKNOWN if kept.recovered else _outlet(_NO_RULE)
            outlet = treated.get(kept.feed_url, unknown)
            partial = kept.recovered
            alike[outlet, kept.page, partial].append(kept.entry)
        for (outlet, page, partial), its in alike.items():
            found = {(m.entry, m.topic): m for m in _said(its, topics, outlet, page)}
            said = {
                (mention.entry, mention.topic): mention
                for mentions in entries.mentions(store, [e.id for e in its]).values()
                for mention in mentions
                if mention.topic in by_id
            }
            new = [
                one
                for key, one in found.items()
                if said.get(key) != one and not (partial and key in said)
            ]
            entries.mentioned(store, new)
            lost = [
                one
                for key, one in said.items()
                if key not in found
                and not _stands(one, by_id[one.topic], outlet)
                and not (partial and _believed(one, by_id[one.topic], outlet))
            ]
            entries.unmentioned(store, lost)


def _said(
    its: Sequence[Entry], topics: Sequence[Topic], outlet: Outlet, page: str
) -> tuple[Mention, ...]:
    """Return what entries say, as far as the page of their article was read."""
    if page == "untitled":
        return doubted(match(its, topics, outlet))
    if page:
        return weigh(its, topics, outlet, whole=page == "full")
    return match(its, topics, outlet)


def _stands(mention: Mention, topic: Topic, outlet: Outlet) -> bool:
    """Tell whether a mention stays that the words of its entry no longer make.

    The outlet has edited them since: what a line found once stays while the line does.
    """
    if outlet.topics is not None and topic.id not in outlet.topics:
        return False
    lines = {"match": topic.match, "review": topic.review}.get(mention.rule, ())
    return mention.line in {query.text for query in lines}


def _believed(mention: Mention, topic: Topic, outlet: Outlet) -> bool:
    """Tell whether a mention stays of which neither words nor outlet are known whole.

    So does what a `never` line set aside, and what an outlet that is followed no longer
    was trusted with.
    """
    if mention.rule == "never":
        return mention.line in {query.text for query in topic.never}
    return not mention.line and outlet == _UNKNOWN
