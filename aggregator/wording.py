"""What the maintainer writes, as this program words it: TOML, and commands. Pure.

What writes a decision down, or prints one to be pasted, takes its text from here;
`curation` and `config` read it back as the same. Nothing that opens a file may enter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.model import Action, Addition, Decision, Outlet

_SHORT = re.compile(r"[a-z2-7]{8}")  # as `identity.short` makes them
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# DEL, and what steers a terminal or turns a line about in it or in an editor.
_UNSEEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")  # no text, and TOML cannot name them


def decision(decided: Decision, timezone: str) -> str:
    """Return the table `[[decision]]` of a decision, without a last line end.

    timezone: the site's, in which dates are written.
    """
    return _table([*_pairs(decided, ZoneInfo(timezone))])


def addition(
    url: str, outlet: str, topics: Sequence[str], *, title: str = "", day: str = ""
) -> str:
    """Return a table that adds an article, to be filled in where it says "".

    `curation` refuses it until then. day: `2020-02-14`, or a month.
    """
    return _table(
        [
            ("action", quoted(Action.ADD)),
            ("url", quoted(url)),
            ("title", quoted(title)),
            ("outlet", quoted(outlet)),
            ("published", quoted(day)),
            ("topics", _list(topics)),
        ]
    )


def outlet(name: str, urls: Sequence[str]) -> str:
    """Return an outlet's line of `[outlets]` in feeds.toml."""
    return listed(Outlet(name, tuple(urls)))


def listed(outlet: Outlet, column: int = 0) -> str:
    """Return an outlet's line of `[outlets]`, with all that is known of it.

    column: where its `=` stands at least, from 0, to stand under others.
    """
    addresses = quoted(outlet.urls[0]) if len(outlet.urls) == 1 else _list(outlet.urls)
    pairs = [("url", addresses), *_beside(outlet)]
    value = addresses if len(pairs) == 1 else _inline(pairs)
    return f"{quoted(outlet.name) + ' ':{column}}= {value}"


def duration(length: timedelta) -> str:
    """Return a duration as feeds.toml writes it, in the largest unit that fits."""
    seconds = round(length.total_seconds())
    for unit, worth in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % worth == 0:
            return f'"{seconds // worth}{unit}"'
    return f'"{seconds}s"'


def command(action: Action, *shorts: str) -> str:
    """Return the command that decides on stories.

    By short id, not by URL: some addresses show another article every day.
    """
    return f"aggregator {action} {' '.join(shorts)}"


def quoted(text: str) -> str:
    """Return the text as a TOML string on one line, which looks like what it says."""
    # JSON escapes what TOML wants escaped, but for DEL.
    written = json.dumps(_SURROGATE.sub("\ufffd", text), ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _table(pairs: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in pairs)
    lines = (f"{name:{width}} = {value}" for name, value in pairs)
    return "\n".join(("[[decision]]", *lines))


def _pairs(decided: Decision, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Yield keys and values in the order of docs/curation.md."""
    yield "action", quoted(decided.action.value)
    if decided.addition:
        yield from _addition(decided.addition, decided.targets, zone)
    elif decided.action is Action.MERGE:
        yield "urls", _list(decided.targets)
    else:
        (target,) = decided.targets
        short = decided.action is not Action.SPLIT and _SHORT.fullmatch(target)
        yield "story" if short else "url", quoted(target)
        if decided.published:
            yield "published", quoted(decided.published)
    if decided.action is Action.RETAG:
        yield "topics", _list(decided.topics)
    if decided.action is Action.NOTE:
        yield "text", quoted(decided.text)
    if decided.reason:
        yield "reason", quoted(decided.reason)
    if decided.at:
        yield "at", _moment(decided.at, zone)


def _addition(
    item: Addition, targets: Sequence[str], zone: ZoneInfo
) -> Iterator[tuple[str, str]]:
    # A key that was made of date, outlet and title holds slashes; an id never does.
    named = (name for name in targets if name != item.url and "/" not in name)
    day = item.published_at.astimezone(zone).date().isoformat()
    published = {
        "month": quoted(day[:7]),
        "day": day,
        "time": _moment(item.published_at, zone),
    }
    texts = {
        "id": next(named, ""),
        "url": item.url,
        "title": item.title,
        "outlet": item.outlet,
    }
    more = {
        "form": item.form,
        "detail": item.detail,
        "author": item.author,
        "excerpt": item.excerpt,
        "archived": item.archived,
    }
    yield from ((name, quoted(text)) for name, text in texts.items() if text)
    yield "published", published[item.precision]
    yield "topics", _list(item.topics)
    yield from ((name, quoted(text)) for name, text in more.items() if text)


def _beside(outlet: Outlet) -> Iterator[tuple[str, str]]:
    """Yield what an outlet's table has beside `url`, in the order of docs/feeds.md."""
    writers: dict[str, Callable[[Any], str]] = {
        "homepage": quoted,
        "language": quoted,
        "enabled": lambda truth: str(truth).lower(),
        "kind": quoted,
        "topics": _list,
        "always": _list,
        "review": _list,
        "articles": quoted,
        "interval": duration,
        "excerpt": str,
        "timeout": duration,
        "headers": lambda pairs: _inline([(_key(n), quoted(v)) for n, v in pairs]),
    }
    unset = Outlet("", ())
    for name, write in writers.items():
        value = getattr(outlet, name)
        if value != getattr(unset, name):
            yield name, write(value)


def _inline(pairs: Sequence[tuple[str, str]]) -> str:
    return f"{{ {', '.join(f'{name} = {value}' for name, value in pairs)} }}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else quoted(name)


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, texts))}]"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as TOML has it, in the zone where that has whole minutes.

    (Paris was 9 min 21 s ahead until 1911, which TOML cannot say.)
    """
    local = at.astimezone(zone)
    offset = local.utcoffset()
    odd = offset is not None and offset.total_seconds() % 60
    return (at if odd else local).isoformat()
