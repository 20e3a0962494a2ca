"""stories.csv and outlets.csv: the published folder as tables, for a spreadsheet.

UTF-8 with a byte order mark, commas, lines that end in CRLF (RFC 4180). A cell that a
spreadsheet would take for a formula begins with an apostrophe, as does one that began
with an apostrophe itself: `guarded` and `unguarded` are each other's opposite.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, get_args

from aggregator.health import Followed, Window
from aggregator.model import DataError, FeedKind, Site
from aggregator.publish.view import Shown, clean, plain, web
from aggregator.text import fold

_BOM = "\ufeff"
# OWASP, CSV injection; the wide forms count for a spreadsheet in Japanese.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠'")
_KINDS: Mapping[str, FeedKind] = {kind: kind for kind in get_args(FeedKind)}
_OPEN = ".."  # the end of a span that lasts, ISO 8601-2
# The csv module refuses cells over 131,072 characters, for all that read with it; a
# story with many copies may be longer.
csv.field_size_limit(10_000_000)
STORIES = (
    *("story", "published", "title", "outlet", "author", "url", "form", "detail"),
    *("language", "topics", "excerpt", "note", "also_in", "archived", "pinned"),
    *("found_by", "published_at", "added_at", "updated_at", "id", "permalink"),
)
RECORD = "data"  # the column that makes a table complete
_WINDOWS: Mapping[str, Literal["failure", "silence", "gap"]] = {
    "failures": "failure",
    "silences": "silence",
    "gaps": "gap",
}
OUTLETS = (
    *("outlet", "homepage", "language", "kind", "feeds", "since", "newest_at"),
    *_WINDOWS,
)


def stories(site: Site, published: Iterable[Shown]) -> bytes:
    """Return the table of all published stories, in their order.

    published: the day in the site's zone, or the month; the other times are UTC.
    """
    return _table(STORIES, (_story(site, one) for one in published))


def complete(
    site: Site, published: Iterable[Shown], records: Mapping[str, str]
) -> bytes:
    """Return the same with all there is to know of each story, then of those gone.

    records: every story as its line of stories.jsonl, by short id. It is the last cell
    of a row, so that a story can be made again from it.
    """
    left = dict(records)
    rows = [[*_story(site, one), left.pop(one.story.short)] for one in published]
    blank = [""] * (len(STORIES) - 1)
    rows += [[short, *blank, record] for short, record in left.items()]
    return _table((*STORIES, RECORD), rows)


def _story(site: Site, one: Shown) -> list[str]:
    return [
        one.story.short,
        one.date,
        one.name,
        one.outlet,
        one.author,
        one.url,
        one.form,
        one.detail,
        one.language,
        " ".join(topic.id for topic in one.topics),
        plain(one.excerpt),
        one.note,
        " ; ".join(f"{copy.outlet} {copy.url}".strip() for copy in one.others),
        one.archived,
        "yes" if one.story.pinned else "",
        " ; ".join(
            dict.fromkeys(clean(proof.line) for proof in one.evidence if proof.line)
        ),
        _instant(one.published_at),
        _instant(one.added_at),
        _instant(one.updated_at),
        one.id,
        site.url + one.permalink,
    ]


def outlets(followed: Iterable[Followed]) -> bytes:
    """Return the table of what is followed, by name; times are UTC."""
    ordered = sorted(followed, key=lambda one: (fold(one.name), one.name, one.homepage))
    return _table(OUTLETS, map(_outlet, ordered))


def _outlet(one: Followed) -> list[str]:
    kinds = {kind: None for url, kind in one.feeds if web(url)}
    return [
        clean(one.name),
        web(one.homepage),
        clean(one.language),
        " ".join(kinds),
        " ".join(url for url, _ in one.feeds if web(url)),
        _instant(one.since),
        _instant(one.newest_at),
        *(_spans(one.windows, kind) for kind in _WINDOWS.values()),
    ]


def _spans(windows: Iterable[Window], kind: str) -> str:
    return " ".join(
        f"{_instant(window.since)}/{_instant(window.until) or _OPEN}"
        for window in windows
        if window.kind == kind
    )


def read_outlets(data: bytes) -> tuple[Followed, ...]:
    """Return what a table of outlets says, as `outlets` wrote it.

    Raises DataError, whose text begins with the row, counted from 1.
    """
    found = []
    try:
        text = data.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        for place, row in enumerate(reader, 2):
            try:
                found.append(_followed({k: unguarded(row[k]) for k in OUTLETS}))
            except (KeyError, TypeError, ValueError, AttributeError) as exc:
                raise DataError(f"row {place} is not as it was written: {exc}") from exc
    except (UnicodeDecodeError, csv.Error) as exc:
        raise DataError(f"no table as it was written: {exc}") from exc
    return tuple(found)


def _followed(row: dict[str, str]) -> Followed:
    kind = _KINDS[row["kind"] or "feed"]
    windows = [
        Window(name, _at(start), None if end == _OPEN else _at(end))
        for column, name in _WINDOWS.items()
        for start, end in (span.split("/") for span in row[column].split())
    ]
    windows.sort(key=lambda window: window.since)
    return Followed(
        row["outlet"],
        row["homepage"],
        _at(row["since"]) if row["since"] else None,
        _at(row["newest_at"]) if row["newest_at"] else None,
        tuple(windows),
        row["language"],
        tuple((url, kind) for url in row["feeds"].split()),
    )


def guarded(cell: str) -> str:
    """Return the text as a cell that no spreadsheet calculates."""
    return f"'{cell}" if cell[:1] in _FORMULA else cell


def unguarded(cell: str) -> str:
    """Return the text of a cell; one that a person began with an apostrophe stays."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return (_BOM + text.getvalue()).encode("utf-8", "replace")


def _instant(at: datetime | None) -> str:
    """Return « 2020-02-14T08:00:00Z »; "" for None."""
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _at(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at
