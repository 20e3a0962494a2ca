"""Stories of a file taken into the database and into curation.toml, then published.

The only room of the package that writes. Nothing is written before every row was read
and found sound; a story that is there already is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from aggregator import bulletin, rules
from aggregator.append import Pen
from aggregator.config.tables import Problems
from aggregator.decisions import Rulings, key
from aggregator.desk import Desk, settled
from aggregator.exchange import carried, rows, sheet
from aggregator.exchange.archive import Archive
from aggregator.exchange.register import Known, Register
from aggregator.lock import held
from aggregator.lookup import topics_of
from aggregator.model import Config, ConfigError, Decision, Outlet, State, Story
from aggregator.publish import tables
from aggregator.recover import recover
from aggregator.store import Store, recovery, tales
from aggregator.stories import UNKNOWN, Standing, compose

LARGEST: Final = 100_000_000  # bytes of a file: 60,000 stories


@dataclass(frozen=True, slots=True)
class Brought:
    """What stands in a file. stories: to be restored. articles: to be added.

    Each article with its line, the short id that it names, "" = none, and its
    decisions, the addition first.
    """

    stories: tuple[Story, ...]
    articles: tuple[tuple[int, str, tuple[Decision, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did.

    stories: restored now. added: decisions that add articles. decided: how many others
    were written. there: how many were there already. unpublished: those of them that
    are not published, with the lines of rows, else 0. published: what was written then.
    """

    stories: tuple[Story, ...]
    added: tuple[Decision, ...]
    decided: int
    there: int
    unpublished: tuple[tuple[int, Known], ...]
    published: bulletin.Rebuilt


def read(path: Path, config: Config, topics: Sequence[str], now: datetime) -> Brought:
    """Return what a .jsonl or .csv file holds.

    topics: of rows that name none. Raises ConfigError with every problem of the file,
    also when it cannot be read.
    """
    data = content(path, LARGEST)
    name, problems = path.name, Problems()
    known = tuple(topic.id for topic in config.topics)
    if path.suffix.lower() == ".jsonl":
        brought = Brought(Archive(name, known, now, problems).lines(data))
    else:
        brought = _of_sheet(data, name, config, topics, now, problems)
    problems.raise_any(path)
    return brought


