"""outlets.opml: what is followed, for another reader or another list (OPML 2.0)."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from aggregator.health import Followed
from aggregator.model import Site
from aggregator.publish.view import clean, web
from aggregator.publish.words import words
from aggregator.text import fold


def opml(site: Site, followed: Iterable[Followed]) -> bytes:
    """Return the outlets by name, an outline for each feed.

    Only what a feed reader can subscribe to has an `xmlUrl`: a sitemap is a link.
    """
    said = words(site.language).gettext("Outlets followed")
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = f"{clean(site.title) or site.url} – {said}"
    if owner := clean(site.author):
        etree.SubElement(head, "ownerName").text = owner
    etree.SubElement(head, "docs").text = "http://opml.org/spec2.opml"
    body = etree.SubElement(root, "body")
    for one in sorted(followed, key=lambda one: (fold(one.name), one.name)):
        for url, kind in one.feeds:
            if web(url):
                body.append(_outline(one, url, is_feed=kind != "sitemap"))
    if not len(body):
        etree.SubElement(body, "outline", text=said)  # the body has one at least
    etree.indent(root)
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document + b"\n"


def _outline(one: Followed, url: str, *, is_feed: bool) -> etree._Element:
    name = clean(one.name) or url
    told = {"text": name}
    if is_feed:
        told |= {"type": "rss", "title": name, "xmlUrl": url}
        told |= {"htmlUrl": home} if (home := web(one.homepage)) else {}
        told |= {"language": lang} if (lang := clean(one.language)) else {}
    else:
        told |= {"type": "link", "url": url}
    return etree.Element("outline", told)
