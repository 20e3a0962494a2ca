"""A valid configuration as text, and back: what is kept so as not to read it again.

JSON of plain values, in columns where there are a hundred thousand of a kind. What
comes back is not validated anew, but for what lies outside the file: where links lead.
A text that somebody has damaged is as good as none.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from aggregator import __version__
from aggregator.model import (
    Columns,
    Config,
    Engine,
    Matching,
    Outlets,
    Polling,
    Query,
    Site,
    Storage,
    Topic,
)

_PRIVATE: Final = ("source", "database", "desk", "curation")
_DATABASE: Final = re.compile(rb"""(?m)^[ \t]*database[ \t]*=[ \t]*(["'])(.+?)\1""")
_USUAL: Final = b"aggregator.db"


def digest(data: bytes) -> str:
    """Return what stands for the bytes of a feeds.toml, as this program reads them."""
    hashed = blake2b(program().encode(), digest_size=16)
    hashed.update(data)
    return hashed.hexdigest()


@cache
def program() -> str:
    """Return what changes with this program, be it installed anew in one version."""
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    stats = [(file.name, file.stat()) for file in files]
    seen = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return blake2b(repr((__version__, seen)).encode(), digest_size=16).hexdigest()


def place(path: Path) -> str:
    """Return what the places hang on that the file `path` names: its own, and whose ~.

    Without it a text that was kept says nothing.
    """
    return f"{os.path.abspath(path)} {os.path.expanduser('~')}"  # noqa: PTH100, PTH111


def database(data: bytes, path: Path) -> Path:
    """Return where the database of a feeds.toml most likely is, from its bytes alone.

    Whoever finds a configuration there has to look whether it says so itself.
    """
    found = _DATABASE.search(data)
    written = (found[2] if found else _USUAL).decode("utf-8", "replace")
    place = path.absolute().parent / os.path.expanduser(written)  # noqa: PTH111
    return Path(os.path.abspath(place))  # noqa: PTH100


def exposed(output: Path, places: Mapping[str, Path]) -> Iterator[str]:
    """Yield which private places lie in the published folder, wherever links lead."""
    published = os.path.realpath(output)
    for name in _PRIVATE:
        if Path(os.path.realpath(places[name])).is_relative_to(published):
            yield name


def secret(config: Config) -> bool:
    """Tell whether a configuration holds what is to stand in no other file.

    The keys that outlets ask for in `headers`, and the heartbeat's address.
    """
    keys = Outlets.of(config.outlets).columns.keys.values()
    return bool(config.site.heartbeat) or any("headers" in its for its in keys)


def text(config: Config) -> str:
    """Return all that a configuration says."""
    columns = Outlets.of(config.outlets).columns
    said = {
        **{
            name: _plain(getattr(config, name))
            for name in ("site", "storage", "polling", "matching", "engine", "topics")
        },
        "names": columns.names,
        "urls": columns.urls,
        "keys": {
            place: {name: _plain(value) for name, value in its.items()}
            for place, its in columns.keys.items()
        },
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def config(kept: str, path: Path) -> Config | None:
    """Return the configuration of the file `path` that `text` made the text of.

    None where it is not to be used: it is damaged, or a link leads elsewhere by now.
    """
    try:
        said = json.loads(kept)
        keys = {int(place): _value(its) for place, its in said["keys"].items()}
        read = Config(
            source=Path(os.path.abspath(path)),  # noqa: PTH100 (resolve follows links)
            site=Site(**_value(said["site"])),
            storage=Storage(**_value(said["storage"])),
            polling=Polling(**_value(said["polling"])),
            matching=Matching(**_value(said["matching"])),
            engine=Engine(**_value(said["engine"])),
            topics=tuple(Topic(**_value(each)) for each in said["topics"]),
            outlets=Outlets(Columns(said["names"], said["urls"], keys)),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    storage = read.storage
    places = {"source": read.source, "database": storage.database}
    places |= {"desk": storage.desk, "curation": storage.curation}
    return None if any(exposed(storage.output, places)) else read


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a value as JSON holds it."""
    match value:
        case Query():
            return {"query": [value.text, value.expression]}
        case Path():
            return {"path": str(value)}
        case timedelta():
            return {"seconds": value.total_seconds()}
        case tuple():
            return [_plain(each) for each in value]
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value


def _value(raw: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what `_plain` made this of; of a dataclass, its values by name."""
    match raw:
        case {"query": [str(written), str(expression)]}:
            return Query(written, expression)
        case {"path": str(place)}:
            return Path(place)
        case {"seconds": int() | float() as length}:
            return timedelta(seconds=length)
        case dict():
            return {name: _value(each) for name, each in raw.items()}
        case list():
            return tuple(map(_value, raw))
        case _:
            return raw
