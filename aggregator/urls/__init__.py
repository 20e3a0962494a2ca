"""Addresses: the key under which all addresses of one article meet.

`parts` says what an address is made of; `wrapped` reads the target out of a redirect
that carries it, `opaque` knows those that do not; `tracking` knows the parameters that
follow a reader; `canonical` makes the key. Pure. Nothing that asks the network may
enter; what only a server knows (short links, rel=canonical) is learnt elsewhere.
"""

from aggregator.urls.canonical import canonical
from aggregator.urls.opaque import HOME, lobby, nowhere, opaque
from aggregator.urls.parts import home, host, origin, site, web, written
from aggregator.urls.wrapped import unwrapped

__all__ = [
    "HOME",
    "canonical",
    "home",
    "host",
    "lobby",
    "nowhere",
    "opaque",
    "origin",
    "site",
    "unwrapped",
    "web",
    "written",
]
