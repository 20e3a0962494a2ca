"""JSON Feed 1.0 and 1.1 (jsonfeed.org), read leniently. Pure; called by `parse`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aggregator.model import ParseError
from aggregator.parse import dates, fields
from aggregator.parse.ladder import Item


@dataclass(frozen=True, slots=True)
class JSONFeed:
    """What a JSON Feed says of itself, and its items; older: the page after it."""

    title: str
    home: str
    language: str
    items: tuple[Item, ...]
    older: str = ""


def read(text: bytes, base: str, most: int) -> JSONFeed:
    """Return the feed with its first `most` items.

    Raises ParseError when the text is no JSON, or has no list of items.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ParseError("json that cannot be read") from exc
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise ParseError("json without a list of items: no json feed")
    language = fields.language(document.get("language"))
    return JSONFeed(
        title=_text(document, "title"),
        home=fields.link(document.get("home_page_url"), base),
        language=language,
        items=tuple(
            _item(item, base, language)
            for item in items[:most]
            if isinstance(item, dict)
        ),
        older=fields.link(document.get("next_url"), base),
    )


def _item(item: dict[str, Any], base: str, language: str) -> Item:
    guid = item.get("id")
    full = fields.text(item.get("content_html")) or _text(item, "content_text")
    summary, content = fields.split(_text(item, "summary"), full)
    spoken = fields.language(item.get("language"))
    published, updated = _date(item, "date_published"), _date(item, "date_modified")
    return Item(
        # ids should be strings, and often are numbers
        guid="" if isinstance(guid, (dict, list, type(None))) else _clean(str(guid)),
        url=fields.link(item.get("url"), base)
        or fields.link(item.get("external_url"), base),
        title=_text(item, "title"),
        summary=summary,
        content=content,
        author=_author(item),
        language="" if spoken == language else spoken,
        published_at=published or updated,
        updated_at=updated,
    )


def _author(item: dict[str, Any]) -> str:
    """Return the names of the authors; 1.0 had one only."""
    listed = item.get("authors")
    people = listed if isinstance(listed, list) else [item.get("author")]
    names = [_text(one, "name") for one in people if isinstance(one, dict)]
    return ", ".join(dict.fromkeys(name for name in names if name))


def _text(item: dict[str, Any], name: str) -> str:
    return fields.text(item.get(name), markup=False)


def _date(item: dict[str, Any], name: str) -> datetime | None:
    value = item.get(name)
    return dates.of_text(value) if isinstance(value, str) else None


def _clean(guid: str) -> str:
    """Return a guid without what UTF-8 cannot hold: JSON may escape half a letter."""
    return guid.strip().encode("utf-8", "replace").decode()
