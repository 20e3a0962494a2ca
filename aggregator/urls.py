"""Canonical URLs: what two addresses of one article have in common.

Pure and idempotent. A canonical URL is a key to compare by, never a link to publish.
Nothing that asks the network may enter; what only a server knows (short links,
rel=canonical) is learnt elsewhere.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

# Parameters that say how a reader came, not what is read. Families by prefix: Google
# and Matomo campaigns, AT Internet (BBC, French press), Mailchimp, Piano, HubSpot.
_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "at_", "mc_", "xtor", "_hs", "ns_")
_TRACKING = frozenset(
    """
    fbclid gclid dclid msclkid twclid yclid igshid cmpid cmp campaign_id ito ncid
    smid smtyp ref_src ref_url s_cid wt_mc wt_zmc mkt_tok oly_enc_id oly_anon_id
    """.split()
)
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
