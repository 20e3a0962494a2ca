"""Redirects, caches and proxies whose address carries the address they lead to.

Where only their server knows it (see `opaque`) the address is left as it is.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from urllib.parse import SplitResult, parse_qs, unquote

from aggregator.urls.parts import split, web

# host, beginning of the path, the parameters that may hold the target, in order
_IN_QUERY = tuple(
    (re.compile(hosts), path, tuple(names.split()))
    for hosts, path, names in (
        (r"(?:[a-z]+\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?", "/url", "url q"),
        (r"translate\.google\.[a-z]{2,3}(?:\.[a-z]{2})?", "/translate", "u"),
        (r"(?:www\.)?bing\.com", "/news/apiclick.aspx", "url"),
        (r"(?:www\.)?bing\.com", "/ck/a", "u"),
        (r"(?:html\.)?duckduckgo\.com", "/l/", "uddg"),
        (r"lm?\.facebook\.com|l\.(?:instagram|threads)\.(?:com|net)", "/", "u"),
        (r"(?:www\.|m\.)?facebook\.com", "/l.php", "u"),
        (r"(?:www\.)?youtube\.com", "/redirect", "q"),
        (r"(?:www\.)?linkedin\.com", "/redir/", "url"),
        (r"(?:www\.)?linkedin\.com", "/safety/go", "url"),
        (r"(?:www\.)?getpocket\.com", "/redirect", "url"),
        (r"(?:www\.)?flipboard\.com", "/redirect", "url"),
        (r"t\.umblr\.com", "/redirect", "z"),
        (r"out\.reddit\.com", "/", "url"),
        (r"(?:www\.|m\.)?vk\.com", "/away.php", "to"),
        (r"slack-redir\.net", "/link", "url"),
        (r"[a-z0-9]+\.safelinks\.protection\.outlook\.com", "/", "url"),
        (r"(?:[\w-]+\.)*(?:ez|lib)proxy\d*\.[\w.-]+", "/login", "url qurl"),
        (r"login\.[\w-]+\.idm\.oclc\.org", "/login", "url qurl"),
    )
)
_AMP_CACHE = re.compile(r"[\w-]+\.cdn\.ampproject\.org|cdn\.ampproject\.org")
_AMP_PATH = re.compile(r"/(?:[civ]|wp|amp)/(s/)?(.+)")
_GOOGLE_AMP = re.compile(r"(?:www\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?")
_ARCHIVES = re.compile(
    r"(?:web|wayback)\.archive\.org|archive\.(?:today|is|ph|li|vn|fo|md)"
)
_ARCHIVED = re.compile(
    r"/(?:web/)?(?:\d+|newest|latest)[a-z_]*/(https?:/.+)", re.IGNORECASE
)
_YAHOO_TARGET = re.compile(r"/RU=([^/]+)")
_NEWS = re.compile(r"(?:/rss)?(?:/__i/rss/rd)?/(?:articles|read)/([\w-]+=*)")
_IN_BYTES = re.compile(rb"https?://[\x21-\x7e]+")
# Hosts that stand in for another, whose name is their first part, dots as hyphens:
# Google's translations and the libraries' proxies (EZproxy, OCLC).
_STAND_IN = re.compile(
    r"(.+?)\.(?:translate\.goog|(?:[\w-]+\.)?idm\.oclc\.org|(?:ez|lib)proxy\d*\.[\w.-]+)"
)
_STAND_IN_QUERY = re.compile(r"(?:^|&)_x_tr_\w+=[^&]*")
# feedsportal.com spelt the target into the path, each of these as "0" and a letter.
_FEEDSPORTAL = re.compile(r"/(?:l|story01|ia1)/(0[LM][^/]+)")
_FEEDSPORTAL_CODE = re.compile("0([A-Z])")
_FEEDSPORTAL_LETTERS = dict(
    zip("ABCDEFGHIJKPR", "0./?-=&,_%+;:", strict=True),
    L="http://",
    M="https://",
    N=".com",
    O=".co.uk",
    S="www.",
    T="#",
)
_SPACE = re.compile(r"[\x00-\x20\x7f]+")
_SCHEME = re.compile(r"(https?):/{1,2}", re.IGNORECASE)


def unwrapped(url: str) -> str:
    """Return the address that `url` leads to by its own saying, else `url`.

    What leads to a redirect is followed, too. An address that would become longer is
    no redirect that anybody wrote, so that this always ends.
    """
    while target := _target(url):
        if len(target) >= len(url):
            break
        url = target
    return url


def _target(url: str) -> str:
    """Return the target in a redirect's address, "" for what is none."""
    parts = split(url)
    if parts is None:
        return ""
    name = parts.hostname or ""
    target = _in_query(name, parts) or _in_path(name, parts) or _in_host(name, parts)
    target = _SPACE.sub("%20", target.strip())
    return target if web(target) else ""


def _in_query(name: str, parts: SplitResult) -> str:
    for hosts, path, keys in _IN_QUERY:
        if parts.path.startswith(path) and hosts.fullmatch(name):
            given = parse_qs(parts.query)
            found = next((given[key][0] for key in keys if key in given), "")
            return _decoded(found[2:]) if found.startswith("a1") else found
    return ""


def _in_path(name: str, parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    if name == "news.google.com":
        coded = _NEWS.fullmatch(parts.path)
        return _decoded(coded[1]) if coded else ""
    if name == "r.search.yahoo.com":
        target = _YAHOO_TARGET.search(parts.path)
        return unquote(target[1]) if target else ""
    if name.endswith(".feedsportal.com"):
        target = _FEEDSPORTAL.search(parts.path)
        return _FEEDSPORTAL_CODE.sub(_feedsportal, target[1]) if target else ""
    if _ARCHIVES.fullmatch(name):
        target = _ARCHIVED.fullmatch(parts.path)
        return _SCHEME.sub(r"\1://", target[1], count=1) + query if target else ""
    amp = _AMP_CACHE.fullmatch(name) or (
        _GOOGLE_AMP.fullmatch(name) and parts.path.startswith("/amp/")
    )
    if amp and (target := _AMP_PATH.fullmatch(parts.path)):
        return f"http{'s' if target[1] else ''}://{target[2]}{query}"
    return ""


def _in_host(name: str, parts: SplitResult) -> str:
    stand_in = _STAND_IN.fullmatch(name)
    if stand_in is None:
        return ""
    real = stand_in[1]
    if "." not in real:
        real = real.replace("--", "\0").replace("-", ".").replace("\0", "-")
    if "." not in real:
        return ""
    query = _STAND_IN_QUERY.sub("", parts.query).removeprefix("&")
    return f"https://{real}{parts.path}{'?' if query else ''}{query}"


def _decoded(coded: str) -> str:
    """Return the first address among the bytes that base64 stands for."""
    try:
        raw = urlsafe_b64decode(coded.rstrip("=") + "==")
    except ValueError:
        return ""
    inside = _IN_BYTES.search(raw)
    return inside[0].decode() if inside else ""


def _feedsportal(code: re.Match[str]) -> str:
    return _FEEDSPORTAL_LETTERS.get(code[1], code[0])
