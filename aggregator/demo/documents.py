"""What recorded outlets serve, as text: feeds in four formats, and article pages.

Pure: an outlet and its visible entries in, a document out. Outlets differ here as real
ones do (CDATA, escaped HTML, numeric references, missing guids). The templates are
written out by hand, since a library would hide just those differences; nothing that the
product publishes may be made here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from http import HTTPStatus
from typing import Literal
from zlib import crc32

Format = Literal["rss20", "atom", "json", "rdf"]

TYPES: dict[Format, str] = {
    "rss20": "application/rss+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
    "rdf": "application/xml",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One entry of a recorded outlet.

    title: plain text. summary, paragraphs: HTML. guid, track: "" = as its outlet does.
    edition: the first one it stands in. retitled, retitled_at: from edition 2 on.
    """

    slug: str
    title: str
    date: datetime
    author: str
    summary: str
    paragraphs: tuple[str, ...] = ()
    guid: str = ""
    track: str = ""
    edition: int = 1
    retitled: str = ""
    retitled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """One recorded outlet: `slug` is its folder on the server, `feed` a path in it.

    markup: how a summary stands in the feed. guid: what entries are known by. content:
    the whole article stands in the feed too. track: what the links of the feed carry.
    status: what the feed answers; anything but 200 = it is broken.
    """

    slug: str
    name: str
    title: str
    format: Format
    feed: str
    encoding: str = "utf-8"
    markup: Literal["cdata", "escaped", "plain"] = "plain"
    guid: Literal["link", "number", "tag", "none"] = "none"
    content: bool = False
    track: str = ""
    validators: Literal["etag", "date", "none"] = "etag"
    gzip: bool = False
    status: int = HTTPStatus.OK
    entries: tuple[Recorded, ...] = ()

    @property
    def feed_path(self) -> str:
        """Path of the feed on the server."""
        return f"/{self.slug}/{self.feed}"


def feed(outlet: Publication, entries: Sequence[Recorded], base: str) -> bytes:
    """Return the outlet's feed with these entries, in its own format and encoding.

    What the encoding lacks stands as numeric references, as most software writes it.
    """
    text = _FORMATS[outlet.format](outlet, entries, base)
    return text.encode(outlet.encoding, "xmlcharrefreplace")


def link(outlet: Publication, entry: Recorded, base: str) -> str:
    """Return the clean address of an article."""
    return f"{base}/{outlet.slug}/{entry.slug}"


def changed(entries: Sequence[Recorded]) -> datetime:
    """Return when the newest of at least one entry was published or retitled."""
    return max(entry.retitled_at or entry.date for entry in entries)


def article(outlet: Publication, entry: Recorded, base: str) -> bytes:
    """Return the page of one article, small and readable."""
    url = escape(link(outlet, entry, base))
    title, name = escape(entry.title), escape(outlet.name)
    at = entry.date.isoformat()
    day = entry.date.strftime("%d/%m/%Y")
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in entry.paragraphs)
    head = f"""\
<link rel="canonical" href="{url}">
<meta property="og:type" content="article">
<meta property="og:title" content="{title}">
<meta property="og:site_name" content="{name}">
<meta property="article:published_time" content="{at}">
<meta name="author" content="{escape(entry.author)}">"""
    main = f"""\
<article>
<h1>{title}</h1>
<p>{escape(entry.author)}, <time datetime="{at}">{day}</time></p>
{body}
</article>"""
    return _page(f"{title} – {name}", head, main, outlet, base)


def home(outlet: Publication, entries: Sequence[Recorded], base: str) -> bytes:
    """Return the outlet's front page: what it lists, and where its feed stands."""
    name, kind = escape(outlet.name), TYPES[outlet.format]
    alternate = (
        f'<link rel="alternate" type="{kind}" href="{base}{outlet.feed_path}">'
        if outlet.status == HTTPStatus.OK
        else ""
    )
    items = "\n".join(
        f'<li><a href="{link(outlet, entry, base)}">{escape(entry.title)}</a></li>'
        for entry in entries
    )
    main = f"<h1>{name}</h1>\n<ul>\n{items}\n</ul>"
    return _page(name, alternate, main, outlet, base)


def _page(title: str, head: str, main: str, outlet: Publication, base: str) -> bytes:
    """Return a whole HTML document; the footer says that its text is invented."""
    return f"""\
<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
{head}
<style>body {{ max-width: 38em; margin: 2em auto; padding: 0 1em; font: 1em/1.5 serif }}
footer {{ color: #555; border-top: 1px solid; margin-top: 3em }}</style>
</head>
<body>
<nav><a href="{base}/{outlet.slug}/">{escape(outlet.name)}</a></nav>
<main>
{main}
</main>
<footer><p>Page de démonstration : ce texte est inventé.</p></footer>
</body>
</html>
""".encode()


def _rss20(outlet: Publication, entries: Sequence[Recorded], base: str) -> str:
    """Return an RSS 2.0 document."""
    items = "\n".join(_item(outlet, entry, base) for entry in entries)
    return f"""\
<?xml version="1.0" encoding="{outlet.encoding}"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel>
<title>{_xml(outlet.title)}</title>
<link>{base}/{outlet.slug}/</link>
<atom:link href="{base}{outlet.feed_path}" rel="self" type="application/rss+xml"/>
<description>{_xml(outlet.name)}</description>
<language>fr-FR</language>
<lastBuildDate>{format_datetime(changed(entries))}</lastBuildDate>
{items}
</channel>
</rss>
"""


