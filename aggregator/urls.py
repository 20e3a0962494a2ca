"""Canonical URLs: what two addresses of one article have in common.

Pure and idempotent. A canonical URL is a key to compare by, never a link to publish.
Nothing that asks the network may enter; what only a server knows (short links,
rel=canonical) is learnt elsewhere. What a redirect says of itself is read here.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

# Parameters that say how a reader came, not what is read. Families by prefix: Google
# and Matomo campaigns, AT Internet (BBC, French press), Mailchimp, Piano, HubSpot.
_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "at_", "mc_", "xtor", "_hs", "ns_")
_TRACKING = frozenset(
    """
    fbclid gclid dclid msclkid twclid yclid igshid cmpid cmp campaign_id ito ncid
    smid smtyp ref_src ref_url s_cid wt_mc wt_zmc mkt_tok oly_enc_id oly_anon_id
    """.split()
)
# Redirects of searches, alerts and networks that carry their target: host, beginning of
# the path, the parameters that hold it. A host ends as given: www.google.fr, too.
_GOOGLE = re.compile(r"(?:[a-z]+\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?")
_WRAPPERS = (
    (_GOOGLE, "/url", ("url", "q")),
    (re.compile(r"(?:www\.)?bing\.com"), "/news/apiclick.aspx", ("url",)),
    (re.compile(r"(?:html\.)?duckduckgo\.com"), "/l/", ("uddg",)),
    (re.compile(r"lm?\.(?:facebook|instagram)\.com"), "/", ("u",)),
    (re.compile(r"(?:www\.)?youtube\.com"), "/redirect", ("q",)),
)
_YAHOO = re.compile(r"r\.search\.yahoo\.com")
_YAHOO_TARGET = re.compile(r"/RU=([^/]+)")
_NEWS = re.compile(r"(?:/rss)?(?:/__i/rss/rd)?/(?:articles|read)/([\w-]+=*)")
_IN_BYTES = re.compile(rb"https?://[\x21-\x7e]+")
_SPACE = re.compile(r"[\x00-\x20\x7f]+")
_WRAPS = 3  # redirects in one another: an alert of a search of a network, hardly more

_PORTS = {"http": 80, "https": 443}
# Under these labels of a country everybody has a name of their own: example.co.uk.
_SHARED = frozenset("ac asso co com edu gob gouv gov ne net or org".split())
_OWN, _COUNTRY = 2, 2  # labels of a name that is somebody's, letters of a country's
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_SLASHES = re.compile(r"/{2,}")
_UNRESERVED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)  # RFC 3986 §2.3


def web(url: str) -> bool:
    """Tell whether `url` is an absolute http(s) address with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an unclosed bracket, for one
        return False
    return parts.scheme in _PORTS and bool(parts.hostname)


def host(url: str) -> str:
    """Return the lower-case host of `url` with any odd port, "" when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    name = (parts.hostname or "").rstrip(".")
    return name if port in (None, _PORTS.get(parts.scheme)) else f"{name}:{port}"


def home(url: str) -> bool:
    """Tell whether a web address is that of a home page: no path and no query."""
    parts = urlsplit(url)
    return not parts.path.strip("/") and not parts.query


def origin(url: str) -> str:
    """Return scheme and host of a web address, such as `https://www.slate.fr`."""
    return f"{urlsplit(url).scheme}://{host(url)}"


def site(url: str) -> str:
    """Return what the hosts of one owner share, as far as their form tells.

    `www.slate.fr` and `m.slate.fr` are `slate.fr`; an address in figures is itself.
    """
    name = host(url)
    labels = name.partition(":")[0].split(".")
    if labels[-1].isdigit() or name.count(":") > 1:
        return name
    shared = (
        len(labels) > _OWN and labels[-2] in _SHARED and len(labels[-1]) == _COUNTRY
    )
    return ".".join(labels[-3 if shared else -2 :])


def canonical(url: str) -> str:
    """Return the key under which all addresses of one article meet; "" for no web URL.

    Scheme, `www.`, default port, letter case of the host, fragment, tracking
    parameters, doubled and trailing slashes and the spelling of percent-escapes
    (RFC 3986 §6.2.2) make no difference; the other parameters do, in their order.
    """
    url = url.strip()
    if not web(url):
        return ""
    parts = urlsplit(url)
    name = host(url).removeprefix("www.")
    path = _SLASHES.sub("/", _escapes(parts.path)).rstrip("/")
    kept = [pair for pair in parts.query.split("&") if pair and not _tracks(pair)]
    query = "?" + _escapes("&".join(kept)) if kept else ""
    return f"https://{name}{path}{query}"


def unwrapped(url: str) -> str:
    """Return the address that a redirect of a search, an alert or a network carries.

    Where it carries none, or an opaque one as Google News does since 2024: `url`.
    """
    for _ in range(_WRAPS):
        target = _carried(urlsplit(url)) if web(url) else ""
        if not web(target):
            break
        url = _SPACE.sub("%20", target.strip())
    return url


def _carried(parts: SplitResult) -> str:
    """Return the target in a redirect's address, "" for what is none."""
    name = parts.hostname or ""
    for hosts, path, keys in _WRAPPERS:
        if hosts.fullmatch(name) and parts.path.startswith(path):
            given = parse_qs(parts.query)
            found = (given[key][0].strip() for key in keys if key in given)
            return next(found, "")
    if _YAHOO.fullmatch(name):
        target = _YAHOO_TARGET.search(parts.path)
        return unquote(target[1]) if target else ""
    if name == "news.google.com" and (coded := _NEWS.fullmatch(parts.path)):
        try:
            raw = urlsafe_b64decode(coded[1].rstrip("=") + "==")
        except ValueError:
            return ""
        inside = _IN_BYTES.search(raw)
        return inside[0].decode() if inside else ""
    return ""


def _tracks(pair: str) -> bool:
    """Tell whether a `name=value` of a query is there to follow the reader."""
    name = pair.partition("=")[0].lower()
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES)


def _escapes(text: str) -> str:
    """Spell percent-escapes in the one way of RFC 3986 §6.2.2."""
    text = _STRAY_PERCENT.sub("%25", text)
    text = quote(text, safe="%/:@!$&'()*+,;=?-._~[]", errors="replace")
    return _ESCAPED.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if code in _UNRESERVED else found[0].upper()
