"""What an address is made of."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

_PORTS = {"http": 80, "https": 443}
# Under these labels everybody has a name of their own: example.co.uk, and m.co.uk too.
SHARED = frozenset("ac asso co com edu gob gouv gov ne net or org".split())
# What may stand in a path, a query or a fragment (RFC 3986 §3.3-3.5).
_LEGAL = r"[!$&'()*+,\-./0-9:;=?@A-Z_a-z~]"
_ESCAPED = "%[0-9A-Fa-f]{2}"
_ILLEGAL = re.compile(f"(?!{_LEGAL}|{_ESCAPED}).", re.DOTALL)
_NAME = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*"
_HOST = re.compile(rf"{_NAME}|\[[0-9a-f:.]+\]")
_LEGALS = f"(?:{_LEGAL}++|{_ESCAPED})*+"
_WRITTEN = re.compile(
    rf"https?://{_NAME}(?::[1-9]\d{{0,3}}(?<!:80)(?<!:443))?/{_LEGALS}(?:#{_LEGALS})?"
)
_OWN, _COUNTRY = 2, 2  # labels of a name that is somebody's, letters of a country's


def web(url: str) -> bool:
    """Tell whether `url` is an absolute http(s) address with a host."""
    # nearly all are written well; splitting takes three times as long
    return _WRITTEN.fullmatch(url) is not None or split(url) is not None


def split(url: str) -> SplitResult | None:
    """Return the parts of an absolute http(s) address with a host, None for others."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an unclosed bracket, for one
        return None
    return parts if parts.scheme in _PORTS and parts.hostname else None


def host(url: str) -> str:
    """Return the lower-case host of `url` with any odd port, "" when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    name = (parts.hostname or "").rstrip(".")
    return name if port in (None, _PORTS.get(parts.scheme)) else f"{name}:{port}"


def written(url: str) -> str:
    """Return a web address as RFC 3986 writes it, "" for anything else.

    It leads to the same page: scheme and host in lower case, the host in ASCII, a
    default port left out, an empty path as "/", and what may stand in no address, such
    as é or |, escaped as a browser does before it asks. A name and password go: they
    are not to be published.
    """
    if _WRITTEN.fullmatch(url):  # nearly all are; splitting takes five times as long
        return url
    parts = split(url)
    if parts is None:
        return ""
    name = (parts.hostname or "").rstrip(".")
    try:
        port = parts.port
        if not name.isascii():
            name = name.encode("idna").decode("ascii")
    except ValueError:  # no number, or too long for a name
        return ""
    name = f"[{name}]" if ":" in name else name
    if not _HOST.fullmatch(name):
        return ""
    if port not in (None, _PORTS[parts.scheme]):
        name = f"{name}:{port}"
    path, query, fragment = (
        _ILLEGAL.sub(_escape, part)
        for part in (parts.path or "/", parts.query, parts.fragment)
    )
    return urlunsplit((parts.scheme, name, path, query, fragment))


def _escape(found: re.Match[str]) -> str:
    return quote(found[0], errors="replace")


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
    shared = len(labels) > _OWN and labels[-2] in SHARED and len(labels[-1]) == _COUNTRY
    return ".".join(labels[-3 if shared else -2 :])
