"""What an address is made of."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}


def web(url: str) -> bool:
    """Tell whether `url` is an absolute http(s) address with a host."""
    return split(url) is not None


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
