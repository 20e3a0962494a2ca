"""The database: the only package with SQL on it, and the only one that writes it.

`base` opens it, `schema` migrates it, `polls` keeps feeds and entries, `history` finds
entries by their words, `rules` knows by which rules they were matched, `tales` keeps
stories, `books` answers what commands ask, `copies` copies it whole. One process writes
at a time; readers never wait (WAL). Times are whole epoch seconds in UTC, lists are
JSON.
"""

from aggregator.store.base import Store

__all__ = ["Store"]