def _item(outlet: Publication, entry: Recorded, base: str) -> str:
    """Return one item of an RSS 2.0 document."""
    guid = _guid(outlet, entry, base)
    lines = [
        f"<title>{_xml(entry.title)}</title>",
        f"<link>{_xml(_tracked(outlet, entry, base))}</link>",
        f"<dc:creator>{_xml(entry.author)}</dc:creator>",
        f"<pubDate>{format_datetime(entry.date)}</pubDate>",
        f"<description>{_markup(outlet, entry.summary)}</description>",
    ]
    if guid:
        permanent = str(guid.startswith(base)).lower()
        lines.append(f'<guid isPermaLink="{permanent}">{_xml(guid)}</guid>')
    if outlet.content:
        whole = "".join(f"<p>{paragraph}</p>" for paragraph in entry.paragraphs)
        lines.append(f"<content:encoded><![CDATA[{whole}]]></content:encoded>")
    return "\n".join(("<item>", *lines, "</item>"))


def _atom(outlet: Publication, entries: Sequence[Recorded], base: str) -> str:
    """Return an Atom document whose titles and summaries are of type html."""
    items = "\n".join(
        f"""\
<entry>
<id>{_xml(_guid(outlet, entry, base))}</id>
<title type="html">{_xml(escape(entry.title, quote=False))}</title>
<link rel="alternate" href="{escape(_tracked(outlet, entry, base))}"/>
<published>{entry.date.isoformat()}</published>
<updated>{(entry.retitled_at or entry.date).isoformat()}</updated>
<author><name>{_xml(entry.author)}</name></author>
<summary type="html">{_markup(outlet, entry.summary)}</summary>
</entry>"""
        for entry in entries
    )
    return f"""\
<?xml version="1.0" encoding="{outlet.encoding}"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr">
<id>{base}/{outlet.slug}/</id>
<title>{_xml(outlet.title)}</title>
<link rel="self" href="{base}{outlet.feed_path}"/>
<link rel="alternate" href="{base}/{outlet.slug}/"/>
<updated>{changed(entries).isoformat()}</updated>
{items}
</feed>
"""


def _rdf(outlet: Publication, entries: Sequence[Recorded], base: str) -> str:
    """Return an RSS 1.0 document with Dublin Core dates and authors."""
    listed = "\n".join(
        f'<rdf:li rdf:resource="{escape(_guid(outlet, entry, base))}"/>'
        for entry in entries
    )
    items = "\n".join(
        f"""\
<item rdf:about="{escape(_guid(outlet, entry, base))}">
<title>{_xml(entry.title)}</title>
<link>{_xml(_tracked(outlet, entry, base))}</link>
<description>{_markup(outlet, entry.summary)}</description>
<dc:creator>{_xml(entry.author)}</dc:creator>
<dc:date>{entry.date.isoformat()}</dc:date>
</item>"""
        for entry in entries
    )
    return f"""\
<?xml version="1.0" encoding="{outlet.encoding}"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="{base}{outlet.feed_path}">
<title>{_xml(outlet.title)}</title>
<link>{base}/{outlet.slug}/</link>
<description>{_xml(outlet.name)}</description>
<dc:language>fr</dc:language>
<items><rdf:Seq>
{listed}
</rdf:Seq></items>
</channel>
{items}
</rdf:RDF>
"""


def _json(outlet: Publication, entries: Sequence[Recorded], base: str) -> str:
    """Return a JSON Feed 1.1 document."""
    items = [
        {
            "id": _guid(outlet, entry, base),
            "url": _tracked(outlet, entry, base),
            "title": entry.title,
            "summary": entry.summary,
            "content_html": f"<p>{entry.summary}</p>",
            "date_published": entry.date.isoformat(),
            "authors": [{"name": entry.author}],
        }
        for entry in entries
    ]
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.title,
        "home_page_url": f"{base}/{outlet.slug}/",
        "feed_url": f"{base}{outlet.feed_path}",
        "language": "fr",
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


_FORMATS: dict[Format, Callable[[Publication, Sequence[Recorded], str], str]] = {
    "rss20": _rss20,
    "atom": _atom,
    "rdf": _rdf,
    "json": _json,
}


def _tracked(outlet: Publication, entry: Recorded, base: str) -> str:
    """Return the address of an article as the feed gives it."""
    return link(outlet, entry, base) + (entry.track or outlet.track)


def _guid(outlet: Publication, entry: Recorded, base: str) -> str:
    """Return what the feed knows the entry by; "" where it says nothing."""
    if entry.guid:
        return entry.guid
    match outlet.guid:
        case "link":
            return link(outlet, entry, base)
        case "number":
            return f"{outlet.slug}-{crc32(entry.slug.encode()) % 1_000_000}"
        case "tag":
            return f"tag:{outlet.slug}.invalid,2020:{entry.slug}"
        case "none":
            return ""


def _markup(outlet: Publication, html: str) -> str:
    """Return HTML as the outlet puts it into XML."""
    match outlet.markup:
        case "cdata":
            return f"<![CDATA[<p>{html}</p>]]>"
        case "escaped":
            return _xml(f"<p>{html}</p>")
        case "plain":
            return _xml(html)


def _xml(text: str) -> str:
    """Return text as XML content."""
    return escape(text, quote=False)
