"""JSON Feed 1.1 (jsonfeed.org/version/1.1), with `_mention` on every item.

`_mention` is described in docs/publishing.md; fields are added to it, never renamed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aggregator.model import Site
from aggregator.publish.channels import Channel
from aggregator.publish.view import Shown, clean

_VERSION = "https://jsonfeed.org/version/1.1"


def jsonfeed(
    site: Site,
    channel: Channel,
    content: Callable[[Shown], str],
    snippet: Callable[[str], str],
) -> bytes:
    """Return the channel as a JSON Feed; snippet: turns a marked one into HTML."""
    hubs = [{"type": "WebSub", "url": hub} for hub in site.hubs]
    document = {
        "version": _VERSION,
        "title": channel.title,
        "home_page_url": site.url + channel.page,
        "feed_url": f"{site.url}{channel.folder}feed.json",
        "description": channel.description,
        "language": site.language,
        "authors": [{"name": clean(site.author) or clean(site.title) or site.url}],
        **({"hubs": hubs} if hubs else {}),
        "items": [_item(one, content, snippet) for one in channel.stories],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _item(
    one: Shown, content: Callable[[Shown], str], snippet: Callable[[str], str]
) -> dict[str, Any]:
    author: Mapping[str, str] = {"name": one.author or one.outlet or one.name}
    item: dict[str, Any] = {
        "id": one.id,
        "url": one.link,
        "title": one.entry_title,
        "content_html": content(one),
        "date_published": one.published_at.isoformat(),
        "date_modified": one.updated_at.isoformat(),
        "authors": [author],
        "tags": [clean(topic.title) or topic.id for topic in one.topics],
        "_mention": _mention(one, snippet),
    }
    if one.language:
        item["language"] = one.language
    return item


def _mention(one: Shown, snippet: Callable[[str], str]) -> dict[str, Any]:
    return {
        "story": one.story.short,
        "topics": [topic.id for topic in one.topics],
        "evidence": [
            {
                "topic": evidence.topic,
                "line": clean(evidence.line),
                "field": evidence.column,
                "snippet": snippet(evidence.snippet),
                "certain": evidence.certain,
            }
            for evidence in one.evidence
        ],
        "copies": [
            {
                "outlet": copy.outlet,
                "url": copy.url,
                "title": copy.title,
                "published": copy.published_at.isoformat(),
            }
            for copy in one.copies
        ],
        "added_at": one.added_at.isoformat(),
        **({"archived": one.archived} if one.archived else {}),
    }
