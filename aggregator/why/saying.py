"""How facts and mends are said: moments, decisions, lines, tables to paste. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from aggregator import wording
from aggregator.model import Action, Decision, Outlet, Story
from aggregator.text import MARK, UNMARK
from aggregator.why.nearest import Near
from aggregator.why.values import Case, Following, Mend, Reading


def moment(at: datetime | None, case: Case) -> str:
    """Return a time to the minute in the site's zone."""
    if at is None:
        return "an unknown time"
    return at.astimezone(ZoneInfo(case.timezone)).strftime("%Y-%m-%d %H:%M")


def day(at: datetime, case: Case) -> str:
    """Return a day in the site's zone."""
    return at.astimezone(ZoneInfo(case.timezone)).date().isoformat()


def marked(snippet: str) -> str:
    """Return a snippet with its matched words between asterisks."""
    return snippet.replace(MARK, "**").replace(UNMARK, "**")


def decision(place: int, decided: Decision, case: Case) -> str:
    """Return where a decision stands, what it does, when and why it was taken."""
    when = f", {day(decided.at, case)}" if decided.at else ""
    why = f": {decided.reason}" if decided.reason else ""
    return f"decision[{place}] of {case.curation} ({decided.action}{when}){why}"


def page(read: Reading, case: Case) -> str:
    """Return how the page of an article was read."""
    how = {"full": "was read in full", "part": "was read in part"}
    said = f"its page {how.get(read.state, 'could not be read')}"
    times = f", asked for {read.tries} times" if read.tries > 1 else ""
    why = f": {read.reason}" if read.reason else ""
    return f"{said} ({moment(read.at, case)}{times}){why}"


def link(followed: Following, case: Case) -> str:
    """Return where the link of an article leads, or why that is not known."""
    if followed.target:
        return f"its link in the feed, {followed.url}, leads to {followed.target}"
    times = f", tried {followed.tries} times" if followed.tries > 1 else ""
    return (
        f"where its link leads is not known ({moment(followed.at, case)}{times}): "
        f"{followed.reason}"
    )


def near(found: Near) -> tuple[str, str]:
    """Return which line comes nearest, and what it lacks."""
    there, gone = ", ".join(found.found), ", ".join(found.missing)
    return (
        f"nearest is a line of {found.key} under topic {found.topic}: {found.line}",
        f"there: {there}; missing: {gone}",
    )


def keep(story: Story, says: str) -> Mend:
    """Return the command that publishes a story."""
    return Mend(says, run=wording.command(Action.KEEP, story.short))


def retag(story: Story, topic: str, says: str) -> Mend:
    """Return the command that gives a story one topic more."""
    topics = " ".join(f"--topic {name}" for name in (topic, *story.topics))
    return Mend(says, run=f"{wording.command(Action.RETAG, story.short)} {topics}")


def main_topic(case: Case) -> str:
    """Return the id of the first main topic, else of the first."""
    topics = [topic for topic in case.topics if topic.main] or [*case.topics]
    return topics[0].id if topics else ""


def poll(outlet: Outlet, says: str) -> Mend:
    """Return the command that asks an outlet now."""
    return Mend(says, run=f"aggregator run --all --outlet {_shell(outlet)}")


def backfill(outlet: Outlet, says: str, *, again: bool = False) -> Mend:
    """Return the command that reads an outlet's older entries."""
    options = " --again" if again else ""
    return Mend(says, run=f"aggregator backfill {_shell(outlet)}{options}")


def _shell(outlet: Outlet) -> str:
    """Return an outlet's name as a shell reads it."""
    return "'" + outlet.name.replace("'", "'\\''") + "'"
