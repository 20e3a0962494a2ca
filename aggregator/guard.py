"""Where we connect to and for how long: public addresses only, one deadline for all.

Sockets of the standard library and decisions about addresses; no HTTP, no requests and
no urllib3 may enter. `fetch` makes its connections here.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from ssl import SSLSocket
from typing import Any, Final

from aggregator.model import FetchError

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its end
_ATTEMPT: Final = 10.0  # seconds for one address while others are left to try
_NAME_ERRORS: Final = {
    socket.EAI_NONAME: "name not found",
    socket.EAI_AGAIN: "no answer for now",
}

Options = Iterable[tuple[int, int, int | bytes]]  # as setsockopt takes them


def public(address: str) -> bool:
    """Tell whether an IP address belongs to the public Internet.

    IPv4 addresses inside IPv6 ones (mapped, 6to4, NAT64) are judged as what they reach;
    multicast, site-local and reserved ones are not public.
    """
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            ip = inner
        elif ip.is_site_local or ip.teredo is not None:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class Deadline:
    """The moment at which a request has to be over, for all its connections."""

    def __init__(self) -> None:
        """Start without time left; `start` gives some."""
        self.seconds = 0.0
        self._at = 0.0

    def start(self, seconds: float) -> None:
        """Give the next request that many seconds from now."""
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left, more than 0.

        Raises FetchError when there are none.
        """
        left = self._at - time.monotonic()
        if left <= 0:
            raise FetchError(f"timeout after {self.seconds:g} s")
        return left


class _Timed:
    """A socket of which no single read outlasts the deadline.

    A timeout per read is not enough: a server that drips a byte now and then would
    keep the headers coming for ever.
    """

    deadline: Deadline

    def recv_into(self, *args: Any, **options: Any) -> int:  # noqa: ANN401 - as socket's
        """Read as `socket.recv_into` does, for as long as time is left."""
        self.settimeout(self.deadline.left())  # type: ignore[attr-defined]
        return super().recv_into(*args, **options)  # type: ignore[misc,no-any-return]


class TimedSocket(_Timed, socket.socket):
    """A plain socket under a deadline."""


class TimedTLSSocket(_Timed, SSLSocket):
    """A TLS socket under a deadline; `SSLContext.sslsocket_class` makes them."""


def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """Return what getaddrinfo says of a host, as it stands there.

    Raises FetchError when the name is not known or cannot be one.
    """
    try:
        return socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except socket.gaierror as exc:
        reason = _NAME_ERRORS.get(exc.errno or 0, str(exc.strerror).lower())
        raise FetchError(f"dns: {reason}") from exc
    except (UnicodeError, ValueError, OverflowError) as exc:
        raise FetchError("dns: not a host name") from exc


def allowed(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the public ones of resolved addresses.

    Raises FetchError of kind "refused" when none is left.
    """
    kept = [info for info in found if public(info[4][0])]
    if not kept:
        raise FetchError("refused: no public address", kind="refused")
    return kept


def connect(
    host: str,
    port: int,
    deadline: Deadline,
    *,
    private: bool,
    options: Options = (),
) -> TimedSocket:
    """Return a socket connected to the first address of `host` that answers.

    The address that was checked is the one connected to: a name that resolves
    otherwise a moment later (DNS rebinding) gains nothing. Every address is tried in
    turn, each but the last for at most ten seconds. private: also those that are not
    public.

    Raises FetchError when no address may be asked, or none answers in time.
    """
    found = resolve(host, port)
    infos = found if private else allowed(found)
    failed: OSError | None = None
    for position, (family, kind, protocol, _, address) in enumerate(infos, 1):
        sock = TimedSocket(family, kind, protocol)
        sock.deadline = deadline
        try:
            for option in options:
                sock.setsockopt(*option)
            left = deadline.left()
            sock.settimeout(left if position == len(infos) else min(left, _ATTEMPT))
            sock.connect(address)
        except OSError as exc:
            failed = exc
            sock.close()
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    if isinstance(failed, TimeoutError):
        deadline.left()
        raise FetchError("timeout: no answer to the connection") from failed
    reason = str((failed and failed.strerror) or failed).lower()
    raise FetchError(f"connection: {reason}") from failed
