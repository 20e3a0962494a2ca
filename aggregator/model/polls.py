"""What travels through a poll: tasks in, answers, entries, mentions, outcomes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from aggregator.model.errors import FailureKind
from aggregator.model.outlets import Feed
from aggregator.model.settings import Polling, Topic


@dataclass(frozen=True, slots=True)
class Validators:
    """ETag and Last-Modified of a feed's last safely stored document; "" = none."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class PollTask:
    """One feed to poll, and what is already known of it.

    url: where it is polled: the feed's own, or where it moved. known: fingerprints of
    all its remembered entries. body_hash: of the last safely stored document; b"" =
    none.
    """

    feed: Feed
    url: str
    validators: Validators = Validators()
    body_hash: bytes = b""
    known: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Pause:
    """A host that asked not to be asked before an instant."""

    host: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """What is submitted to an executor: tasks, and all that polling them needs.

    host: whose feeds all of them are; "" when each is on a host of its own. lanes: how
    many of them may be under way at once. late: seconds from `now` until it was
    submitted. resumed: the host was asked a moment ago, by
    the batch before this one. pauses: hosts that are not to be asked at all. sites:
    where outlets live, as `sources.sites` says, when a feed of a search is among them.
    """

    tasks: tuple[PollTask, ...]
    topics: tuple[Topic, ...]
    polling: Polling
    user_agent: str
    now: datetime
    host: str = ""
    lanes: int = 1
    late: float = 0.0
    resumed: bool = False
    pauses: tuple[Pause, ...] = ()
    sites: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer of a server, body decompressed.

    body: empty where it is long; `spooled` is then the file that holds it, until the
    fetcher's next request. digest: 16 bytes that stand for the body. url: after
    redirects. moved_to: the target when every hop was permanent, else "".
    fresh_until: what Cache-Control or Expires promise, None = nothing.
    complete: False when the body broke off before its announced or encoded end.
    """

    url: str
    status: int
    body: bytes = b""
    spooled: str = ""
    digest: bytes = b""
    content_type: str = ""
    content_location: str = ""
    content_language: str = ""
    validators: Validators = Validators()
    moved_to: str = ""
    fresh_until: datetime | None = None
    complete: bool = True


class Names(NamedTuple):
    """What an entry is called, as numbers; 0 = it has none of that kind.

    address: its canonical URL, "" = it has none, or that is not remembered.
    """

    guid: int
    url: int
    title: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed, as parsed: every text is plain, without markup.

    id: 63 bits, from the feed's URL and `key`; the same for ever once it is recorded,
    until then what the document alone gives. key: what tells it from the others of its
    feed: guid, else URL, else title and date. guid: what the document calls it.
    url: absolute, "" = none. content: the article as far as the feed carries it.
    outlet: named by the entry itself (search feeds), "" = the feed's outlet.
    fingerprint: 63 bits over everything shown; changes when the entry does.
    names: as `recognition.named` says, None = not worked out yet.
    """

    id: int
    key: str
    url: str
    title: str
    summary: str
    fingerprint: int
    content: str = ""
    author: str = ""
    language: str = ""
    outlet: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    guid: str = ""
    names: Names | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """When a feed asks to be left alone, in its own document.

    ttl: after each poll. hours: of the day, 0 to 23. days: of the week, 0 = Monday.
    Both in UTC, as RSS 2.0 says of skipHours and skipDays.
    """

    ttl: timedelta | None = None
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed feed. complete: False when it was cut short or malformed.

    dated_at: the feed's own date. older: the document that holds what came before, by
    prev-archive (RFC 5005 §4), else next (§3); "" = it names none. generator: what made
    it, as it says itself.
    """

    title: str
    home: str
    language: str
    entries: tuple[Entry, ...]
    complete: bool = True
    dated_at: datetime | None = None
    rest: Rest = Rest()
    older: str = ""
    generator: str = ""


class Verdict(StrEnum):
    """What a topic's rules say of an entry."""

    CERTAIN = "certain"
    DOUBTFUL = "doubtful"
    SUPPRESSED = "suppressed"


Column = Literal["title", "summary", "article", ""]
Rule = Literal["match", "review", "never", "always", "add"]


@dataclass(frozen=True, slots=True)
class Mention:
    """An entry that satisfies a topic, with its evidence.

    rule, line: which key of feeds.toml, and which of its lines as written ("" where the
    rule needs none). column, spans: where it matched, as offsets into that text as
    stored, in order. snippet: at most 120 characters around the first span, the matched
    words between `text.MARK` and `text.UNMARK`. Suppressed by another rule than "never"
    is what was a doubt until the article was read in full (« page read »).
    """

    entry: int
    topic: str
    verdict: Verdict
    rule: Rule
    line: str = ""
    column: Column = ""
    spans: tuple[tuple[int, int], ...] = ()
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a poll brought nothing; `reason` is one lower-case line without the URL.

    kind "ours" is a fault of this program, never of the outlet.
    """

    kind: FailureKind
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one poll of one feed brought.

    at: the time of the cycle; late: how much later it was asked, in whole seconds.
    url: where it was asked, "" = at the feed's own address. asked: False when it was
    not: a host wants to be left alone, or the program is ending; nothing is known then
    but `not_before`. entries: the new and the changed ones. listed: all that the
    document lists, the fingerprint of what is known and the id of what is in `entries`;
    None when there was no new document to read, and then there is no `rest` either.
    complete: False when the document was cut short, so that what it lacks may still be
    listed. validators, body_hash: to be stored with the entries; after a failure or an
    incomplete document the old ones. not_before: the feed is not asked earlier.
    paused_host: nor is any feed of the host that answered so, "" = none.
    """

    feed: Feed
    at: datetime
    validators: Validators
    body_hash: bytes
    status: int | None = None
    failure: Failure | None = None
    url: str = ""
    asked: bool = True
    entries: tuple[Entry, ...] = ()
    mentions: tuple[Mention, ...] = ()
    listed: tuple[int, ...] | None = None
    complete: bool = True
    rest: Rest | None = None
    title: str = ""
    home: str = ""
    language: str = ""
    dated_at: datetime | None = None
    moved_to: str = ""
    not_before: datetime | None = None
    paused_host: str = ""
    late: timedelta = timedelta(0)
    seconds: float = 0.0

    @property
    def unchanged(self) -> bool:
        """The poll succeeded and brought neither a new nor a changed entry."""
        return self.failure is None and not self.entries
