"""Advice: query lines that are valid and yet find less than their author meant.

Pure. Nothing here keeps a file from being used: `check` shows it as a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from aggregator.model import Config, Query, Topic
from aggregator.query import reads_articles, terms

# What French, English, Spanish, Italian and Portuguese join to a word with a dash, a
# space or nothing: a dash folds to a space, but nothing makes a word of two.
_JOINED = frozenset(
    """
    auto bio click co crowd cyber eco extra geo hyper infra inter intra macro mega micro
    mini multi nano neo para pluri pseudo semi socio super techno tele trans ultra
    """.split()
)


def advice(config: Config) -> tuple[str, ...]:
    """Return one line for each query line that should be written otherwise or twice."""
    return tuple(
        f"topics[{number}] '{topic.id}'.{line}"
        for number, topic in enumerate(config.topics, start=1)
        for line in (*_one_spelling(topic), *_unread_columns(topic))
    )


def _one_spelling(topic: Topic) -> Iterator[str]:
    """Yield the lines that look for « micro-x » where no line looks for « microx »."""
    for key, queries in _keys(topic):
        known = {term for query in queries for term in terms(query)}
        for number, query in enumerate(queries, start=1):
            for term, begins in terms(query):
                joined = term.replace(" ", "")
                if _compound(term) and not any(
                    joined == other or (more and joined.startswith(other))
                    for other, more in known
                ):
                    star = "*" if begins else ""
                    yield (
                        f"{key}[{number}]: {term}{star} does not find {joined}{star}; "
                        "if the press writes both, add that spelling"
                    )


def _unread_columns(topic: Topic) -> Iterator[str]:
    """Yield the lines that look at an article which their key never looks at."""
    for key, queries in _keys(topic):
        for number, query in enumerate(queries, start=1):
            if key != "match" and reads_articles(query):
                yield (
                    f"{key}[{number}]: {key} looks at title and summary only, so "
                    "article: finds nothing; write it under match, or without article:"
                )


def _compound(term: str) -> bool:
    first, _, last = term.partition(" ")
    return first in _JOINED and bool(last) and " " not in last


def _keys(topic: Topic) -> tuple[tuple[str, tuple[Query, ...]], ...]:
    return ("match", topic.match), ("review", topic.review), ("never", topic.never)
