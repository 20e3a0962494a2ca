"""The command `why`: what is known of an article, and what mends its absence."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from aggregator import ask
from aggregator.cli import show
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.desk import Desk
from aggregator.store import Store
from aggregator.why import Answer, Article, Mend, Reason, explain

_INDENT = "    "  # before what is to be pasted; TOML does not mind it


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="URL-OR-WORDS")
@click.option("--published", default="", metavar="DATE", help="2020-02-14, or a month.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@click.pass_obj
def why(
    path: str | None, words: tuple[str, ...], published: str, as_json: bool
) -> None:
    """Tell all that is known of an article: what is published of it, or why nothing is.

    By its address, with tracking parameters or without, by a short id, by the id of an
    addition, or by words of its title. Facts come first; after → stands what mends it,
    ready to be run or pasted.

    \b
    Example: aggregator why https://www.slate.fr/story/187436/invisibles-documentaire
    """
    desk = opened(path)
    try:
        ask.span(published, ZoneInfo("UTC")) if published else None
    except ValueError as exc:
        raise click.UsageError(
            f"--published {published!r} is no date; write 2020-02-14 or 2020-02"
        ) from exc
    database = desk.config.storage.database
    # Before the first cycle there is something to tell, and nothing to make.
    with Store(database if database.exists() else Path(":memory:")) as store:
        asked = " ".join(words)
        answer = explain(ask.about(store, desk, asked, published, now()))
    if as_json:
        show.as_json({**dataclasses.asdict(answer), "cause": answer.cause})
    else:
        _tell(answer, desk)


def _tell(answer: Answer, desk: Desk) -> None:
    if answer.article:
        _head(answer.article, desk)
    for reason in answer.reasons:
        click.echo()
        _reason(reason)
    for article in answer.candidates:
        where = article.url or article.story
        click.echo(
            f"  {_day(article, desk)}  {show.safe(article.outlet)}: "
            f"{show.safe(article.title)}  {show.safe(where)}"
        )


def _head(article: Article, desk: Desk) -> None:
    """Print the article, and where it came from."""
    click.echo(show.safe(article.title))
    story = f", story {article.story}" if article.story else ""
    click.echo(f"{show.safe(article.outlet)}, {_day(article, desk)}{story}")
    if article.url:
        click.echo(show.safe(article.url))
    for feed in article.feeds:
        click.echo(_sighting(article, show.safe(feed), desk))
    if not article.feeds:
        click.echo(f"added by {desk.config.storage.curation.name}")


def _sighting(article: Article, feed: str, desk: Desk) -> str:
    """Return when a feed listed an article, as far as that is known."""
    seen, left = _moment(article.seen_at, desk), article.listed_until
    if article.backfilled:
        return (
            f"brought by `aggregator backfill` on {seen}, as an older entry of {feed}"
        )
    until = f"listed until {_moment(left, desk)}" if left else "listed still"
    return f"first read on {seen} in {feed}, {until}"


def _reason(reason: Reason) -> None:
    for fact in reason.facts:
        click.echo(show.safe(fact))
    for place in reason.places:
        click.echo(f"  {place}")
    for mend in reason.mends:
        _mend(mend)


def _mend(mend: Mend) -> None:
    click.echo(f"→ {show.safe(mend.says)}")
    for line in (mend.run, *mend.paste.splitlines()):
        if line:
            click.echo(_INDENT + show.safe(line))


def _day(article: Article, desk: Desk) -> str:
    return _moment(article.published_at, desk).partition(" ")[0]


def _moment(at: datetime | None, desk: Desk) -> str:
    """Return a time to the minute in the site's zone, "–" for none."""
    zone = ZoneInfo(desk.config.site.timezone)
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else "–"
