"""Addresses that lead elsewhere, and only their server knows where to.

Those that carry their target are `wrapped`'s. Of a host that stands here every path, or
every one with that beginning, is a redirect; others would be asked for their articles.
"""

from __future__ import annotations

from typing import Final

from aggregator.urls.parts import host, split
from aggregator.urls.wrapped import unwrapped

_SHORTENERS: Final = frozenset(
    """
    bit.ly buff.ly cutt.ly dlvr.it ebx.sh fb.me flip.it goo.gl ht.ly hubs.li hubs.ly
    ift.tt is.gd j.mp lnkd.in ow.ly rb.gy shorturl.at snip.ly t.co t.ly tiny.cc
    tinyurl.com trib.al urlz.fr v.gd wp.me
    bbc.in cnn.it econ.st gu.com huff.to l.leparisien.fr lemde.fr nyti.ms reut.rs
    u.afp.com wapo.st
    """.split()
)
# Feed services, and Google's search for news, which carries no target since 2024.
_UNDER: Final = {
    "feedpress.me": ("/link/",),
    "feedproxy.google.com": ("/~r/", "/~/"),
    "feeds.feedburner.com": ("/~r/", "/~/"),
    "feeds.feedblitz.com": ("/~/",),
    "news.google.com": ("/rss/articles/", "/articles/", "/read/"),
}


def opaque(url: str) -> bool:
    """Tell whether a web address leads elsewhere without saying where to."""
    parts = split(unwrapped(url))
    if parts is None:
        return False
    name = host(parts.geturl()).removeprefix("www.")
    if name in _UNDER:
        return parts.path.startswith(_UNDER[name])
    return name in _SHORTENERS and bool(parts.path.strip("/"))
