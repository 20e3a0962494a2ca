"""The languages of pages: a translation file each, `fr.po`, named after its language.

A file put here is all that a language needs. Says which there are and where; reading
them is `publish`'s.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

_ENDING = ".po"


def languages() -> tuple[str, ...]:
    """Return the names of all languages that have a file, « fr » or « pt-BR »."""
    names = (file.name for file in files(__name__).iterdir())
    found = (name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING))
    return tuple(sorted(found))


def catalogue(language: str) -> Traversable | None:
    """Return the file of a language, else that of its first part, else None."""
    wanted = language.replace("_", "-").casefold()
    named = {known.casefold(): known for known in languages()}
    found = named.get(wanted) or named.get(wanted.partition("-")[0])
    return files(__name__) / f"{found}{_ENDING}" if found else None
