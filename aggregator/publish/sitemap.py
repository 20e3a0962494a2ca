"""sitemap.xml: the pages that search engines should know (sitemaps.org, 0.9).

Front, topics, years and outlets are for them. What is made to be included or framed
elsewhere repeats these, and feeds are for readers: neither stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from lxml import etree

from aggregator.model import Site, Topic
from aggregator.publish import outlets
from aggregator.publish.channels import Press, left_main, left_topic
from aggregator.publish.view import Gone, Shown

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_MOST = 50_000  # addresses in one sitemap; that many topics and years nobody has

Listed = tuple[str, datetime | None]
"""A page's folder, and when one of its stories changed last; None = unknown."""


def sitemap(
    site: Site, topics: Sequence[Topic], press: Press, gone: Sequence[Gone]
) -> bytes:
    """Return the sitemap.

    A page's date is that of the last change that readers are told of: of its stories,
    or that one left a topic (gone); which year a story left is not remembered. What is
    followed changes with no story and has no date.
    """
    root = etree.Element("urlset", nsmap={None: _NAMESPACE})
    for folder, changed_at in [*_listed(topics, press, gone)][:_MOST]:
        page = etree.SubElement(root, "url")
        etree.SubElement(page, "loc").text = site.url + folder
        if changed_at:
            etree.SubElement(page, "lastmod").text = changed_at.isoformat()
    document: bytes = etree.tostring(
        root, encoding="utf-8", xml_declaration=True, pretty_print=True
    )
    return document


def _listed(
    topics: Sequence[Topic], press: Press, gone: Sequence[Gone]
) -> Iterator[Listed]:
    yield "", _changed_at(press.main, left_main(gone, topics))
    for topic in topics:
        its, left = press.topics[topic.id], left_topic(gone, topic)
        yield f"topics/{topic.id}/", _changed_at(its, left)
    for year, its in press.years.items():
        yield f"{year:04}/", _changed_at(its)
    yield outlets.FOLDER, None


def _changed_at(stories: Iterable[Shown], gone: Iterable[Gone] = ()) -> datetime | None:
    moments = [one.updated_at for one in stories]
    moments += [one.withdrawn_at for one in gone]
    return max(moments, default=None)
