"""The command `try`: what a line would have found."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import click

from aggregator import config as configuration
from aggregator.cli import show, tales
from aggregator.cli.opened import tell_missing
from aggregator.match import Proof, proofs
from aggregator.model import Config, State
from aggregator.query import compile_line
from aggregator.store import Store, history
from aggregator.store.history import Count, Stored
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
    hidden, suppressed, withdrawn; new = nothing was found in it so far.

    \b
    Columns: where it went, date, outlet, title, address, the words found elsewhere;
             separated by tabs, matched words between **
    Exit status: 0 · 2 the line cannot be read
    Example: aggregator try 'invisibles AND (clic OR casilli)' --limit 10
    """
    config = configuration.read(configuration.locate(path))
    tell_missing(config)
    line = compile_line(query)
    with Store(config.storage.database, create=False) as store:
        count = history.count(store, line)
        hits = history.newest(store, line, limit)
    found = proofs([(hit.title, hit.summary, hit.article) for hit in hits], line)
    if as_json:
        show.as_json([_entry(*both) for both in zip(hits, found, strict=True)])
    else:
        for hit, its in zip(hits, found, strict=True):
            click.echo("\t".join(map(show.safe, _fields(hit, its, config))))
    click.echo(_summed_up(count, len(hits)), err=True)


def _fields(hit: Stored, found: Sequence[Proof], config: Config) -> tuple[str, ...]:
    spans = [span for proof in found if proof.column == "title" for span in proof.spans]
    elsewhere = (proof.snippet for proof in found if proof.column != "title")
    return (
        hit.state or _NEW,
        f"{hit.published_at.astimezone(ZoneInfo(config.site.timezone)):%Y-%m-%d}",
        hit.outlet,
        tales.marked(snippet(hit.title, spans, len(hit.title) + _WHOLE)),
        hit.url,
        tales.marked(next(elsewhere, "")),
    )


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
