"""The command `review`: what waits, as a list or, on a terminal, one key each."""

from __future__ import annotations

import webbrowser
from collections import Counter
from collections.abc import Sequence

import click

from aggregator.append import Pen
from aggregator.cli import alike, show, tales, topics
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.desk import queue
from aggregator.model import (
    Action,
    AggregatorError,
    Config,
    Decision,
    Evidence,
    State,
    Story,
    Topic,
)
from aggregator.store import Store
from aggregator.store import tales as stored
from aggregator.text import cut
from aggregator.urls import web

_SUMMARY = 400  # characters: enough to tell one film from another of that name
_INDENT = "  "
_KEYS = "[k]eep  [h]ide  [r]etag  [s]kip  [o]pen  [q]uit"
_HELP = "K and H ask for a reason too; what was decided is in the file at once"
_NO_KEY = "?"
_DONE = {Action.KEEP: "kept", Action.HIDE: "hidden", Action.RETAG: "retagged"}
_LEAVING = (KeyboardInterrupt, EOFError, click.Abort)  # Ctrl-C and Ctrl-D


@click.command()
@click.option(
    "--suppressed", is_flag=True, help="What `never` lines, or the article, set aside."
)
@click.option("--json", "as_json", is_flag=True, help="Print the queue as JSON.")
@click.pass_obj
def review(path: str | None, suppressed: bool, as_json: bool) -> None:
    """Decide on the doubtful mentions that wait, newest first, one key each.

    Each decision is appended to curation.toml at once: quitting half-way, or losing the
    connection, loses nothing. Where the output is no terminal, the queue is listed.
    Below it: stories that may be one, with the commands that decide on it.

    \b
    k keep · h hide · r retag, which publishes under other topics · s skip
    o open in a browser · q quit, as Ctrl-C and Ctrl-D · K, H with a reason
    """
    desk = opened(path)
    state = State.SUPPRESSED if suppressed else State.WAITING
    with Store(desk.config.storage.database, create=False) as store:
        stories, doubles = queue(store, desk, state, now())
        held = stored.held(store)
    joins = () if suppressed else doubles
    if as_json:
        entries = [tales.entry(story, evidence=True) for story in stories]
        show.as_json(alike.added(entries, joins, tales.entry))
        return
    if stories and show.on_terminal():
        _Sitting(desk.config, state).review(stories)
    else:
        for story in stories:
            _listed(story, desk.config)
        click.echo(f"{len(stories)} {state}", err=True)
    for line in alike.lines(joins, lambda story: tales.day(story, desk.config)):
        click.echo(line)
    for line in show.held(held.items()):
        click.echo(line, err=True)


def _listed(story: Story, config: Config) -> None:
    day = tales.day(story, config)
    click.echo(f"{story.short}  {day}  {show.safe(story.outlet)}")
    click.echo(f"          {show.safe(story.title)}")
    if story.url:
        click.echo(f"          {show.safe(story.url)}")
    for evidence in story.evidence:
        why = evidence.line or "whatever this outlet publishes"
        click.echo(f"          {evidence.topic}: {show.safe(why)}")
        if evidence.snippet:
            click.echo(f"          {show.safe(tales.marked(evidence.snippet))}")


