"""Why a request failed, in a few words: what libraries raise, as people may read it."""

from __future__ import annotations

import http.client
import ssl
from typing import Final

import requests
import urllib3

_NAMED: Final = (
    (http.client.RemoteDisconnected, "connection closed without an answer"),
    (http.client.IncompleteRead, "connection closed within the answer"),
    (http.client.HTTPException, "no http answer"),
    (urllib3.exceptions.DecodeError, "body is not compressed as its header says"),
    (requests.exceptions.InvalidHeader, "a header of this outlet cannot be sent"),
    (TimeoutError, "timeout"),
)


# Asking again mends none of these: the name or the certificate would have to change.
_LASTING: Final = ("dns: name not found", "dns: no address", "certificate: ")


def lasting(reason: str) -> bool:
    """Tell whether a reason is one that hardly passes by itself: see `why`, `guard`."""
    return reason.startswith(_LASTING)


def why(exc: BaseException) -> str:
    """Return the first cause that has a name, in one lower-case line without the URL.

    urllib3 and requests wrap what happened several times, each in its own way.
    """
    cause: BaseException | None = exc
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError():
                return f"certificate: {cause.verify_message.lower()}"
            case ssl.SSLError():
                return f"tls: {(cause.reason or 'failed').lower().replace('_', ' ')}"
            case OSError(strerror=str(words)) if words:
                return f"connection: {words.lower()}"
        for kind, words in _NAMED:
            if isinstance(cause, kind):
                return words
        inner = [part for part in cause.args if isinstance(part, BaseException)]
        cause = cause.__cause__ or (inner[0] if inner else cause.__context__)
    return f"connection failed: {type(exc).__name__.lower()}"
