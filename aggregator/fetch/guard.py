"""Where we connect to and for how long: public addresses only, one deadline for all.

Sockets, and the connections that requests is given instead of its own; what is asked
over them and what comes back is the business of `fetch`.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from os import environ
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection

from aggregator.model import FetchError

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its end
_PUBLIC_IN_FORM: Final = (
    IPv4Network("192.0.0.0/24"),  # RFC 6890: for protocols; Oracle's metadata
    IPv4Network("168.63.129.16/32"),  # what Azure's machines are told by
)
_ATTEMPT: Final = 10.0  # seconds for a name, and for one address while others are left
_NAME_ERRORS: Final = {
    socket.EAI_NONAME: "name not found",
    socket.EAI_AGAIN: "no answer for now",
}

Options = Iterable[tuple[int, int, int | bytes]]  # as setsockopt takes them


def public(address: str) -> bool:
    """Tell whether an IP address belongs to the public Internet.

    IPv4 addresses inside IPv6 ones (mapped, 6to4, NAT64) are judged as what they reach;
    multicast, site-local and reserved ones are not public, nor are those at which a
    cloud tells its machines their secrets.
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
    if any(ip in network for network in _PUBLIC_IN_FORM):
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

    def lengthen(self, seconds: float) -> None:
        """Give some more: the time in which nothing was asked does not count."""
        self._at += seconds

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


class TimedTLSSocket(_Timed, ssl.SSLSocket):
    """A TLS socket under a deadline; `SSLContext.sslsocket_class` makes them."""


def resolve(host: str, port: int, deadline: Deadline) -> list[tuple[Any, ...]]:
    """Return what getaddrinfo says of a host, as it stands there.

    Raises FetchError when the name is not known or cannot be one, or nothing is said
    within ten seconds: getaddrinfo knows no timeout, so it is left behind in a thread
    of its own. Behind a proxy there is often no name server, and time left without it.
    An address is no name: nobody is asked for it, and no thread started.
    """
    wanted = partial(
        socket.getaddrinfo,
        host.strip("[]"),
        port,
        type=socket.SOCK_STREAM,
        proto=socket.IPPROTO_TCP,
    )
    with suppress(OSError, ValueError, OverflowError):
        return wanted(flags=socket.AI_NUMERICHOST)
    answer: Future[list[tuple[Any, ...]]] = Future()

    def ask() -> None:
        try:
            answer.set_result(wanted())
        except Exception as exc:  # noqa: BLE001 - for the one who waits
            answer.set_exception(exc)

    threading.Thread(target=ask, name=f"dns {host}", daemon=True).start()
    try:
        return answer.result(min(deadline.left(), _ATTEMPT))
    except TimeoutError as exc:
        raise FetchError("dns: timeout") from exc
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
    turn, each but the last for at most ten seconds and its share of the time left.
    private: also those that are not public.

    Raises FetchError when no address may be asked, or none answers in time.
    """
    found = resolve(host, port, deadline)
    infos = found if private else allowed(found)
    failed: OSError | None = None
    for number, info in enumerate(infos):
        others = len(infos) - number - 1
        share = deadline.left() / (others + 1)
        timeout = min(share, _ATTEMPT) if others else share
        try:
            return _connected(info, timeout, deadline, options)
        except OSError as exc:
            failed = exc
    if isinstance(failed, TimeoutError):
        deadline.left()
        raise FetchError("timeout: no answer to the connection") from failed
    reason = str((failed and failed.strerror) or failed).lower()
    raise FetchError(f"connection: {reason}") from failed


def _connected(
    info: tuple[Any, ...], timeout: float, deadline: Deadline, options: Options
) -> TimedSocket:
    """Return a socket connected to one address; `timeout` is for connecting alone."""
    family, kind, protocol, _, address = info
    sock = TimedSocket(family, kind, protocol)
    try:
        sock.deadline = deadline
        for option in options:
            sock.setsockopt(*option)
        sock.settimeout(timeout)
        sock.connect(address)
        sock.settimeout(deadline.left())  # of a handshake that may follow
    except BaseException:
        sock.close()
        raise
    return sock


@dataclass
class Gate:
    """What connections of a session are made by. made: how many were."""

    deadline: Deadline
    private: bool
    made: int = 0


class _Plain(HTTPConnection):
    """An HTTP connection made by `guard`."""

    def __init__(self, *args: Any, gate: Gate, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self._gate = gate

    def _new_conn(self) -> TimedSocket:
        sock = connect(
            self._dns_host,
            self.port,
            self._gate.deadline,
            # a proxy was named by who runs this machine; its targets are checked above
            private=self._gate.private or self.proxy is not None,
            options=self.socket_options or (),
        )
        self._gate.made += 1
        return sock


class _TLS(_Plain, HTTPSConnection):
    """An HTTPS connection made by `guard`."""

    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, TimedTLSSocket):
            self.sock.deadline = self._gate.deadline


class Adapter(HTTPAdapter):
    """Makes every connection, direct or through a proxy, one of those above."""

    def __init__(self, gate: Gate) -> None:
        """Let connections be made as the gate says."""
        self._gate = gate
        super().__init__(pool_connections=20, pool_maxsize=1)

    def send_again(
        self,
        request: requests.PreparedRequest,
        **options: Any,  # noqa: ANN401 - as send's
    ) -> requests.Response:
        """Send, once more if a connection kept open had been closed by the server."""
        made = self._gate.made
        try:
            return self.send(request, **options)
        except requests.ConnectionError:
            if self._gate.made > made:
                raise
            return self.send(request, **options)

    def cert_verify(self, conn: Any, *_: object) -> None:  # noqa: ANN401
        """Ask for a valid certificate; the authorities are in the context already."""
        conn.cert_reqs = "CERT_REQUIRED"

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Return the pool for a request, which makes our connections."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.conn_kw["gate"] = self._gate
        if pool.scheme == "https":
            pool.ConnectionCls = _TLS
            pool.conn_kw["ssl_context"] = tls_context()
        else:
            pool.ConnectionCls = _Plain
        return pool


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Return the context of every TLS connection; to read the authorities takes 20 ms.

    They are requests' own, or those of REQUESTS_CA_BUNDLE or SSL_CERT_FILE. Raises
    FetchError when there are none to be read.
    """
    bundle = environ.get("REQUESTS_CA_BUNDLE") or environ.get("SSL_CERT_FILE")
    try:
        context = ssl.create_default_context(cafile=bundle or DEFAULT_CA_BUNDLE_PATH)
    except OSError as exc:
        reason = str(exc.strerror).lower()
        raise FetchError(f"the certificates of this machine: {reason}") from exc
    context.sslsocket_class = TimedTLSSocket
    return context
