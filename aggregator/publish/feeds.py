"""Atom (RFC 4287) and RSS 2.0, by feedgen: the only room that knows it.

What is said stands in the values it is given. One generator a format, because feedgen
keeps both formats in one object and they disagree about links. feedgen 1.0 drops `rel`
from the links of entries and writes atom:source without id, so an extension of ours
writes both, and RFC 6721 tombstones. RFC 5005 links are for that extension, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator.model import Site
from aggregator.publish.channels import Channel
from aggregator.publish.view import Gone, Shown, clean

GENERATOR = "press-aggregator"
_TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
_DELETED = f"{{{_TOMBSTONES}}}deleted-entry"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

Content = Callable[[Shown], str]
"""Gives the HTML that an entry holds."""


def atom(site: Site, channel: Channel, content: Content) -> bytes:
    """Return the channel as an Atom document."""
    feed = _feed(site, channel)
    feed.register_extension("ours", _Tombstones, _Ours, atom=True, rss=False)
    feed.ours.gone = channel.gone
    feed.author(name=clean(site.author) or clean(site.title) or site.url)
    feed.link(href=site.url + channel.page, rel="alternate", type="text/html")
    address = site.url + channel.folder + "feed.atom"
    feed.link(href=address, rel="self", type="application/atom+xml")
    for one in channel.stories:
        entry = _entry(feed, site, one, content)
        entry.author(name=_author(one))
        entry.ours.shown = one
    return _bytes(feed.atom_str(pretty=True))


def rss(site: Site, channel: Channel, content: Content) -> bytes:
    """Return the channel as an RSS 2.0 document."""
    feed = _feed(site, channel)
    # dc:creator, because RSS's own author is a mail address.
    feed.load_extension("dc", atom=False, rss=True)
    address = site.url + channel.folder + "feed.rss"
    feed.link(href=address, rel="self", type="application/rss+xml")
    feed.link(href=site.url + channel.page, rel="alternate")  # the last one counts
    for one in channel.stories:
        entry = _entry(feed, site, one, content)
        entry.link(href=one.link, rel="alternate")
        entry.dc.dc_creator(_author(one))
        if one.source_url:
            entry.source(url=one.source_url, title=one.source_title)
    return _bytes(feed.rss_str(pretty=True))


@dataclass(frozen=True, slots=True)
class Notice:
    """An entry of a private feed; url: what it is about, "" = nothing to open."""

    id: str
    title: str
    at: datetime
    url: str
    html: str


def private(site: Site, channel: Channel, notices: Sequence[Notice]) -> bytes:
    """Return a feed of notices as an Atom document; the channel's stories do not count.

    It has no links of its own: nobody can know where a private feed is read.
    """
    feed = _feed(site, channel)
    feed.author(name=GENERATOR)
    for one in notices:
        entry = feed.add_entry(order="append")
        entry.id(one.id)
        entry.title(one.title)
        entry.published(one.at)
        entry.updated(one.at)
        entry.content(one.html, type="html")
        if one.url:
            entry.link(href=one.url, rel="alternate", type="text/html")
    return _bytes(feed.atom_str(pretty=True))


class _Tombstones(BaseExtension):  # type: ignore[misc] # feedgen publishes no types
    """Tells subscribers of entries that are no longer there (RFC 6721)."""

    gone: Sequence[Gone] = ()

    def extend_ns(self) -> dict[str, str]:
        """Return the namespace, where it is needed."""
        return {"at": _TOMBSTONES} if self.gone else {}

    def extend_atom(self, feed: Any) -> Any:  # noqa: ANN401 - an lxml element
        """Add an at:deleted-entry for each and return the feed."""
        for one in self.gone:
            when = one.withdrawn_at.isoformat()
            etree.SubElement(feed, _DELETED, ref=one.id, when=when)
        return feed


class _Ours(BaseEntryExtension):  # type: ignore[misc] # feedgen publishes no types
    """What feedgen does not write of an Atom entry: links, source, title's language."""

    shown: Shown

    def extend_atom(self, entry: Any) -> Any:  # noqa: ANN401 - an lxml element
        """Add our elements to the entry and return it."""
        one = self.shown
        link(entry, one.link, "alternate", type="text/html")
        related = [copy.url for copy in one.others] + [one.archived]
        for url in dict.fromkeys(url for url in related if url and url != one.link):
            link(entry, url, "related")
        if one.home:
            link(entry, one.home, "via", title=one.outlet)
        if one.language:
            entry.find("title").set(_XML_LANG, one.language)
        if one.source_url or one.home:
            self._source(entry)
        return entry

    def _source(self, entry: Any) -> None:  # noqa: ANN401 - as above
        one = self.shown
        source = etree.SubElement(entry, "source")
        etree.SubElement(source, "id").text = one.source_url or one.home
        etree.SubElement(source, "title").text = one.source_title
        # RFC 4287 §4.2.11 wants the source's own date; all that is known of it is that
        # it held this entry when the entry was published.
        etree.SubElement(source, "updated").text = one.published_at.isoformat()
        if one.source_url:
            link(source, one.source_url, "self")
        if one.home:
            link(source, one.home, "alternate", type="text/html")


def link(parent: Any, href: str, rel: str, **more: str) -> None:  # noqa: ANN401
    """Append an atom:link to the element."""
    etree.SubElement(parent, "link", href=href, rel=rel, **more)


def _feed(site: Site, channel: Channel) -> Any:  # noqa: ANN401 - feedgen has no types
    feed = FeedGenerator()
    feed.id(channel.id)
    feed.title(channel.title)
    feed.subtitle(channel.description)
    feed.description(channel.description)
    feed.language(site.language)
    feed.updated(channel.updated_at)
    feed.generator(GENERATOR)
    if site.rights:
        feed.rights(clean(site.rights))
    return feed


def _entry(feed: Any, site: Site, one: Shown, content: Content) -> Any:  # noqa: ANN401
    entry = feed.add_entry(order="append")
    entry.id(one.id)
    entry.title(one.entry_title)
    entry.published(one.published_at)
    entry.updated(one.updated_at)
    entry.content(content(one), type="html")
    for topic in one.topics:
        label = clean(topic.title) or topic.id
        entry.category(term=topic.id, scheme=f"{site.url}topics/", label=label)
    return entry


def _author(one: Shown) -> str:
    return one.author or one.outlet or one.name


def _bytes(document: bytes) -> bytes:
    return document if document.endswith(b"\n") else document + b"\n"
