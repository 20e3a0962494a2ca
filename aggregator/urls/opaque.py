"""Redirectors whose address does not carry the one it leads to, and what leads nowhere.

To be kept small: a host stands here when outlets' feeds, alerts or searches are known
to link by it. Leaving one out costs little, its links are published as they are; one
too many costs its host three requests for each mention at most.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from aggregator.urls.canonical import canonical
from aggregator.urls.parts import home, site, split
from aggregator.urls.wrapped import unwrapped

# Shorteners open to all, those of social networks and of tools that post to them, those
# of outlets, the tickers of feeds. Every path but the home page is a link.
_HOSTS = frozenset(
    """
    bit.ly bitly.com cutt.ly goo.gl is.gd j.mp lc.cx rb.gy rebrand.ly s.id shorturl.at
    t.ly tiny.cc tinyurl.com urlz.fr v.gd
    fb.me flip.it lnkd.in redd.it search.app share.google t.co tmblr.co wp.me
    amp.gs buff.ly dlvr.it ebx.li ebx.sh hubs.la hubs.ly ift.tt ln.is ow.ly po.st
    shar.es spr.ly trib.al zpr.io
    dai.ly f24.my l.bfmtv.com lefig.fr lemde.fr lpnt.fr rfi.my u.afp.com
    bbc.in bloom.bg cnb.cx cnn.it econ.st gu.com huff.to lat.ms n.pr nyti.ms on.ft.com
    on.wsj.com politi.co reut.rs tcrn.ch ti.me wapo.st
    feedproxy.google.com feedpr.es feedpress.me
    """.split()
)
# Of these hosts only some paths are links.
_PATHS = tuple(
    (re.compile(hosts), re.compile(paths))
    for hosts, paths in (
        # Google News since 2024: answers a page with a script, so mostly a failure
        (r"news\.google\.com", r"(?:/rss)?(?:/__i/rss/rd)?/(?:articles|read)/"),
        (r"feeds2?\.feedburner\.com", r"/~r/"),
        (r"[\w.-]+\.list-manage\.com", r"/track/click"),
        (r"(?:[\w-]+\.)?substack\.com", r"/redirect/"),
        (r"(?:www\.)?linkedin\.com", r"/slink"),
    )
)
# Where a reader is sent who has to log in or agree first, or whose page is gone: many
# articles lead there, and it is none of them.
_WALLS = frozenset("accounts auth consent guce login signin sso".split())
_WALLED = frozenset(
    """
    404 500 abonnement abonnements account auth authentification authorize captcha
    connexion consent consentement error erreur errors expired introuvable inscription
    log-in login not-found notfound page-introuvable register s-abonner se-connecter
    sign-in signin signup sso subscribe subscription unavailable
    """.split()
)
HOME = "a home page"
_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2})?", re.IGNORECASE)
_ENDING = re.compile(r"\.(?:\w{2,5})$")


def opaque(url: str) -> bool:
    """Tell whether only its server knows where an address leads.

    False for one that carries its target (see `unwrapped`).
    """
    parts = split(url)
    if parts is None or home(url):
        return False
    name = (parts.hostname or "").rstrip(".")
    redirects = name.removeprefix("www.") in _HOSTS or any(
        hosts.fullmatch(name) and paths.match(parts.path) for hosts, paths in _PATHS
    )
    return redirects and unwrapped(url) == url


def nowhere(url: str, link: str = "") -> str:
    """Return why where a redirector leads is no article, "" when it may be one.

    link: the redirector's own address. Home pages, one of a language too; pages to log
    in, to agree or to subscribe; pages that say that there is none; other pages of the
    redirector; hosts that have no public name.
    """
    parts = split(canonical(url))
    if parts is None:
        return "redirect to no web address"
    where = lobby(url)
    if where == HOME:
        return f"redirect to {HOME}"
    if site(url) == site(link):
        return "redirect to another page of the same service"
    if not _public(parts.hostname or ""):
        return "redirect to no public address"
    return f"redirect to {where}" if where else ""


def lobby(url: str) -> str:
    """Return what an address is to which many articles lead, and which is none of them.

    A home page, one of a language too; a page to log in, to agree or to subscribe, or
    one that says that there is none. "" = it may be an article.
    """
    parts = split(canonical(url))
    if parts is None:
        return ""
    steps = [_ENDING.sub("", step) for step in parts.path.lower().split("/") if step]
    if not parts.query and (not steps or _LANGUAGE.fullmatch("/".join(steps))):
        return HOME
    walled = (parts.hostname or "").split(".")[0] in _WALLS
    if walled or (steps and not _WALLED.isdisjoint((steps[0], steps[-1]))):
        return "a page that is no article"
    return ""


def _public(name: str) -> bool:
    """Tell whether a host has a name that others know; a bare address has none."""
    try:
        ip_address(name)
    except ValueError:
        return "." in name.strip(".")
    return False
