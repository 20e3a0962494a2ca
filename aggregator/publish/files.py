"""The published folder on disk: changed files only, each replaced in one step.

Knows names and bytes, nothing of what they mean. The caller holds the cycle lock, so
there is one writer at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from aggregator.model import AggregatorError

_PARTIAL = ".partial"


def write(
    folder: Path, documents: Mapping[str, bytes], earlier: Iterable[str] = ()
) -> tuple[str, ...]:
    """Write what differs from the disk; return the names written, in that order.

    earlier: names written before; those that are no documents any longer are removed,
    so that what was hidden is not left on a page without other stories. A reader sees
    the old document or the new one, never a half. A file with equal bytes is not
    touched, files of others are left alone, and what a killed run left half-written is
    removed. Raises AggregatorError when the folder cannot be written.
    """
    written: list[str] = []
    changed: set[Path] = set()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        for name, body in documents.items():
            path = _inside(folder, name)
            if _holds(path, body):
                continue
            changed |= _make_folder(path.parent)
            _replace(path, body)
            changed.add(path.parent)
            written.append(name)
        for name in earlier:
            if name not in documents:
                _remove(_inside(folder, name), folder)
        _sync(changed)
    except OSError as exc:
        where = exc.filename or folder
        reason = (exc.strerror or str(exc)).lower()
        raise AggregatorError(f"{where}: cannot be written ({reason})") from exc
    return tuple(written)


def _sweep(folder: Path) -> None:
    for leftover in folder.rglob(f".*{_PARTIAL}"):
        leftover.unlink(missing_ok=True)


def _remove(path: Path, folder: Path) -> None:
    """Remove a document, and the folders inside `folder` that it leaves empty."""
    path.unlink(missing_ok=True)
    for parent in path.parents:
        if parent == folder or not parent.is_dir() or any(parent.iterdir()):
            return
        parent.rmdir()


def _inside(folder: Path, name: str) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise AggregatorError(f"{name!r}: not a name inside the published folder")
    return folder / path


def _holds(path: Path, body: bytes) -> bool:
    try:
        return path.stat().st_size == len(body) and path.read_bytes() == body
    except FileNotFoundError:
        return False


def _make_folder(folder: Path) -> set[Path]:
    """Make the folder; return the ones whose listing changed by it."""
    changed: set[Path] = set()
    missing = folder
    while not missing.exists():
        missing = missing.parent
        changed.add(missing)
    folder.mkdir(parents=True, exist_ok=True)
    return changed


def _replace(path: Path, body: bytes) -> None:
    partial = path.with_name(f".{path.name}{_PARTIAL}")
    try:
        with partial.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _sync(folders: Iterable[Path]) -> None:
    """Make the renames themselves last (fsync(2): a new name needs its folder's)."""
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
