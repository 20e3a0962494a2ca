"""The canonical URL: a key to compare by, never a link to publish."""

from __future__ import annotations

import re
from posixpath import normpath
from urllib.parse import quote

from aggregator.urls.parts import SHARED, host, split
from aggregator.urls.tracking import tracks
from aggregator.urls.wrapped import unwrapped

_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
# RFC 3986 §2.3, and brackets: `?a[]=1` may not be written so, and nearly always is.
_UNRESERVED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~[]"
)
_SAFE = "%/:@!$&'()*+,;=?-._~[]"  # what the path and query of a key may hold unescaped

# The first labels of hosts that serve the same pages for another screen; not those of
# a site's own name: m.fr and m.co.uk are sites, m.site.co.uk is none.
_SCREENS = frozenset("www www1 www2 www3 m mobile amp".split())
# Hosts at which the same paths are the same pages.
_MOVED = {
    "bbc.co.uk": "bbc.com",
    "youtube-nocookie.com": "youtube.com",
    "music.youtube.com": "youtube.com",
}
_AMP = re.compile(
    r"\.amp(?=\.html?$)|(?:\.|/)amp(?:\.html?)?$|^/amp(?=/.)", re.IGNORECASE
)
_SESSION = re.compile(r";(?:jsessionid|phpsessid)=[^/;]*", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index\.(?:html?|php)|default\.aspx?)$", re.IGNORECASE)
_ROUTE = re.compile(r"!?/.+|!.+")  # a fragment by which a script chooses the page
_VIDEO = re.compile(r"/(?:embed|shorts|live|v)/([\w-]{6,})")
_SHORT_VIDEO = re.compile(r"/([\w-]{6,})")
_ROUNDS = 9  # more than any address takes to settle
# An address whose key is itself, but for scheme, screen and trailing slash: nearly all
# are, and taking one apart costs thirty times as much.
_PLAIN = re.compile(
    r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d++(?<!:80)(?<!:443))?)"
    r"((?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)*)/?"
)
# What may mean more than it says in a host or a path, by all rules here and in
# `wrapped` that need no query.
_MEANING = tuple(
    "/amp .amp index. default. youtu goog yahoo feedsportal archive oclc proxy".split()
)


def canonical(url: str) -> str:
    """Return the key under which all addresses of one article meet; "" for no web URL.

    No difference make: the scheme; `www.`, a mobile or AMP host, path or parameter; a
    default port; letter case and spelling of the host (punycode or not); the fragment,
    but for one that chooses the page; tracking parameters; doubled and trailing
    slashes, an index file; the order of parameters and the spelling of percent-escapes
    (RFC 3986 §6.2.2). A redirect, cache or proxy that carries its target counts as
    that.
    """
    key = url.strip()
    plain = _PLAIN.fullmatch(key)
    if plain and not any(map(key.lower().__contains__, _MEANING)):
        return f"https://{_host(plain[1])}{plain[2]}"
    for _ in range(_ROUNDS):
        again = _key(key)
        if again == key:
            break
        key = again  # what was decoded may itself be something to take away
    return key


def _key(url: str) -> str:
    url = unwrapped(url)
    parts = split(url)
    if parts is None:
        return ""
    name = _host(host(url))
    hostname = parts.hostname or ""
    if ":" in hostname:
        name = name.replace(hostname, f"[{hostname}]", 1)
    path = _SESSION.sub("", _escapes(parts.path))
    path = "/" + normpath(f"/{path}").lstrip("/")
    query = _escapes(parts.query.replace("+", "%20")).replace("amp;", "")
    pairs = [pair for pair in query.split("&") if pair and not tracks(name, pair)]
    name, path, pairs = _video(name, path, pairs)
    path = _AMP.sub("", path)
    if not pairs:
        path = _INDEX.sub("", path)
    # In whatever order: feeds and share buttons shuffle them. Equal names keep theirs.
    pairs.sort(key=lambda pair: pair.partition("=")[0])
    fragment = _escapes(parts.fragment)
    route = f"#{fragment}" if _ROUTE.fullmatch(fragment) else ""
    asked = "?" + "&".join(pairs) if pairs else ""
    return f"https://{name}{path.rstrip('/')}{asked}{route}"


def _host(name: str) -> str:
    """Return a host as all its spellings have it, without what only names a screen."""
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:  # not a name that DNS could hold
            name = quote(name, safe=":", errors="replace")
    labels = name.split(".")
    while labels[0] in _SCREENS and _is_site(labels[1:]):
        del labels[0]
    if labels[1:2] == ["m"] and _is_site(labels[2:]):  # fr.m.wikipedia.org
        del labels[1]
    name = ".".join(labels)
    return _MOVED.get(name, name)


def _is_site(labels: list[str]) -> bool:
    return len(labels[1:]) > 1 or (len(labels[1:]) == 1 and labels[0] not in SHARED)


def _video(name: str, path: str, pairs: list[str]) -> tuple[str, str, list[str]]:
    """Return a video of YouTube under the one address that all its players share."""
    if name == "youtube.com" and path == "/watch":
        return name, path, [pair for pair in pairs if pair.startswith("v=")] or pairs
    found = None
    if name == "youtu.be":
        found = _SHORT_VIDEO.fullmatch(path)
    elif name == "youtube.com":
        found = _VIDEO.fullmatch(path)
    return (
        ("youtube.com", "/watch", [f"v={found[1]}"]) if found else (name, path, pairs)
    )


def _escapes(text: str) -> str:
    """Spell percent-escapes in the one way of RFC 3986 §6.2.2."""
    text = _STRAY_PERCENT.sub("%25", text)
    text = quote(text, safe=_SAFE, errors="replace")
    return _ESCAPED.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if code in _UNRESERVED else found[0].upper()
