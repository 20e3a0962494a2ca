"""The command `discover`: what a site offers to be polled."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import click

from aggregator import config as configuration
from aggregator import roster, wording
from aggregator.cli import show
from aggregator.cli.machine import ended_by_ctrl_c, settle_in
from aggregator.cli.opened import tell_missing
from aggregator.clock import now
from aggregator.config.tables import UnfitError
from aggregator.config.values import url as read_url
from aggregator.discover import discover as find
from aggregator.model import Config, Outlet
from aggregator.offers import Discovery, Offer
from aggregator.roster import Change

_FORMS: Final = {
    "atom": "Atom",
    "rss": "RSS",
    "json": "JSON",
    "sitemap": "news sitemap",
}
_TITLE: Final = 40  # columns of a feed's title


def _address(_context: click.Context, _option: click.Parameter, given: str) -> str:
    """Return an address as a person types it, whole."""
    whole = given if "://" in given else f"https://{given}"
    try:
        read_url(whole)
    except UnfitError as exc:
        raise click.BadParameter("; ".join(what for _, what in exc.reasons)) from exc
    return whole


@click.command()
@click.argument("url", callback=_address)
@click.option("--add", "adding", is_flag=True, help="Write what is new to feeds.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print all that was found.")
@click.pass_obj
def discover(path: str | None, url: str, adding: bool, as_json: bool) -> None:
    """Find the feeds and news sitemaps of a site, and print their line of [outlets].

    Each is asked and read for real, as `run` would, as far as robots.txt allows; what
    was found and what is of no use is told beside it.

    \b
    Exit status: 0 found · 1 nothing found, or it may not be asked · 3 not reached
    Example:     aggregator discover https://jour.example.org/ --add
    """
    config = configuration.read(configuration.locate(path).absolute())
    tell_missing(config)
    settle_in(config)
    with ended_by_ctrl_c():
        found = find(config, url, now(), _asking if _watched() else None)
    _tell(found)
    change = None
    if adding and found.outlet:
        change = roster.add(config.source, [found.outlet])
    if as_json:
        show.as_json(_plain(found, change))
    else:
        for line in _lines(found):
            click.echo(line)
    if not found.offers:
        click.echo(f"{show.safe(found.url)}: no feed found; {_MEND}", err=True)
        sys.exit(1)
    for line in _said(found, change, config):
        click.echo(show.safe(line), err=True)


_MEND: Final = (
    "look for « RSS » on the site, and give the address of that page, or of the feed; "
    "else a search feed may find its articles (docs/feeds.md)"
)


def _watched() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _asking(url: str) -> None:
    click.echo(f"asking {show.safe(url)}", err=True)


def _lines(found: Discovery) -> Iterator[str]:
    """Yield what is to be pasted: the whole line where the outlet has one."""
    if found.outlet:
        yield wording.listed(_whole(found, found.outlet))


def _whole(found: Discovery, outlet: Outlet) -> Outlet:
    """Return the outlet as it stands once it has what is new."""
    if found.known is None:
        return outlet
    return replace(found.known, urls=found.known.urls + outlet.urls)


def _tell(found: Discovery) -> None:
    """Show people what was found, and what was tried for nothing."""
    if found.offers:
        click.echo(f"{show.safe(found.name)} ({show.safe(found.url)}):", err=True)
    for one in found.offers:
        click.echo(f"  {show.safe(one.url)}", err=True)
        click.echo(f"    {show.safe(_use(one))}: {_about(one)}", err=True)
    if found.tried:
        click.echo("of no use:", err=True)
    for tried in found.tried:
        click.echo(f"  {show.safe(tried.url)}: {show.short(tried.why)}", err=True)


def _about(offer: Offer) -> str:
    """Return what is there, in a line."""
    count = len(offer.articles)
    newest = f", newest {offer.newest_at.date()}" if offer.newest_at else ", no dates"
    language = f", {show.safe(offer.language)}" if offer.language else ""
    title = f", « {show.short(offer.title, _TITLE)} »" if offer.title else ""
    entries = "entry" if count == 1 else "entries"
    return f"{_FORMS[offer.form]}, {count} {entries}{newest}{language}{title}"


def _use(offer: Offer) -> str:
    """Return what is made of an offer, in a few words."""
    if offer.polled:
        return f"polled already, for {offer.polled}"
    if not offer.instead:
        return "new"
    what = "titles only, in place of" if offer.kind == "sitemap" else "same as"
    return f"{what} {offer.instead}"


def _said(found: Discovery, change: Change | None, config: Config) -> Iterator[str]:
    """Yield what follows from what was found, or was done."""
    file = config.source.name
    if found.outlet is None:
        yield f"nothing new: {file} has all that is needed"
    elif change is None:
        where = "goes under [outlets]"
        if found.known:
            name = wording.quoted(found.known.name)
            where = f"takes the place of the one that {name} has"
        yield f"that line {where} in {file}; --add writes it there"
    else:
        yield from _done(change, file)
    if found.known and not found.known.enabled:
        name = wording.quoted(found.known.name)
        yield f"{name} is not polled: its line says enabled = false"


def _done(change: Change, file: str) -> Iterator[str]:
    """Yield what was written."""
    for outlet in change.new:
        yield f"{file}: {wording.quoted(outlet.name)} added"
    for outlet, urls in change.more:
        count = f"{len(urls)} address{'es' * (len(urls) > 1)}"
        yield f"{file}: {count} added to {wording.quoted(outlet.name)}"
    if change.empty:
        yield f"{file}: has it already, since a moment ago"
    names = [one.name for one in (*change.new, *(one for one, _ in change.more))]
    for name in names:
        yield f"`aggregator run --outlet {shlex.quote(name)}` asks it now"


def _plain(found: Discovery, change: Change | None) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "url": found.url,
        "outlet": found.outlet.name if found.outlet else "",
        "lines": list(_lines(found)),
        "replaces": found.known is not None and found.outlet is not None,
        "added": change is not None and not change.empty,
        "feeds": [
            {
                "url": one.url,
                "kind": one.kind,
                "form": one.form,
                "title": one.title,
                "language": one.language,
                "entries": len(one.articles),
                "newest_at": one.newest_at,
                "polled": one.polled,
                "instead": one.instead,
            }
            for one in found.offers
        ],
        "tried": [{"url": one.url, "why": one.why} for one in found.tried],
    }
