"""What outlets do to a whole feed, done to a snapshot: the same each time it is asked.

Nothing but guid, scheme, tracking, date and typography is touched, so that the path of
an entry's link still names the article.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import blake2b
from urllib.parse import urlsplit

from lxml import etree

KINDS = ("guids", "https", "tracking", "dates", "titles")


def disturbed(body: bytes, at: datetime, turn: int, kinds: frozenset[str]) -> bytes:
    """Return an RSS document as served at `at`, the `turn`-th time, each kind done.

    guids: all new. https: http at even turns, https at odd ones, in links and guids.
    tracking: other parameters. dates: all of today. titles: retouched.
    """
    root = etree.fromstring(body)
    for place, item in enumerate(root.iter("item")):
        seed = f"{at.isoformat()} {place}"
        for name in ("link", "guid"):
            _set(item, name, _address(_text(item, name), seed, turn, kinds))
        if "guids" in kinds:
            _set(item, "guid", f"urn:{_noise(seed)}")
        if "dates" in kinds:
            _set(item, "pubDate", format_datetime(at - timedelta(minutes=place)))
        if "titles" in kinds:
            _set(item, "title", _retouched(_text(item, "title"), seed))
        for guid in item.iter("guid"):
            guid.set("isPermaLink", "false")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def article(url: str) -> str:
    """Return what no disturbance touches of a link: host and path."""
    parts = urlsplit(url)
    return parts.netloc + parts.path


def _address(url: str, seed: str, turn: int, kinds: frozenset[str]) -> str:
    if not url.startswith("http"):
        return url
    if "https" in kinds:
        url = f"http{'s' * (turn % 2)}:{url.partition(':')[2]}"
    if "tracking" in kinds:
        url = (
            f"{url.partition('#')[0]}?utm_source=rss&utm_term={_noise(seed)}#xtor=RSS-1"
        )
    return url


def _retouched(title: str, seed: str) -> str:
    """Return a title as an editor leaves it: another word, another quote."""
    done = (
        title + " (actualisé)",
        "Exclusif - " + title,
        title.replace('"', "“").replace("'", "’") + " !",
        " ".join(title.split()[1:]) or title,
        title.upper(),
    )
    return done[int(_noise(seed), 16) % len(done)]


def _noise(seed: str) -> str:
    return blake2b(seed.encode(), digest_size=6).hexdigest()


def _text(item: etree._Element, name: str) -> str:
    return (item.findtext(name) or "").strip()


def _set(item: etree._Element, name: str, text: str) -> None:
    found = item.find(name)
    if found is not None:
        found.text = text