def content(path: Path, most: int) -> bytes:
    """Return the bytes of a file; raises ConfigError, also for over `most`."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(path, (f"the file cannot be read: {reason}",)) from exc
    if len(data) > most:
        what = f"holds over {most // 1_000_000} MB; import it in parts"
        raise ConfigError(path, (what,))
    return data


def _of_sheet(
    data: bytes,
    name: str,
    config: Config,
    topics: Sequence[str],
    now: datetime,
    problems: Problems,
) -> Brought:
    known = tuple(topic.id for topic in config.topics)
    outlets = {outlet.name: outlet for outlet in config.outlets}

    def find(outlet: str, title: str, excerpt: str) -> Sequence[str]:
        its = outlets.get(outlet, Outlet(outlet, ()))
        return topics or topics_of(config, its, title, excerpt)

    restored = Archive(name, known, now, problems)
    stories, articles = [], []
    lines: dict[str, int] = {}
    for row in sheet.read(data, name, rows.COLUMNS, rows.REQUIRED, problems):
        if tables.RECORD in row.cells:
            stories.append(restored.row(row))
            continue
        decided = rows.decisions(row, name, config, find, now, problems)
        if decided and _only_here(decided[0], row.line, lines, name, problems):
            articles.append((row.line, row.cells.get("story", ""), decided))
    return Brought(tuple(filter(None, stories)), tuple(articles))


def _only_here(
    decided: Decision, line: int, lines: dict[str, int], name: str, problems: Problems
) -> bool:
    """Remember the line of an article, and report one that an earlier line has."""
    for target in decided.targets:
        first = lines.setdefault(key(target), line)
        if first != line:
            what = f"line {first} has the same article already"
            mend = "take one out, or give this one an `id` of its own"
            problems.add(f"{name}:{line}", f"{what}; {mend}")
            return False
    return True


def take(config: Config, brought: Brought, now: datetime) -> Taken:
    """Restore the stories, add the articles, and publish.

    Under the cycle lock. Into a database that has stories nothing comes as news: what
    is new counts as added at its own date. Raises StoreError, LockHeldError and what
    `Pen.write` and `bulletin.renew` do.
    """
    database = config.storage.database
    with held(database, "cycle"), Store(database) as store:
        desk = Desk.of(config)
        restored = recover(store, desk, now)
        first = recovery.empty(store)
        there = recovery.there(store, brought.stories)
        stories = tuple(
            one if first else replace(one, live=False)
            for one in brought.stories
            if one.short not in there
        )
        register = Register(
            ((ledger, stands) for ledger, stands, _ in settled(store, desk, now)),
            desk.decisions,
        )
        found = [
            (line, register.find(decided[0], name), decided)
            for line, name, decided in brought.articles
        ]
        new = [decided for _, known, decided in found if known is None]
        own = _carried(store, desk, stories, now)
        Pen(config).write(*own, *(each for its in new for each in its))
        desk = Desk.of(config)
        _restore(store, desk, stories, now)
        # also those that an import wrote down which was killed before this
        _date(store, desk, [its[0] for _, _, its in brought.articles], now)
        published = replace(bulletin.renew(store, desk, now), restored=restored)
    ours = [
        (0, register.named(one.short))
        for one in brought.stories
        if one.short in there and one.state is State.PUBLISHED
    ]
    unpublished = [
        (line, known)
        for line, known in (*ours, *((line, known) for line, known, _ in found))
        if known and known.state is not State.PUBLISHED
    ]
    return Taken(
        stories,
        tuple(its[0] for its in new),
        len(own) + sum(len(its) - 1 for its in new),
        len(there) + len(found) - len(new),
        tuple(unpublished),
        published,
    )


def _restore(store: Store, desk: Desk, stories: Sequence[Story], now: datetime) -> None:
    outlets = {feed.url: feed.outlet for feed in desk.config.feeds}
    entries = [one for story in stories for one in story.entries if one.feed]
    with store.transaction():
        recovery.keep(store, stories, outlets, now)
        rules.revisit(store, desk.config, map(recovery.number_of, entries))


def _carried(
    store: Store, desk: Desk, stories: Sequence[Story], now: datetime
) -> list[Decision]:
    """Return the decisions without which the stories would not be what they were.

    Found by restoring them and looking, each time with what was found before; nothing
    of that is kept.
    """
    if not stories:
        return []
    keys = {addition.key for addition in desk.additions.values()}
    zone = desk.config.site.timezone
    shown = _rehearsed(store, desk, stories, now)
    found = [*carried.grouping(stories, shown, keys, zone, now)]
    desk = replace(desk, decisions=(*desk.decisions, *found))
    shown = _rehearsed(store, desk, stories, now)
    found += carried.standing(stories, shown, Rulings(desk.decisions), now)
    return found


def _rehearsed(
    store: Store, desk: Desk, stories: Sequence[Story], now: datetime
) -> dict[str, Story]:
    """Return by short id what stories would be once these were restored."""
    outlets = {outlet.name: outlet for outlet in desk.config.outlets}
    with store.rehearsal():
        _restore(store, desk, stories, now)
        return {
            ledger.short: compose(ledger, standing, ruling, outlets)
            for ledger, standing, ruling in settled(store, desk, now)
            if not ledger.merged
        }


def _date(store: Store, desk: Desk, added: Sequence[Decision], now: datetime) -> None:
    """Have stories that additions make count as added at their own date, not now."""
    keys = {one.addition.key for one in added if one.addition}
    if not keys:
        return
    additions = desk.additions
    tales.keep_additions(store, additions, now)
    bulletin.join(store, additions)
    dated = []
    for ledger, standing, _ in settled(store, desk, now):
        its = {member.addition.key for member in ledger.members if member.addition}
        before = ledger.standing or Standing(ledger.short, State.WAITING, ())
        if its & keys and before.added_at is None and standing.added_at is not None:
            at = min(ledger.members[0].published_at, now)
            dated.append(
                replace(
                    standing, added_at=at, updated_at=at, live=False, digest=UNKNOWN
                )
            )
    tales.stand(store, dated)
