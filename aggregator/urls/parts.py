"""What an address is made of."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}
# Under these labels everybody has a name of their own: example.co.uk, and m.co.uk too.
SHARED = frozenset("ac asso co com edu gob gouv gov ne net or org".split())
_OWN, _COUNTRY = 2, 2  # labels of a name that is somebody's, letters of a country's


def web(url: str) -> bool:
    """Tell whether `url` is an absolute http(s) address with a host."""
    return split(url) is not None


def split(url: str) -> SplitResult | None:
    """Return the parts of an absolute http(s) address with a host, None for others."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # an unclosed bracket, a port beyond 65535
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
