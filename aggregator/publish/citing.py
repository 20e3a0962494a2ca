"""What programs read on a page: COinS for Zotero, JSON-LD for search engines.

Decides the values; templates write and escape them. Of an outlet's words only title,
outlet, author and date stand here, never its text.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from urllib.parse import quote

from aggregator.publish.view import Shown

LISTED = 100  # stories in a page's JSON-LD; search engines read the beginning
_CONTEXT = "https://schema.org"
# Zotero's names of what a form is; an article, an interview and print are newspaper's.
_ZOTERO = {
    "radio": "radioBroadcast",
    "tv": "tvBroadcast",
    "video": "videoRecording",
    "podcast": "podcast",
}


def coins(story: Shown) -> str:
    """Return the story as a ContextObject (Z39.88-2004), for a span's title.

    Dublin Core with Zotero's own word for `type`, which is how Zotero tells a newspaper
    from a journal. A blank is %20: not every reader takes + for one.
    """
    pairs = (
        ("rft.type", _ZOTERO.get(story.form, "newspaperArticle")),
        ("rft.title", story.name),
        ("rft.source", story.outlet),
        ("rft.creator", story.person),
        ("rft.date", story.date),
        ("rft.language", story.language),
        ("rft.identifier", story.link),
    )
    told = (f"&{key}={_quoted(value)}" for key, value in pairs if value)
    return f"ctx_ver=Z39.88-2004&rft_val_fmt=info:ofi/fmt:kev:mtx:dc{''.join(told)}"


@lru_cache(maxsize=1024)
def _quoted(value: str) -> str:
    """Return what stands for a value; outlets and forms come time and again."""
    return quote(value, safe=":/")


def linked(
    url: str, name: str, total: int, stories: Iterable[Shown]
) -> dict[str, object]:
    """Return a page as schema.org has it: an ItemList of its first NewsArticles.

    total: how many stories the page speaks of.
    """
    return {
        "@context": _CONTEXT,
        "@type": "ItemList",
        "@id": url,
        "url": url,
        "name": name,
        "numberOfItems": total,
        "itemListElement": [
            {"@type": "ListItem", "position": place, "item": _article(story)}
            for place, story in enumerate(islice(stories, LISTED), 1)
        ],
    }


def _article(story: Shown) -> dict[str, object]:
    article: dict[str, object] = {
        "@type": "NewsArticle",
        "headline": story.name,
        "url": story.link,
        "datePublished": story.date,
        "inLanguage": story.language,
        "author": _named("Person", story.person),
        "publisher": _named("Organization", story.outlet, story.home),
    }
    return {key: value for key, value in article.items() if value}


def _named(kind: str, name: str, url: str = "") -> dict[str, str]:
    """Return what has a name in schema.org's form; {} for a nameless one."""
    named = {"@type": kind, "name": name, "url": url}
    return {key: value for key, value in named.items() if value} if name else {}
