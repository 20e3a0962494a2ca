"""feeds.toml → Config: one value, valid as a whole, or every problem at once.

Single values are read as `keys` describes them; what they mean together is decided
here. Reads that file and the environment; nothing is written, no network is asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from aggregator import __version__
from aggregator.config import values as read_as
from aggregator.config.kept import digest, exposed
from aggregator.config.keys import (
    ENGINE,
    MATCHING,
    OUTLET,
    POLLING,
    SINGLE,
    SITE,
    STORAGE,
    TOPIC,
)
from aggregator.config.tables import (
    Problems,
    UnfitError,
    content,
    loads,
    near,
    shown,
    table,
    tables,
)
from aggregator.model import (
    Config,
    ConfigError,
    Engine,
    Matching,
    Outlet,
    Polling,
    Site,
    Storage,
    Topic,
)
from aggregator.urls import host
from aggregator.wording import duration as brief

DEFAULT_PLACES: Final = (Path("feeds.toml"), Path("/srv/aggregator/feeds.toml"))
"""Where feeds.toml is looked for when nobody says where it is."""

VARIABLE: Final = "AGGREGATOR_CONFIG"

_TOP: Final = (*(each.name for each in SINGLE), "topics", "outlets")
_YEAR: Final = 2026  # of ids made from a url: the year this rule was made, for ever
_DURATION: Final = read_as.duration(timedelta(0))
_PATHS: Final = ("database", "output", "desk", "curation")
_EXAMPLES: Final = re.compile(r"(?:^|[@./:])example\.(?:org|com|net)(?:$|[/:,])")


def locate(
    explicit: str | None = None, places: Sequence[Path] = DEFAULT_PLACES
) -> Path:
    """Return the path of feeds.toml; whether it can be read shows when it is read.

    explicit, the environment and `places` are asked in this order. Raises ConfigError
    when none of them has one.
    """
    if named := explicit or os.environ.get(VARIABLE):
        return Path(named)
    for place in places:
        if place.is_file():
            return place
    what = f"found neither here nor in {places[-1].parent}"
    hint = f"name it by --config or ${VARIABLE}"
    raise ConfigError("feeds.toml", (f"{what}; {hint}",))


def read(path: Path) -> Config:
    """Return the configuration in the file `path`.

    Raises ConfigError with every problem, a line each.
    """
    return read_bytes(content(path), path)


def read_bytes(data: bytes, path: Path) -> Config:
    """Return the configuration that these bytes are, in the file `path`; as `read`."""
    return _read(loads(data, path), path).read_from(digest(data))


def _read(raw: dict[str, object], path: Path) -> Config:
    path = Path(os.path.abspath(path))  # noqa: PTH100 (resolve would follow links)
    problems = Problems()
    for name in raw:
        if name not in _TOP:
            problems.add(name, f"unknown table{near(name, _TOP)}")
    single = {
        each.name: each.read(
            each.name, table(each.name, raw.get(each.name, {}), problems), problems
        )
        for each in SINGLE
    }
    topics, known = _topics(raw.get("topics", []), problems)
    outlets = _outlets(raw.get("outlets", {}), known, problems)
    _finish_site(single[SITE.name], problems)
    _finish_storage(single[STORAGE.name], path, problems)
    _check_polling(single[POLLING.name], problems)
    _check_engine(single[ENGINE.name], problems)
    problems.raise_any(path)
    return Config(
        source=path,
        site=Site(**single[SITE.name]),
        storage=Storage(**single[STORAGE.name]),
        polling=Polling(**single[POLLING.name]),
        matching=Matching(**single[MATCHING.name]),
        engine=Engine(**single[ENGINE.name]),
        topics=topics,
        outlets=outlets,
    )


def warnings(config: Config) -> tuple[str, ...]:
    """Return one line for each setting that is valid but hardly meant."""
    site = config.site
    examples = [("url", site.url), ("contact", site.contact)]
    if not _EXAMPLES.search(site.url):  # else it goes, or has to go, with the url
        examples.append(("id", site.id))
    found = [
        f"site.{name}: {shown(value)} is still the example; write your own"
        for name, value in examples
        if _EXAMPLES.search(value)
    ]
    if not any(outlet.enabled for outlet in config.outlets):
        found.append(
            "outlets: none is followed, so nothing will be found; write a line such as "
            '"Slate" = "https://www.slate.fr/rss.xml"'
        )
    return tuple(found)


def user_agent(config: Config) -> str:
    """Return how requests introduce themselves: program, page and contact, in ASCII."""
    # Brackets would end the comment early (RFC 9110 §5.6.5).
    whom = [
        quote(part, safe="%/:@!$&'*+,;=?#[]~")
        for part in (config.site.url, config.site.contact)
        if part
    ]
    return f"press-aggregator/{__version__} (+{'; '.join(whom)})"


def duration(written: str) -> timedelta:
    """Return a duration written as feeds.toml writes it, such as "3h".

    For commands that take one. Raises ValueError that says what to write.
    """
    length: timedelta = _DURATION(written)
    return length


def setting(name: str, written: str) -> str:
    """Return a text of `[site]` as `read` would have it.

    For what asks for one before there is a file. Raises ValueError that says what was
    read and what to write.
    """
    value: str = SITE.keys[name].read(written)
    return value


def site_id(url: str, year: int) -> str:
    """Return the root of ids that is made from the address of the published folder.

    year: one in which the host was the maintainer's (RFC 4151 §2.1). Raises ValueError
    where the host has no name.
    """
    parts = urlsplit(url)
    try:
        name = (parts.hostname or "").encode("idna").decode()
        last = parts.path.rstrip("/").rpartition("/")[2] or name
        tag: str = read_as.tag(f"tag:{name},{year}:{quote(last, safe='%:@!$&+,;=~')}")
    except (UnfitError, UnicodeError) as exc:
        what = f"none can be made from {shown(host(url))}; write such as"
        raise ValueError(f'{what} "tag:example.org,{year}:presse"') from exc
    return tag


# ── topics and outlets ────────────────────────────────────────────────────────────────


def _topics(
    raw: object, problems: Problems
) -> tuple[tuple[Topic, ...], tuple[str, ...]]:
    """Return the sound topics, and every id that was written, sound or not."""
    found = tables("topics", raw, problems)
    if not found and raw == []:
        what = "none; write [[topics]] with id, title and match"
        problems.add("topics", what)
    topics: list[Topic] = []
    known: dict[str, int] = {}
    for position, each in found:
        where = f"topics[{position}]"
        if isinstance(written := each.get("id"), str):
            where += f" {_quoted(written)}"
            if written in known:
                what = f"{shown(written)} is also topics[{known[written]}]'s"
                problems.add(f"{where}.id", f"{what}; every topic needs its own")
            known.setdefault(written, position)
        values = TOPIC.read(where, each, problems)
        if {"id", "title"} <= values.keys():
            topics.append(Topic(**values))
    return tuple(topics), tuple(known)


def _outlets(
    raw: object, known: tuple[str, ...], problems: Problems
) -> tuple[Outlet, ...]:
    """Return the outlets; `known` are the topic ids that they may name."""
    outlets: list[Outlet] = []
    owners: dict[str, str] = {}
    for name, given in table("outlets", raw, problems).items():
        where = f"outlets.{shown(name)}"
        keys = given if isinstance(given, dict) else {"url": given}
        values = OUTLET.read(where, keys, problems)
        try:
            values["name"] = read_as.line(name)
        except UnfitError as exc:
            problems.add(where, f"the name {exc.reasons[0][1]}")
        _check_topics(where, values, known, problems)
        for url in values.get("url", ()):
            _check_twice(where, url, owners, name, problems)
        if "url" in values and not values["url"]:
            problems.add(f"{where}.url", "is an empty list; write a feed's address")
        if {"name", "url"} <= values.keys():
            outlets.append(Outlet(urls=values.pop("url"), **values))
    return tuple(outlets)


def _check_topics(
    where: str, values: Mapping[str, Any], known: tuple[str, ...], problems: Problems
) -> None:
    """Report the topic ids of an outlet that no topic has."""
    for key in ("topics", "always", "review"):
        for topic in values.get(key, ()):
            if known and topic not in known:  # without topics that is the problem
                what = f"unknown topic {shown(topic)}{near(topic, known)}"
                problems.add(f"{where}.{key}", what)


def _check_twice(
    where: str, url: str, owners: dict[str, str], name: str, problems: Problems
) -> None:
    """Report a feed that stands above already: two polls, every story doubled."""
    same = url.partition("#")[0].rstrip("/")
    if same not in owners:
        owners[same] = name
        return
    whose = "here" if owners[same] == name else f"under {shown(owners[same])}"
    problems.add(f"{where}.url", f"{shown(url)} stands {whose} already; keep it once")


# ── what keys mean together ───────────────────────────────────────────────────────────


def _finish_site(values: dict[str, Any], problems: Problems) -> None:
    """Complete the id, which is made from the url where it is not set."""
    if "url" not in values or "id" in values:
        return
    try:
        values["id"] = site_id(values["url"], _YEAR)
    except ValueError as exc:
        problems.add("site.id", str(exc))


def _finish_storage(values: dict[str, Any], source: Path, problems: Problems) -> None:
    """Make the paths absolute; nothing private may lie in the published folder."""
    written = dict(values)
    for name in _PATHS:
        # Those of os.path: no user of that name, or a loop of links, raises nothing.
        place = source.parent / os.path.expanduser(written[name])  # noqa: PTH111
        values[name] = Path(os.path.abspath(place))  # noqa: PTH100
    for name in exposed(values["output"], values | {"source": source}):
        if name == "source":
            what = f"{shown(written['output'])} holds feeds.toml itself"
            hint = 'write a folder of its own, "public"'
            problems.add("storage.output", f"{what}; {hint}")
            return
        what = f"{shown(written[name])} lies in the published folder"
        hint = f"write a place outside {shown(written['output'])}"
        problems.add(f"storage.{name}", f"{what}; {hint}")


def _check_polling(values: Mapping[str, Any], problems: Problems) -> None:
    """Report bounds that leave no room; a faulty key was reported already."""
    fastest, slowest = values["fastest"], values["slowest"]
    if any(text.startswith("polling.") for text in problems.lines):
        return
    if fastest > slowest:
        what = f"{brief(fastest)} is longer than polling.slowest, {brief(slowest)}"
        problems.add("polling.fastest", f"{what}; write a shorter one")
    elif not fastest <= values["interval"] <= slowest:
        what = f"{brief(values['interval'])} is not between polling.fastest and"
        bounds = f"polling.slowest, {brief(fastest)} and {brief(slowest)}"
        problems.add("polling.interval", f"{what} {bounds}; change one of the three")


def _check_engine(values: Mapping[str, Any], problems: Problems) -> None:
    """Report a cluster without an address; a faulty one was reported already."""
    if any(text.startswith("engine.") for text in problems.lines):
        return
    if values["kind"] == "dask" and not values["address"]:
        what = f"missing ({ENGINE.keys['address'].doc})"
        example = ENGINE.keys["address"].example
        problems.add("engine.address", f"{what}; write address = {example}")


def _quoted(name: str) -> str:
    """Return a topic's id as messages name it: 'auteur'."""
    return f"'{shown(name)[1:-1]}'"
