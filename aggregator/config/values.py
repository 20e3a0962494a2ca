"""Readers: how one value of a TOML file becomes a typed one.

Each takes what `tomllib` found and returns the value, or raises `tables.UnfitError`
with what was read and what to write instead. Pure but for the time zone database;
nothing that looks at a second key may enter.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo, available_timezones

from aggregator.config.tables import Reader, UnfitError, near, shown
from aggregator.model import Query, QueryError
from aggregator.query import compile_line
from aggregator.urls import host, web

ENTRY_FIELDS = ("title", "outlet")
"""What `site.entry_title` may hold between braces."""

# RFC 4151: the authority is a host name or a mail address, then a date, then any path.
_TAG = re.compile(
    r"tag:(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
    r",\d{4}(?:-\d{2}(?:-\d{2})?)?:[A-Za-z0-9._~!$&'()*+,;=:@/?%-]+"
)
_UNITS = MappingProxyType({"s": 1, "m": 60, "h": 3600, "d": 86400})  # seconds
_DURATION = re.compile(r"(\d{1,9}) ?([smhd])")
_LONGEST = timedelta(days=36500)  # a century: more is a slip of the keyboard
_SIZES = MappingProxyType({"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9})  # bytes
_SIZE = re.compile(r"(\d{1,9}) ?([kmg]?b)", re.IGNORECASE)
_TOPIC_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_ID = 64  # characters of a topic id: it is a folder's name
_MAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_SCHEDULER = re.compile(r"(?:tcp|tls)://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2
# Not \s: a no-break space in a French title is meant.
_BLANKS = re.compile(r"[ \t\r\n]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def text(raw: object) -> str:
    """Return a text without its outer blanks; it may have several lines."""
    if not isinstance(raw, str):
        raise UnfitError(("", f'{shown(raw)} is no text; write it in quotes, "…"'))
    if found := _CONTROL.search(raw):
        what = f"holds the control character {ord(found[0]):#04x}; take it out"
        raise UnfitError(("", what))
    return raw.strip()


def line(raw: object) -> str:
    """Return a text of one line that is not empty."""
    if not (value := _BLANKS.sub(" ", text(raw))):
        raise UnfitError(("", "is empty; write at least one word"))
    return value


def flag(raw: object) -> bool:
    """Return a truth value."""
    if isinstance(raw, bool):
        return raw
    raise UnfitError(("", f"{shown(raw)} is neither true nor false"))


def count(least: int) -> Reader:
    """Return a reader of whole numbers from `least`."""

    def read(raw: object) -> int:
        if isinstance(raw, int) and not isinstance(raw, bool) and raw >= least:
            return raw
        what = f"{shown(raw)} is no whole number of {least} or more"
        raise UnfitError(("", f"{what}; write such as {least or 1}, without quotes"))

    return read


def choice(*options: str) -> Reader:
    """Return a reader of one word out of `options`."""

    def read(raw: object) -> str:
        value = text(raw)
        if value in options:
            return value
        raise UnfitError(("", f"{shown(raw)} is unknown{near(value, options)}"))

    return read


def many(read_one: Reader) -> Reader:
    """Return a reader of lists; a value alone is a list of one."""

    def read(raw: object) -> tuple[object, ...]:
        if not isinstance(raw, list):
            return (read_one(raw),)
        values, reasons = [], []
        for position, each in enumerate(raw, start=1):
            try:
                values.append(read_one(each))
            except UnfitError as exc:
                reasons += [(f"[{position}]{at}", what) for at, what in exc.reasons]
        if reasons:
            raise UnfitError(*reasons)
        return tuple(values)

    return read


def some(read_one: Reader, least: int, what: str) -> Reader:
    """Return a reader of lists with at least `least` different values."""
    read_many = many(read_one)

    def read(raw: object) -> tuple[object, ...]:
        values = tuple(dict.fromkeys(read_many(raw)))
        if len(values) < least:
            raise UnfitError(("", f"{shown(raw)} is too short; write {what}"))
        return values

    return read


def duration(least: timedelta) -> Reader:
    """Return a reader of durations from `least`, such as "30m"."""

    def read(raw: object) -> timedelta:
        found = _DURATION.fullmatch(raw.strip()) if isinstance(raw, str) else None
        if found is None:
            what = f"{shown(raw)} is no duration; write a number and s, m, h or d"
            raise UnfitError(("", f'{what}, such as "30m"'))
        value = timedelta(seconds=int(found[1]) * _UNITS[found[2]])
        if not least <= value <= _LONGEST:
            bounds = f"{least.total_seconds():.0f}s and {_LONGEST.days}d"
            raise UnfitError(("", f"{shown(raw)} is not between {bounds}"))
        return value

    return read


def size(raw: object) -> int:
    """Return a number of bytes, written such as "10MB" (a million bytes each)."""
    found = _SIZE.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if found and (value := int(found[1]) * _SIZES[found[2].lower()]):
        return value
    what = f"{shown(raw)} is no size; write a number and kB, MB or GB"
    raise UnfitError(("", f'{what}, such as "10MB"'))


def url(raw: object) -> str:
    """Return an absolute http(s) address as written, without password."""
    value = text(raw)
    if re.search(r"\s", value):
        raise UnfitError(("", f"{shown(raw)} holds a blank; write it as %20"))
    if not (web(value) and host(value)):
        hint = 'write it whole, such as "https://www.example.org/feed"'
        if "://" not in value and re.fullmatch(r"(//)?[\w-]+(\.[\w-]+)+.*", value):
            hint = f'write "https://{value.removeprefix("//")}"'
        raise UnfitError(("", f"{shown(raw)} is no web address; {hint}"))
    if "@" in value.split("/")[2]:
        what = "holds a name or password, and an address is no secret"
        hint = 'write headers = { Authorization = "…" } instead'
        raise UnfitError(("", f"{what}; {hint}"))
    return value


def site_url(raw: object) -> str:
    """Return the address of the published folder, with the trailing slash."""
    value = url(raw)
    if "?" in value or "#" in value or value.endswith((".html", ".htm", ".php")):
        what = f"{shown(raw)} is no folder; write the address up to its last slash"
        raise UnfitError(("", what))
    return value.rstrip("/") + "/"


def url_or_nothing(raw: object) -> str:
    """Return an address, or "" where none is written."""
    return url(raw) if raw != "" else ""


def scheduler(raw: object) -> str:
    """Return the address of a Dask scheduler; "" = none."""
    value = text(raw)
    if not value or _SCHEDULER.fullmatch(value):
        return value
    what = f"{shown(raw)} is no address of a scheduler"
    raise UnfitError(("", f'{what}; write such as "tcp://scheduler:8786"'))


def contact(raw: object) -> str:
    """Return a mail address or a page's; "" = none."""
    value = text(raw)
    if not value or _MAIL.fullmatch(value) or (web(value) and value.isascii()):
        return value
    what = f"{shown(raw)} is neither a mail address nor a page's"
    raise UnfitError(("", f'{what}; write such as "presse@example.org"'))


