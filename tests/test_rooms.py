"""The rooms of the package: who may import whom, and which library lives where."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "aggregator"

# From the ground up: a room imports only from floors below its own.
FLOORS = (
    {"", "model", "identity", "languages", "durable"},
    {
        "text",
        "urls",
        "lock",
        "clock",
        "systemd",
        "spool",
        "wording",
        "fault",
        "manuscript",
        "halt",
    },
    {"fts", "decisions", "pace", "sandbox", "fetch", "parse", "sources", "recognition"},
    {"query", "sieve", "stories", "health", "article", "robots", "ways"},
    {"match"},
    {"why", "config", "sift", "weigh", "permit"},
    {"store"},
    {
        "curation",
        "poll",
        "read",
        "follow",
        "knock",
        "older",
        "publish",
        "nursery",
        "kept",
    },
    {"engine", "desk", "rules", "notebook", "roster", "begin"},
    {"watch", "wave", "ask", "append", "hubs", "offers", "checkup", "adopt", "listed"},
    {"recover"},
    {"bulletin", "lookup", "discover"},
    {"run", "serve", "rehearse", "backfill", "exchange"},
    {"worker"},
    {"demo"},
    {"cli"},
    {"__main__"},
)
# Each library has one room; sqlite3 has two: the database's and the matcher's index.
HOMES = {
    "requests": {"fetch"},
    "tomlkit": {"roster"},
    "urllib3": {"fetch"},
    "feedparser": {"parse"},
    "feedgen": {"publish"},
    "apscheduler": {"worker"},
    "dask": {"engine"},
    "distributed": {"engine"},
    "sqlite_utils": {"store"},
    "sqlite3": {"store", "fts"},
    "click": {"cli"},
    "jinja2": {"publish"},
    "babel": {"publish"},
    "ftfy": {"text"},
    "trafilatura": {"article"},
    "protego": {"robots"},
    "whitenoise": {"serve"},
}


def rooms() -> list[Path]:
    """Return every source file of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """Return the room a file belongs to: its module or, in a package, the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            name = node.module or ""
            yield from (f"{name}.{alias.name}" for alias in node.names)


def floor(name: str) -> int:
    """Return the floor of a room; every room has one."""
    found = [number for number, names in enumerate(FLOORS) if name in names]
    assert len(found) == 1, f"room {name!r} needs one floor in FLOORS"
    return found[0]


@pytest.mark.parametrize("path", rooms(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    """A room imports only rooms of lower floors, or parts of itself."""
    own = room(path)
    for name in imported(path):
        if name.split(".")[0] != "aggregator":
            continue
        parts = name.split(".")[1:]
        other = parts[0] if parts and is_room(parts[0]) else ""

        assert other in (own, "") or floor(other) < floor(own), f"{own} → {other}"


def is_room(name: str) -> bool:
    """Tell whether the package has a module or a subpackage of this name."""
    return (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()


@pytest.mark.parametrize("path", rooms(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_stays_in_its_room(path: Path) -> None:
    """feedparser, requests, feedgen, SQL and the like are each imported in one room."""
    for name in imported(path):
        homes = HOMES.get(name.split(".")[0])

        assert homes is None or room(path) in homes, f"{room(path)} imports {name}"


def test_every_home_is_lived_in() -> None:
    """Each library named above is really imported where it may be."""
    used = {name.split(".")[0] for path in rooms() for name in imported(path)}

    assert set(HOMES) <= used


@pytest.mark.parametrize("path", rooms(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_room_says_what_it_is_for(path: Path) -> None:
    """Every module begins with a docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    assert docstring


@pytest.mark.parametrize("path", rooms(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_room_has_grown_into_a_house(path: Path) -> None:
    """A module that needs more than 400 lines is more than one room."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
