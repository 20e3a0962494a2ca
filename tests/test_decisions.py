"""What decisions say of one story."""

from __future__ import annotations

from datetime import UTC, datetime

from aggregator.decisions import Ruling, Rulings
from aggregator.identity import short
from aggregator.model import Action, Addition, Decision

AT = datetime(2026, 11, 23, tzinfo=UTC)
URL = "https://e.fr/a"


def rule(*decisions: Decision, keys: tuple[str, ...] = (URL,)) -> Ruling:
    """Return the ruling on a story of 14 February 2020."""
    return Rulings(decisions).of(keys, ["2020-02-14"])


def test_nothing_decided_leaves_everything_to_the_rules() -> None:
    """A story nobody spoke of has an empty ruling."""
    assert rule() == Ruling()


def test_later_tables_win() -> None:
    """Of a keep and a hide, the last one written holds."""
    keep = Decision(Action.KEEP, (URL,), AT)
    hide = Decision(Action.HIDE, (URL,), AT)

    assert rule(keep, hide).kept is False
    assert rule(hide, keep).kept is True


def test_a_story_is_named_by_url_short_id_or_id() -> None:
    """Tracking parameters make no difference, and ids do as well as URLs."""
    by_url = Decision(Action.HIDE, ("http://www.e.fr/a/?utm_source=x",))
    by_short = Decision(Action.HIDE, ("abcd2345",))

    assert rule(by_url).kept is False
    assert rule(by_short, keys=("abcd2345", URL)).kept is False
    assert rule(by_short).kept is None


def test_a_date_tells_apart_stories_that_share_a_url() -> None:
    """A decision with `published` speaks of that day's or that month's story only."""
    that_day = Decision(Action.HIDE, (URL,), published="2020-02-14")
    next_day = Decision(Action.HIDE, (URL,), published="2020-02-15")

    that_month = Decision(Action.HIDE, (URL,), published="2020-02")
    next_month = Decision(Action.HIDE, (URL,), published="2020-03")

    assert rule(that_day).kept is rule(that_month).kept is False
    assert rule(next_day).kept is rule(next_month).kept is None


def test_a_url_names_the_story_it_founded_wherever_the_article_moved() -> None:
    """What was hidden stays hidden when the outlet changes the article's address."""
    hide = Decision(Action.HIDE, ("http://www.e.fr/a/?utm_source=x",))
    moved = (short(URL), "https://e.fr/2020/a")

    assert rule(hide, keys=moved).kept is False
    assert rule(hide, keys=moved[1:]).kept is None
    assert Rulings([hide]).unknown(moved) == ()


def test_each_action_leaves_its_mark() -> None:
    """Pin, unpin, retag, note and add show in the ruling."""
    addition = Addition(URL, "T", "E", AT, "day", ("t",))
    ruling = rule(
        Decision(Action.ADD, (URL,), AT, addition=addition),
        Decision(Action.PIN, (URL,)),
        Decision(Action.RETAG, (URL,), topics=("b",)),
        Decision(Action.NOTE, (URL,), text="à lire"),
    )

    assert ruling == Ruling(
        kept=True, topics=("b",), pinned=True, note="à lire", addition=addition
    )
    assert not rule(Decision(Action.PIN, (URL,)), Decision(Action.UNPIN, (URL,))).pinned


def test_decisions_on_nothing_known_are_named() -> None:
    """A target that no story answers to is reported, as it is compared."""
    rulings = Rulings([Decision(Action.HIDE, ("http://www.e.fr/b/", "abcd2345"))])

    assert rulings.unknown(["abcd2345"]) == ("https://e.fr/b",)
