"""What a document is, before anybody polls it: a feed, a sitemap, a list, a page.

It runs in a child process like `feeds`, and returns little, however much it has read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from aggregator import spool, urls
from aggregator.model import Document, Fetched, ParseError
from aggregator.parse import charset, discovery, markup, sitemap
from aggregator.parse.discovery import Site
from aggregator.parse.feeds import parse

Form = Literal["atom", "rss", "json", "sitemap", "list", "page"]

_LISTED: Final = 200  # sitemaps of a list that are looked at; archives have thousands
_ROOTS: Final[dict[bytes, Form]] = {b"feed": "atom", b"urlset": "sitemap"}


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a document is.

    form: "list" = of sitemaps. title, home, language: of a feed or a news sitemap, as
    `Document`. articles: what tells its entries apart, the canonical URL where there is
    one. newest_at: of its entries, None = no dates. sitemaps: the addresses of a list.
    site: what a page says, None for anything else.
    """

    form: Form
    title: str = ""
    home: str = ""
    language: str = ""
    articles: frozenset[str] = frozenset()
    newest_at: datetime | None = None
    sitemaps: tuple[str, ...] = ()
    site: Site | None = None


def inspect(fetched: Fetched, max_entries: int) -> Inspected:
    """Return what a document is.

    Raises ParseError, as `parse` does, for what is none of these.
    """
    try:
        document = parse(fetched, fetched.url, max_entries)
    except ParseError:
        text = charset.of_page(spool.read(fetched), fetched.content_type).strip()
        if _root(text) == b"sitemapindex":
            its = sitemap.nested(markup.clean(text), fetched.url) or ()
            places = dict.fromkeys(one.url for one in its)
            return Inspected("list", sitemaps=tuple(places)[:_LISTED])
        if not markup.page(text):
            raise
        said = discovery.site(text.decode("utf-8", "replace"), fetched.url)
        return Inspected("page", site=said)
    return _polled(document, _form(spool.read(fetched), fetched.content_type))


def _polled(document: Document, form: Form) -> Inspected:
    dates = (one.published_at or one.updated_at for one in document.entries)
    return Inspected(
        form,
        document.title,
        document.home,
        document.language,
        frozenset(urls.canonical(one.url) or one.key for one in document.entries),
        max(filter(None, dates), default=None),
    )


def _form(body: bytes, content_type: str) -> Form:
    text = charset.utf8(body, content_type).lstrip()
    return "json" if text[:1] in (b"{", b"[") else _ROOTS.get(_root(text), "rss")


def _root(text: bytes) -> bytes:
    return markup.root(markup.clean(text)).rpartition(b":")[2].lower()
