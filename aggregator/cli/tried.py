"""The command `try`: what a line would have found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import click

from aggregator.cli import show, tales
from aggregator.cli.opened import opened
from aggregator.desk import regrouped
from aggregator.match import Proof, proofs
from aggregator.model import Config, State
from aggregator.query import compile_line
from aggregator.store import Store, history
from aggregator.store.history import Count, Stored
from aggregator.stories import Ledger
from aggregator.text import snippet

_SHOWN = 50  # entries of a `try`: more than anybody reads one by one
_WHOLE = 3  # characters beyond its length that leave no text cut
_NEW = "new"  # the state of what is in no story


@click.command("try")
@click.argument("query")
@click.option(
    "--limit",
    default=_SHOWN,
    show_default=True,
    metavar="N",
    type=click.IntRange(min=1),
    help="Print so many entries at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the entries as JSON.")
@click.pass_obj
def try_(path: str | None, query: str, limit: int, as_json: bool) -> None:
    """Print what a line would have found in the stored history, newest first.

    Nothing is changed. Where each entry went: published, waiting, held by the brake,
    hidden, suppressed, withdrawn; new = nothing was found in it so far. Of a copy that
    was merged into another story: how that one stands, and its id.

    \b
    Columns: where it went, date, outlet, title, address, the words found elsewhere;
             separated by tabs, matched words between **
    Exit status: 0 · 2 the line cannot be read
    Example: aggregator try 'invisibles AND (clic OR casilli)' --limit 10
    """
    desk = opened(path)
    line = compile_line(query)
    with Store(desk.config.storage.database, create=False) as store:
        others = regrouped(store, desk)
        moved = {entry: ledger.short for entry, ledger in others.items()}
        count = history.count(store, line, moved)
        hits = history.newest(store, line, limit, moved)
    found = proofs([(hit.title, hit.summary, hit.article) for hit in hits], line)
    if as_json:
        show.as_json([_entry(*both) for both in zip(hits, found, strict=True)])
    else:
        for hit, its in zip(hits, found, strict=True):
            click.echo(
                "\t".join(map(show.safe, _fields(hit, its, desk.config, others)))
            )
    click.echo(_summed_up(count, len(hits)), err=True)


def _fields(
    hit: Stored, found: Sequence[Proof], config: Config, others: Mapping[int, Ledger]
) -> tuple[str, ...]:
    spans = [span for proof in found if proof.column == "title" for span in proof.spans]
    elsewhere = (proof.snippet for proof in found if proof.column != "title")
    return (
        _went(hit, others.get(hit.entry)),
        f"{hit.published_at.astimezone(ZoneInfo(config.site.timezone)):%Y-%m-%d}",
        hit.outlet,
        tales.marked(snippet(hit.title, spans, len(hit.title) + _WHOLE)),
        hit.url,
        tales.marked(next(elsewhere, "")),
    )


def _went(hit: Stored, other: Ledger | None) -> str:
    """Return where an entry went; other: the story that a decision put it into."""
    where = hit.state or _NEW
    merged = other is not None and other.members[0].entry != hit.entry
    return f"{where} as part of {hit.story}" if merged else where


def _entry(hit: Stored, found: Sequence[Proof]) -> dict[str, object]:
    return {
        "state": hit.state or _NEW,
        "story": hit.story,
        "url": hit.url,
        "title": hit.title,
        "outlet": hit.outlet,
        "published": hit.published_at,
        "evidence": [
            {"field": proof.column, "snippet": tales.marked(proof.snippet)}
            for proof in found
        ],
    }


def _summed_up(count: Count, shown: int) -> str:
    numbers = [(state.value, count.told.get(state, 0)) for state in State]
    new = count.entries - sum(count.told.values())
    parts = [f"{number} {name}" for name, number in (*numbers, (_NEW, new)) if number]
    found = f"{count.entries} {'entry' if count.entries == 1 else 'entries'} found"
    told = f"{found}: {', '.join(parts)}" if parts else found
    return f"{told}; the newest {shown} are shown" if shown < count.entries else told
