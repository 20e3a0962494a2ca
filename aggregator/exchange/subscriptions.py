"""Outlets of an OPML file, as feed readers write it. Pure.

A file of anybody's: no entity in it is resolved, and a document type, which no reader
writes, is refused. Which of the outlets are there already is for `roster` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from aggregator.config import values
from aggregator.config.tables import Problems, Reader, UnfitError
from aggregator.model import Outlet
from aggregator.text import cut, plain
from aggregator.urls import host

LARGEST: Final = 10_000_000  # bytes; 30,000 feeds
_NAME: Final = 200  # characters of a name that are kept
_FEED_SCHEME: Final = re.compile(r"feed:(?://)?(?=https?:)|feed://", re.IGNORECASE)


def read(data: bytes, name: str, problems: Problems) -> tuple[Outlet, ...]:
    """Return an outlet for each feed, in the order of the file, folders opened.

    What is wrong is kept, a line for each. name: of the file, for messages. An outline
    without `xmlUrl` is no feed: a folder, or a link to a page.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as exc:
        what = str(exc.msg).partition(", line ")[0]
        problems.add(f"{name}:{exc.lineno or 1}", f"no XML: {what or 'it is empty'}")
        return ()
    if root.getroottree().docinfo.doctype:
        problems.add(f"{name}:1", "has a DOCTYPE, which OPML has not; take it out")
        return ()
    if etree.QName(root).localname != "opml":
        what = f"<{etree.QName(root).localname}> is no OPML"
        problems.add(f"{name}:{root.sourceline}", f"{what}; export it as OPML")
        return ()
    return tuple(_outlets(root, name, problems))


def _outlets(root: etree._Element, name: str, problems: Problems) -> Iterator[Outlet]:
    for outline in root.iter("{*}outline"):
        told = {key.lower(): value for key, value in outline.attrib.items()}
        if not (address := told.get("xmlurl", "").strip()):
            continue
        try:
            url = values.url(_FEED_SCHEME.sub(_web, address, count=1))
        except UnfitError as exc:
            what = "; ".join(what for _, what in exc.reasons)
            problems.add(f"{name}:{outline.sourceline}: xmlUrl", what)
            continue
        names = (plain(told.get(key, "")) for key in ("text", "title"))
        called = next(filter(None, names), "") or host(url).removeprefix("www.")
        yield Outlet(
            cut(called, _NAME),
            (url,),
            homepage=_fit(values.url, told.get("htmlurl", "")),
            language=_fit(values.language, told.get("language", "")),
        )


def _web(scheme: re.Match[str]) -> str:
    return "http://" if scheme[0].endswith("//") else ""


def _fit(read: Reader, value: str) -> str:
    """Return what a feed reader knows beside the feed, "" where that is of no use."""
    try:
        return str(read(value.strip()))
    except UnfitError:
        return ""
