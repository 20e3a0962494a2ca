"""curation.toml → decisions: the maintainer's own word, in the order written.

Each table is read by the keys of its action; every problem is shown at once. What a
decision does to a story (that later ones win, for one) is `decisions`; which story a
URL means is known to the store. Reads that one file, writes nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from aggregator.config.tables import (
    REQUIRED,
    Key,
    Problems,
    Table,
    UnfitError,
    load,
    loads,
    near,
    shown,
    tables,
)
from aggregator.config.values import (
    choice,
    line,
    some,
    text,
    topic_id,
    url,
    url_or_nothing,
)
from aggregator.model import Action, Addition, Decision, Precision, Topic
from aggregator.text import fold
from aggregator.urls import canonical

FORMS: Final = (
    "article",
    "interview",
    "tribune",
    "radio",
    "tv",
    "video",
    "podcast",
    "paper",
)
"""In which form an added article exists."""

_NOON: Final = time(12)  # of a date without time: the same day in every zone near
_YEARS: Final = range(1800, 3000)  # the press; also what datetime can convert
_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_SHORT: Final = re.compile(r"[a-z2-7]{8}")  # as `identity.short` makes them
_ID: Final = re.compile(r"[\w.-]+")
_MADE: Final = re.compile(r"\d{4}-\d{2}(-\d{2})?/[^/]+/.+")  # see `_key`


@dataclass(frozen=True, slots=True)
class When:
    """A date as written, before its zone is known."""

    written: datetime | date
    precision: Precision

    def at(self, zone: ZoneInfo) -> datetime:
        """Return the moment in UTC; a date alone is 12:00 in the site's zone."""
        moment = self.written
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, _NOON)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)

    def day(self, zone: ZoneInfo) -> str:
        """Return `2020-02-14` in the site's zone, or `2019-11`."""
        day = self.at(zone).astimezone(zone).date().isoformat()
        return day[:7] if self.precision == "month" else day


# ── readers of this file's own values ─────────────────────────────────────────────────


def when(raw: object) -> When:
    """Return a date, a date with time, or a month; quotes around them do no harm."""
    value = raw
    if isinstance(value, str):
        try:
            if found := _MONTH.fullmatch(value.strip()):
                value = date(int(found[1]), int(found[2]), 1)
                if value.year in _YEARS:
                    return When(value, "month")
            elif re.match(r"\d{4}-\d{2}-\d{2}[T ]", value.strip()):
                value = datetime.fromisoformat(value.strip())
            elif re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
                value = date.fromisoformat(value.strip())
        except ValueError:  # 30 February
            value = raw
    if isinstance(value, date) and value.year in _YEARS:  # a datetime is a date
        return When(value, "time" if isinstance(value, datetime) else "day")
    what = f"{shown(raw)} is no date; write 2020-02-14, 2020-02-14T20:00:00+01:00"
    raise UnfitError(("", f'{what} or, for a month, "2020-02"'))


def target(raw: object) -> str:
    """Return what names a story: a URL of it, or the id of an addition."""
    value = text(raw)
    if canonical(value) or _ID.fullmatch(value) or _MADE.fullmatch(value):
        return value
    if "/" in value or ":" in value:
        return url(value)  # says what is wrong with it
    what = f"{shown(raw)} is neither a web address nor an id"
    raise UnfitError(("", f"{what}; an id has letters, digits, dots and hyphens"))


def story(raw: object) -> str:
    """Return a story's short id."""
    value = text(raw)
    if _SHORT.fullmatch(value):
        return value
    what = f"{shown(raw)} is no short id; write the eight letters and digits shown"
    raise UnfitError(("", f'{what} with the story, or url = "…"'))


def new_id(raw: object) -> str:
    """Return the id of an addition."""
    value = text(raw)
    if _ID.fullmatch(value):
        return value
    what = f"{shown(raw)} is no id; write letters, digits, dots and hyphens only"
    raise UnfitError(("", f'{what}, such as "jt-france2-2020-02-14"'))