def tag(raw: object) -> str:
    """Return a `tag:` URI (RFC 4151)."""
    value = text(raw)
    if _TAG.fullmatch(value):
        return value
    what = f"{shown(raw)} is no tag (RFC 4151)"
    raise UnfitError(("", f'{what}; write such as "tag:example.org,2026:presse"'))


def zone(raw: object) -> str:
    """Return the name of a time zone that exists here."""
    value = text(raw)
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as exc:  # OSError: "Europe" is a folder
        names = {name.lower(): name for name in sorted(available_timezones())}
        hint = near(value, names)
        hint = re.sub(r"'(.+)'", lambda found: f'"{names[found[1]]}"', hint)
        if "did you mean" not in hint:
            hint = '; write such as "Europe/Paris"'
        raise UnfitError(("", f"{shown(raw)} is no time zone{hint}")) from exc
    return value


def entry_title(raw: object) -> str:
    """Return the pattern of published titles; {title} stands in it."""
    value = line(raw)
    allowed = " and ".join(f"{{{name}}}" for name in ENTRY_FIELDS)
    try:
        parts = list(string.Formatter().parse(value))
    except ValueError as exc:
        what = f"{shown(raw)} has a brace without its other half; write {allowed}"
        raise UnfitError(("", what)) from exc
    fields = [name for _, name, _, _ in parts if name is not None]
    for _, name, form, conversion in parts:
        if name is not None and (name not in ENTRY_FIELDS or form or conversion):
            what = f"{shown(raw)} holds {{{name}}}; only {allowed} may stand in braces"
            raise UnfitError(("", what))
    if "title" not in fields:
        raise UnfitError(("", f"{shown(raw)} lacks {{title}}; write it in"))
    return value


def topic_id(raw: object) -> str:
    """Return a topic's id: safe as a folder's name and in an address."""
    value = text(raw)
    if _TOPIC_ID.fullmatch(value) and len(value) <= _LONGEST_ID:
        return value
    what = f"{shown(raw)} is no topic id"
    hint = "lower-case letters without accents, digits and single hyphens"
    raise UnfitError(("", f'{what}; write {hint}, such as "petites-mains"'))


def query(raw: object) -> Query:
    """Return a query line, compiled."""
    value = text(raw)
    try:
        return compile_line(value)
    except QueryError as exc:
        raise UnfitError(("", str(exc))) from exc


def path(raw: object) -> str:
    """Return a path as written."""
    value = text(raw)
    if value and "\n" not in value:
        return value
    raise UnfitError(("", f"{shown(raw)} is no path; write a file's or folder's name"))


def language(raw: object) -> str:
    """Return a language tag (BCP 47, loosely), "" = as the feed says."""
    value = text(raw)
    if value and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise UnfitError(("", f'{shown(raw)} is no language; write such as "fr"'))
    return value


def headers(raw: object) -> tuple[tuple[str, str], ...]:
    """Return request headers in the order written."""
    if not isinstance(raw, Mapping):
        what = f"{shown(raw)} is no table of headers"
        raise UnfitError(("", f'{what}; write {{ Authorization = "…" }}'))
    values, reasons = [], []
    for name, value in raw.items():
        if not _HEADER.fullmatch(name):
            reasons.append((f".{shown(name)}", "is no header's name; see RFC 9110"))
        elif not isinstance(value, str) or not re.fullmatch(r"[ -~]*", value):
            reasons.append((f".{name}", f"{shown(value)} is no line of plain ASCII"))
        else:
            values.append((name, value))
    if reasons:
        raise UnfitError(*reasons)
    return tuple(values)
