"""A new folder to begin with: the maintainer's two files, from commented templates.

The templates stand beside this module, a pair for each language that has one; whatever
is filled into them was validated by `config`. No terminal and no clock may enter.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from aggregator import wording
from aggregator.model import AggregatorError
from aggregator.publish import write

CONFIGURATION = "feeds.toml"
LANGUAGES = ("fr", "en")
"""Those that there are templates in; the first one is the default."""

_PLACE = re.compile(r"\{(\w+)\}")
# Made by the program, by its default names; everything else is worth a version.
_IGNORED = "/aggregator.db*\n/public/\n/desk/\n"


@dataclass(frozen=True, slots=True)
class First:
    """What a new feeds.toml says of its site; the values as `config` reads them.

    language: of LANGUAGES. id: stands there from the first day, so that another `url`
    changes no published id.
    """

    title: str
    url: str
    contact: str
    language: str
    id: str


def refuse_begun(folder: Path) -> None:
    """Raise AggregatorError where a folder cannot be begun in, with nothing changed."""
    if os.path.lexists(folder / CONFIGURATION):
        raise AggregatorError(
            f"{folder / CONFIGURATION} is there already; nothing was changed: "
            "edit it, or name another folder"
        )
    if os.path.lexists(folder) and not folder.is_dir():
        raise AggregatorError(f"{folder} is no folder; nothing was changed")


def begin(folder: Path, first: First) -> tuple[str, ...]:
    """Make the files of a new folder; return the names of those that are new.

    A folder that is not there appears whole, or not at all. In one that is there, all
    files stay as they are, a curation.toml and a .gitignore too; feeds.toml comes last,
    so that what was interrupted can be done again. Raises AggregatorError as
    `refuse_begun`, and when the folder cannot be written.
    """
    refuse_begun(folder)
    made = documents(first)
    there = folder.is_dir()
    partial = (folder if there else folder.parent) / f".{folder.name}.{os.getpid()}"
    try:
        write(partial, made.items())
        if not there:
            partial.rename(folder)
            return tuple(made)
        new = [name for name in made if not os.path.lexists(folder / name)]
        for name in new:
            (partial / name).rename(folder / name)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise AggregatorError(f"{folder}: cannot be made: {reason}") from exc
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return tuple(new)


def documents(first: First) -> dict[str, bytes]:
    """Return the files of a new folder by name, feeds.toml last."""
    values = {name: wording.quoted(text) for name, text in asdict(first).items()}
    return {
        ".gitignore": _IGNORED.encode(),
        "curation.toml": _template("curation", first.language).encode(),
        CONFIGURATION: _filled(_template("feeds", first.language), values).encode(),
    }


def _template(name: str, language: str) -> str:
    return (files(__name__) / f"{name}.{language}.toml").read_text("utf-8")


def _filled(template: str, values: Mapping[str, str]) -> str:
    # In one pass: a title may hold what looks like a place.
    return _PLACE.sub(lambda found: values[found[1]], template)