# ── the keys of each action ───────────────────────────────────────────────────────────

_ACTIONS = tuple(action.value for action in Action)
_ACTION = Key("action", choice(*_ACTIONS), REQUIRED, "what to do", '"hide"')
_COMMON = (
    _ACTION,
    Key("reason", text, "", "why, for yourself", '"un autre film"'),
    Key("at", when, None, "when it was decided", "2026-11-23T10:00:00+01:00"),
)
_PUBLISHED = Key(
    "published",
    when,
    None,
    "tells apart stories that share a URL",
    "2020-02-14",
)
_TARGET = (
    Key("url", target, None, "any URL of the story, or its id", '"https://…"'),
    Key("story", story, None, "its short id, instead of a URL", '"k7f3q2zd"'),
    _PUBLISHED,
)
_TOPICS = Key(
    "topics",
    some(topic_id, 1, 'at least one topic, ["documentaire"]'),
    REQUIRED,
    "the topics it belongs to",
    '["documentaire"]',
)


def _table(*keys: Key) -> Table:
    return Table("decision[]", *_COMMON, *keys)


ACTIONS: Final[Mapping[Action, Table]] = {
    Action.KEEP: _table(*_TARGET),
    Action.HIDE: _table(*_TARGET),
    Action.PIN: _table(*_TARGET),
    Action.UNPIN: _table(*_TARGET),
    Action.RETAG: _table(*_TARGET, _TOPICS),
    Action.NOTE: _table(
        *_TARGET,
        Key("text", text, REQUIRED, 'the note; "" removes it', '"rediffusé"'),
    ),
    Action.MERGE: _table(
        Key(
            "urls",
            some(target, 2, "a URL of each story, at least two"),
            REQUIRED,
            "a URL of each story",
            '["https://a.example.org/1", "https://b.example.org/2"]',
        ),
    ),
    Action.SPLIT: _table(
        Key("url", target, REQUIRED, "the copy that leaves", '"https://…"'),
        _PUBLISHED,
    ),
    Action.ADD: _table(
        Key("id", new_id, None, "names it where it has no URL", '"tf1-2020-02-14"'),
        Key("title", line, REQUIRED, "its title", '"Les petites mains de l’IA"'),
        Key("outlet", line, REQUIRED, "its outlet, as feeds.toml names it", '"Slate"'),
        Key("published", when, REQUIRED, "its date", "2020-02-14"),
        _TOPICS,
        Key("url", url_or_nothing, "", "its address", '"https://…"'),
        Key("form", choice(*FORMS), None, "in which form it exists", '"tv"'),
        Key("detail", text, "", "issue, page, time", '"n° 553"'),
        Key("author", text, "", "its journalist", '"Anne Martin"'),
        Key("excerpt", text, "", "a sentence of it", '"…"'),
        Key("archived", url_or_nothing, "", "a lasting copy", '"https://…"'),
    ),
}
"""Which keys a decision has, by what it does."""


# ── the file ──────────────────────────────────────────────────────────────────────────


def read(path: Path, topics: Sequence[Topic], timezone: str) -> tuple[Decision, ...]:
    """Return the decisions in `path` in file order; none when there is no such file.

    topics: those that decisions may name. timezone: of dates written without one.
    Raises ConfigError with every problem, a line each.
    """
    if not os.path.lexists(path):  # a link into nowhere is a problem, not no file
        return ()
    return read_tables(load(path), path, topics, timezone)


def read_bytes(
    data: bytes, path: Path, topics: Sequence[Topic], timezone: str
) -> tuple[Decision, ...]:
    """Return the decisions in the bytes of a file, as `read`; path: for messages."""
    return read_tables(loads(data, path), path, topics, timezone)


