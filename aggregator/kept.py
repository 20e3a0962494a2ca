"""feeds.toml as it was read last: kept in the database under the digest of its bytes.

A file that is not changed is neither parsed nor validated again, which takes seconds
where it names a hundred thousand outlets. Whoever has to say what is wrong with it, or
edits it, reads it by `config` itself.
"""

from __future__ import annotations

from pathlib import Path

from aggregator import config as configuration
from aggregator.model import Config
from aggregator.store import Store, configurations


def read(path: Path) -> Config:
    """Return the configuration in the file `path`, as `config.read` does.

    Raises ConfigError with every problem, a line each.
    """
    data = configuration.content(path)
    return _kept(data, path) or configuration.read_bytes(data, path)


def keep(store: Store, config: Config) -> None:
    """Keep what was read from a file, for those who ask next; else do nothing.

    One with a secret is read each time.
    """
    if not config.digest or configuration.kept.secret(config):
        return
    digest, place = config.digest, configuration.kept.place(config.source)
    if not configurations.holds(store, digest, place):
        text = configuration.kept.text(config)
        configurations.keep(store, digest, place, text)


def _kept(data: bytes, path: Path) -> Config | None:
    """Return what is kept of a file of these bytes; None where nothing is."""
    database = configuration.kept.database(data, path)
    digest, place = configuration.kept.digest(data), configuration.kept.place(path)
    text = configurations.known(database, digest, place)
    read = configuration.kept.config(text, path) if text else None
    if read is None or read.storage.database != database:
        return None
    return read.read_from(digest)
