"""Telling systemd how a service fares: sd_notify(3), without its library.

Says nothing where nobody listens. What is worth telling is for the caller to decide.
"""

from __future__ import annotations

import os
import socket


def notify(state: str) -> None:
    """Send a state such as "READY=1" to the socket that $NOTIFY_SOCKET names.

    A socket that is gone or full is no reason to stop working: nothing is raised.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket, see unix(7)
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto(state.encode(), socket.MSG_DONTWAIT, address)
        except OSError:
            return