def read_tables(
    raw: Mapping[str, object], path: Path, topics: Sequence[Topic], timezone: str
) -> tuple[Decision, ...]:
    """Return the decisions in what TOML holds, as `read`; path: for messages."""
    problems = Problems()
    for name in raw:
        if name != "decision":
            problems.add(name, f"unknown table{near(name, ('decision',))}")
    zone = ZoneInfo(timezone)
    known = tuple(topic.id for topic in topics)
    decisions: list[Decision] = []
    added: dict[str, int] = {}
    for position, each in tables("decision", raw.get("decision", []), problems):
        where = f"decision[{position}]"
        if (action := _action(where, each, problems)) is None:
            continue
        before = len(problems.lines)
        where = f"{where} {action.value}"
        values = ACTIONS[action].read(where, each, problems)
        _check(where, action, values, known, problems)
        if len(problems.lines) == before:
            decision = _decision(action, values, zone)
            if decision.addition:
                _check_twice(where, decision.targets, position, added, problems)
            decisions.append(decision)
    problems.raise_any(path)
    return tuple(decisions)


def _action(where: str, raw: Mapping[str, object], problems: Problems) -> Action | None:
    """Return what a decision does; None, with a problem, when it does not say."""
    if "action" not in raw:
        problems.add(where, f"says no action; write one of {', '.join(_ACTIONS)}")
        return None
    try:
        return Action(_ACTION.read(raw["action"]))
    except UnfitError as exc:
        problems.add(f"{where}.action", exc.reasons[0][1])
        return None


def _check(
    where: str,
    action: Action,
    values: Mapping[str, Any],
    known: Sequence[str],
    problems: Problems,
) -> None:
    """Report unknown topics, and a target that is missing or named twice."""
    for topic in values.get("topics", ()):
        if topic not in known:
            problems.add(
                f"{where}.topics", f"unknown topic {shown(topic)}{near(topic, known)}"
            )
    if "story" not in ACTIONS[action].keys:
        return
    named = [name for name in ("url", "story") if name in values]
    if len(named) > 1:
        problems.add(where, "names both url and story; keep one of them")
    elif not named and not any(text.startswith(where) for text in problems.lines):
        problems.add(where, 'names no story; write url = "…" or story = "…"')


def _check_twice(
    where: str,
    targets: Sequence[str],
    position: int,
    added: dict[str, int],
    problems: Problems,
) -> None:
    """Report an addition whose URL or id is an earlier one's."""
    for name in targets:
        first = added.setdefault(canonical(name) or name, position)
        if first != position:
            what = f"{shown(name)} is added by decision[{first}] already"
            problems.add(where, f"{what}; keep one, or give this one an id of its own")
            return


def _decision(action: Action, values: Mapping[str, Any], zone: ZoneInfo) -> Decision:
    """Return the decision that sound values make."""
    addition = _addition(values, zone) if action is Action.ADD else None
    if addition:
        named = (values["url"], values.get("id", ""))
        targets = tuple(name for name in named if name) or (addition.key,)
    elif action is Action.MERGE:
        targets = values["urls"]
    else:
        targets = (values.get("url") or values["story"],)
    published = values.get("published")
    return Decision(
        action=action,
        targets=targets,
        at=values["at"].at(zone) if "at" in values else None,
        reason=values["reason"],
        published=published.day(zone) if published and not addition else "",
        topics=values.get("topics", ()),
        text=values.get("text", ""),
        addition=addition,
    )


def _addition(values: Mapping[str, Any], zone: ZoneInfo) -> Addition:
    """Return the added article."""
    published: When = values["published"]
    return Addition(
        key=values["url"] or values.get("id", "") or _key(values, published.day(zone)),
        title=values["title"],
        outlet=values["outlet"],
        published_at=published.at(zone),
        precision=published.precision,
        topics=values["topics"],
        url=values["url"],
        form=values.get("form", ""),
        detail=values["detail"],
        author=values["author"],
        excerpt=values["excerpt"],
        archived=values["archived"],
    )


def _key(values: Mapping[str, Any], day: str) -> str:
    """Return the key of an addition without URL and id: date, outlet, folded title."""
    return f"{day}/{values['outlet']}/{fold(values['title'])}"
