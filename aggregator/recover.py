"""A lost database, made again from the published folder.

`stories.jsonl` is the archive: where the database holds nothing and the folder does,
the stories come back with their ids, dates and evidence before anything is polled or
published. A folder that cannot be read again is never written over.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from pathlib import Path

from aggregator import watch
from aggregator.desk import Desk
from aggregator.health import Followed
from aggregator.model import DataError, State, Story
from aggregator.publish import lines, tables
from aggregator.store import Store, recovery

# What publishing removes where it has nothing more to say; the other names stay.
_OURS = re.compile(
    r"\d{4}/index\.html|(topics/[^/]+/|all/)?archive/\d{4}-\d{2}\.atom"
    r"|topics/[^/]+/(index\.html|fragment\.html|feed\.(atom|rss|json))"
)


def recover(store: Store, desk: Desk, now: datetime) -> int | None:
    """Make an empty database again from what is published; None = nothing was lost.

    All of it in one transaction. Returns how many stories are published. Raises
    DataError when the folder is there, but not to be trusted; nothing is changed then.
    """
    if not recovery.empty(store):
        return None
    folder = desk.config.storage.output
    try:
        stories = _stories(folder)
        followed = _followed(folder)
    except DataError as exc:
        raise DataError(
            f"{exc}; the database {store.path} is empty and needs it: put a whole copy "
            f"of the file there, or move {folder} away to begin without it; nothing "
            "was changed"
        ) from exc
    if not stories and not followed:
        return None
    outlets = {feed.url: feed.outlet for feed in desk.config.feeds}
    with store.transaction():
        recovery.keep(store, stories, outlets, now)
        if followed:
            watch.resume(store, desk, followed, now)
        store.note("documents", "\n".join(_documents(folder)))
        store.note("recovered_at", str(int(now.timestamp())))
    return sum(story.state is State.PUBLISHED for story in stories)


def _stories(folder: Path) -> tuple[Story, ...]:
    """Return what the archive holds; () where nothing was ever published."""
    path = folder / "stories.jsonl"
    data = _bytes(path)
    if data is None:
        if (folder / "feed.atom").exists():
            raise DataError(f"{path}: not there, though feed.atom is")
        return ()
    try:
        stories = lines.read(data)
    except DataError as exc:
        raise DataError(f"{path}: {exc}") from exc
    known = {story.short for story in stories}
    if lost := [short for short in _listed(folder) if short not in known]:
        raise DataError(
            f"{path}: cut short: it lacks {len(lost)} of the stories of stories.csv "
            f"({lost[0]})"
        )
    return stories


def _listed(folder: Path) -> list[str]:
    """Return the stories that the table lists, which is written after the archive."""
    text = (_bytes(folder / "stories.csv") or b"").decode("utf-8-sig", "replace")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [row["story"] for row in rows if row.get("story")]


def _followed(folder: Path) -> tuple[Followed, ...]:
    """Return what the published table of outlets says; () where there is none."""
    path = folder / "outlets" / "outlets.csv"
    try:
        return tables.read_outlets(_bytes(path) or b"")
    except DataError as exc:
        raise DataError(f"{path}: {exc}") from exc


def _bytes(path: Path) -> bytes | None:
    """Return what stands in a file, None where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise DataError(f"{path}: cannot be read ({reason})") from exc


def _documents(folder: Path) -> list[str]:
    """Return the names of files that were published and may be so no longer."""
    names = (str(path.relative_to(folder)) for path in folder.rglob("*.*"))
    return sorted(name for name in names if _OURS.fullmatch(name))