class _Sitting:
    """One maintainer before one terminal, deciding on one story after another."""

    def __init__(self, config: Config, state: State) -> None:
        self._config, self._state = config, state
        self._topics = config.topics
        self._pen = Pen(config)
        self._done: Counter[str] = Counter()
        self._plain = show.plain_terminal()

    def review(self, stories: Sequence[Story]) -> None:
        """Show the stories until there are no more, or somebody has had enough."""
        try:
            for place, story in enumerate(stories, 1):
                self._show(story, f"{place} of {len(stories)}")
                if not self._decide(story):
                    break
        except _LEAVING:
            click.echo()
        self._part(len(stories))

    # ── showing ───────────────────────────────────────────────────────────────────────

    def _show(self, story: Story, place: str) -> None:
        outlet, day = show.safe(story.outlet), tales.day(story, self._config)
        click.echo(f"\n{self._style(place, dim=True)}  {outlet}, {day}")
        click.echo(self._style(show.safe(story.title), bold=True))
        if story.url:
            click.echo(show.safe(story.url))
        if story.summary:
            text = show.safe(cut(story.summary, _SUMMARY))
            click.echo(click.wrap_text(text, show.width(), _INDENT, _INDENT))
        for evidence in story.evidence:
            click.echo(f"{evidence.topic}: {show.safe(self._reason(evidence))}")
            if evidence.snippet:
                click.echo(_INDENT + self._marked(evidence.snippet))
        for copy in story.copies[1:]:
            also = f"also in {copy.outlet}: {copy.title} ({copy.reason})"
            click.echo(show.safe(also))

    def _reason(self, evidence: Evidence) -> str:
        """Return which line of feeds.toml found it, and under which key."""
        topic = next((t for t in self._topics if t.id == evidence.topic), Topic("", ""))
        if self._state is State.SUPPRESSED:
            if evidence.line in (query.text for query in topic.never):
                return f"never: {evidence.line}"
            return f"review: {evidence.line}, and its page was read: no line of match"
        if not evidence.line:
            return "whatever this outlet publishes"
        if evidence.line in (query.text for query in topic.match):
            return f"match: {evidence.line}, but a line of never speaks against it"
        return f"review: {evidence.line}"

    def _marked(self, snippet: str) -> str:
        if self._plain:
            return show.safe(tales.marked(snippet))
        return "".join(
            self._style(show.safe(text), underline=True, fg="yellow")
            if hit
            else show.safe(text)
            for text, hit in tales.pieces(snippet)
        )

    def _style(
        self,
        text: str,
        *,
        bold: bool | None = None,
        dim: bool | None = None,
        underline: bool | None = None,
        fg: str | None = None,
    ) -> str:
        if self._plain:
            return text
        return click.style(text, bold=bold, dim=dim, underline=underline, fg=fg)

    # ── deciding ──────────────────────────────────────────────────────────────────────

    def _decide(self, story: Story) -> bool:
        """Take keys until one settles the story; False = no more stories, please."""
        while True:
            click.echo(f"{_KEYS} ? ", nl=False)
            key = _key()
            click.echo(key if key.isprintable() else "")
            if key in ("q", "Q", ""):
                return False
            if key in ("s", "S"):
                self._done["skipped"] += 1
                return True
            if key in ("o", "O"):
                _open(story)
            elif key in ("k", "K", "h", "H"):
                action = Action.KEEP if key in "kK" else Action.HIDE
                if self._write(
                    story, action, reason=_reason() if key.isupper() else ""
                ):
                    return True
            elif key in ("r", "R"):
                if self._write(
                    story, Action.RETAG, topics=topics.ask(self._topics, story.topics)
                ):
                    return True
            else:
                click.echo(_HELP)

    def _write(
        self,
        story: Story,
        action: Action,
        *,
        reason: str = "",
        topics: tuple[str, ...] = (),
    ) -> bool:
        """Append a decision; where that cannot be, say why and let it be tried again.

        By short id, not by URL: some addresses show another article every day.
        """
        # The clock is read for each: a sitting may last an hour.
        decided = Decision(action, (story.short,), now(), reason, topics=topics)
        try:
            self._tell_lost(self._pen.write(decided))
        except AggregatorError as exc:
            click.echo(f"{exc}\nnot decided; mend that, then press the key again")
            return False
        self._done[_DONE[action]] += 1
        return True

    # ── parting ───────────────────────────────────────────────────────────────────────

    def _part(self, shown: int) -> None:
        """Say what was done, and what brings it to the readers."""
        self._tell_lost(self._pen.write())
        decided = sum(self._done[name] for name in _DONE.values())
        counts = [f"{n} {name}" for name, n in self._done.items()]
        left = shown - sum(self._done.values())
        click.echo(f"\n{', '.join([*counts, f'{left} left'])}", err=True)
        if decided:
            click.echo(tales.followed_by(self._config), err=True)

    def _tell_lost(self, lost: int) -> None:
        if lost:
            name = self._config.storage.curation.name
            what = f"{name} was saved without {lost} of these decisions"
            click.echo(f"{what}; written again", err=True)


def _key() -> str:
    """Return the key that is pressed, "" when the terminal is gone.

    What was typed before its story was shown counts for nothing; nor do several
    characters at once, which a pasted text or an arrow sends: « hello » would hide.
    """
    typed = click.getchar()
    return typed if len(typed) <= 1 else _NO_KEY


def _reason() -> str:
    return str(click.prompt("reason", default="", show_default=False)).strip()


def _open(story: Story) -> None:
    """Open the article in a browser; where there is none, its address must do."""
    if not web(story.url):
        click.echo("this story has no address")
    elif not webbrowser.open(story.url):
        click.echo(f"no browser here: {show.safe(story.url)}")
