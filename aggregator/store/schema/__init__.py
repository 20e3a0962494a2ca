"""The shape of the database, as migrations in order: `first`, then `later`.

A released migration is never changed: a new one is added below it. Ids are hashes (see
`identity`), never counters, so that a run done again ends in the same rows.
"""

from aggregator.store.schema import later as _later  # noqa: F401 - they are added
from aggregator.store.schema.first import migrations

__all__ = ["migrations"]
