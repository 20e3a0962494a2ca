"""Links that lead elsewhere, followed to where they lead: as `read`, without the page.

A function of its argument and the network, under the same restrictions. Only servers of
redirects are asked, as by a reader's click, so no robots.txt is: what stands at the end
is not asked for here.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aggregator.fault import where
from aggregator.fetch import PAGES, Fetcher, Turns, spacing
from aggregator.model import (
    Failure,
    FetchError,
    Lead,
    PageBatch,
    PageTask,
    PausedError,
    StoppedError,
    Validators,
)
from aggregator.urls import home, opaque, site, unwrapped

# Walls that stand at one address for all articles, or before each of them.
_WALL: Final = re.compile(
    r"(?:^|[/._-])(?:captcha|cgu|consent|consentement|cookies?|connexion|erreur|error|"
    r"expired|log-?in|not-?found|privacy|sign-?(?:in|up)|subscribe|abonnement|404)"
    r"(?:$|[/._?-])",
    re.IGNORECASE,
)


class _ArrivedError(Exception):
    """The next address is none of a redirect any more; nothing more is asked."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


def follow(batch: PageBatch, stop: threading.Event | None = None) -> tuple[Lead, ...]:
    """Return where each link leads, in the order of the batch.

    stop: once it is set no further request is made. Whatever a server does is a value;
    a failure of kind "ours" is a fault of this program, and its reason says where.
    """
    turns = Turns(spacing(batch.polling), batch.pauses, stop, just_asked=batch.host)
    with Fetcher(batch.polling, batch.user_agent, turns) as fetcher:
        return tuple(_lead(task, batch, fetcher) for task in batch.tasks)


def _lead(task: PageTask, batch: PageBatch, fetcher: Fetcher) -> Lead:
    before = Lead(task.page, batch.now)
    try:
        return replace(before, target=_target(task, batch, fetcher))
    except StoppedError:
        return replace(before, asked=False)
    except PausedError as exc:
        return replace(before, asked=False, not_before=exc.until)
    except FetchError as exc:
        return replace(
            before,
            failure=Failure(exc.kind, str(exc)),
            not_before=exc.not_before,
            paused_host=exc.paused_host,
        )
    except Exception as exc:  # noqa: BLE001 - one link must not end the others
        return replace(before, failure=Failure("ours", where(exc)))


def _target(task: PageTask, batch: PageBatch, fetcher: Fetcher) -> str:
    """Return the first address that is none of a redirect; raises FetchError."""

    def gate(url: str) -> None:
        if not opaque(url):
            raise _ArrivedError(url)

    try:
        fetcher.fetch(
            task.url,
            Validators(),
            now=batch.now,
            timeout=task.timeout,
            accept=PAGES,
            gate=gate,
        )
    except _ArrivedError as exc:
        target = unwrapped(exc.url)
        if why := _unfit(target, task.url):
            raise FetchError(why, kind="http") from exc
        return target
    raise FetchError("answers with a page of its own, and leads nowhere", kind="http")


def _unfit(target: str, url: str) -> str:
    """Return why no article stands where a link leads, "" when one may."""
    parts = urlsplit(target)
    if home(target):
        return "redirect to a home page"
    if site(target) == site(url):
        return "redirect to another page of the same service"
    if _WALL.search(parts.path) or _WALL.match(
        (parts.hostname or "").partition(".")[0]
    ):
        return "redirect to a wall before the article"
    if _private(parts.hostname or ""):
        return "redirect to no public address"
    return ""


def _private(name: str) -> bool:
    """Tell whether a host is a bare address or has no name that others know."""
    try:
        ip_address(name)
    except ValueError:
        return "." not in name.strip(".")
    return True
