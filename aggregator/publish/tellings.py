"""The sentences in which each kind of event is told. Words only; nothing is decided.

Fields stand in them as %(name)s: name of the outlet, topic, file or hub; text as
`health` defines it; since, a day; from and to, moments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from aggregator.health import Kind
from aggregator.publish.words import words


@dataclass(frozen=True, slots=True)
class Telling:
    """How a kind of event is told, "" or () where there is nothing to say.

    undated, undated_facts: for when it is not known since when; undated "" = the same
    title. heading: over several that last.
    """

    title: str
    facts: tuple[str, ...] = ()
    advice: str = ""
    undated: str = ""
    undated_facts: tuple[str, ...] = ()
    heading: str = ""


@lru_cache(maxsize=8)
def tellings(language: str) -> Mapping[Kind, Telling]:
    """Return how every kind is told in a language."""
    _ = words(language).gettext
    reason = _("Reason: %(text)s.")
    at_once = _("They would be published or withdrawn all at once.")
    last, never = _("Last read on %(from)s."), _("Never read so far.")
    return {
        Kind.FAILS: Telling(
            title=_("%(name)s: the feed cannot be read any more (%(text)s)"),
            facts=(reason, last),
            advice=_(
                "We go on asking, ever more rarely, and tell you when it answers. "
                "If it lasts, look for a new address on the outlet’s site."
            ),
            undated=_("%(name)s: the feed could never be read (%(text)s)"),
            undated_facts=(reason, never),
            heading=_("Cannot be read"),
        ),
        Kind.GONE: Telling(
            title=_("%(name)s: the feed is gone for good (%(text)s)"),
            facts=(reason, last),
            advice=_(
                "The outlet says that this address will not come back; we ask once a "
                "month. Look for another one on its site and put it into feeds.toml."
            ),
            undated_facts=(reason, never),
            heading=_("Gone for good"),
        ),
        Kind.RECOVERED: Telling(
            title=_("%(name)s: the feed can be read again"),
            facts=(_("It could not since %(from)s."),),
            advice=_(
                "All that it still lists has been read; what it dropped meanwhile may "
                "be missing."
            ),
        ),
        Kind.UNSTEADY: Telling(
            title=_("%(name)s: the feed fails and recovers again and again"),
            facts=(reason, _("So since %(from)s.")),
            advice=_(
                "We read it whenever it answers, and do not tell you of each time."
            ),
            undated_facts=(reason,),
            heading=_("Fail now and then"),
        ),
        Kind.SILENT: Telling(
            title=_("%(name)s has been silent since %(since)s"),
            facts=(_("Newest article: %(from)s."),),
            advice=_(
                "The feed answers but brings nothing new, for far longer than usual. "
                "Compare it with the outlet’s site: if articles appear there, the feed "
                "has been given up."
            ),
            undated=_("%(name)s has fallen silent"),
            heading=_("Silent"),
        ),
        Kind.SPEAKS: Telling(
            title=_("%(name)s publishes again"),
            facts=(_("It had been silent since %(since)s."),),
        ),
        Kind.MOVED: Telling(
            title=_("%(name)s: the feed has moved"),
            facts=(_("New address: %(text)s"),),
            advice=_(
                "It is already read there. So that this lasts, put this line into "
                "feeds.toml in place of the outlet’s own, and keep its other settings "
                "if it has any:"
            ),
            undated_facts=(_("New address: %(text)s"),),
            heading=_("Moved"),
        ),
        Kind.GAP: Telling(
            title=_(
                "%(name)s: articles may have been missed between %(from)s and %(to)s"
            ),
            advice=_(
                "Of what the feed listed before, nothing was left: what came and went "
                "in between was not seen. It is asked more often from now on. An "
                "article that you find missing is added in curation.toml "
                "(docs/curation.md, “add”)."
            ),
            undated=_("%(name)s: articles may have been missed before %(to)s"),
            heading=_("Perhaps missed"),
        ),
        Kind.TOPIC_SILENT: Telling(
            title=_("Nothing on “%(name)s” since %(since)s"),
            advice=_(
                "That is far longer than usual. Perhaps nobody wrote of it; perhaps "
                "its lines in feeds.toml do not find any more what they used to find."
            ),
            facts=(_("Newest article: %(from)s."),),
            undated=_("Nothing on “%(name)s” for a long time"),
            heading=_("Topics without news"),
        ),
        Kind.TOPIC_SPEAKS: Telling(
            title=_("An article on “%(name)s” again"),
            facts=(_("There had been none since %(since)s."),),
        ),
        Kind.WAITS: Telling(title=_("To read: %(text)s (%(name)s)")),
        Kind.BRAKE: Telling(
            title=_("%(name)s: articles that the brake holds: %(text)s"),
            facts=(at_once,),
            advice=_(
                "To see which ones, and by which lines: aggregator diff. To let them "
                "pass: aggregator publish --accept. Otherwise mend what was edited in "
                "feeds.toml."
            ),
            undated_facts=(at_once,),
            heading=_("Held by the brake"),
        ),
        Kind.BRAKE_OFF: Telling(title=_("%(name)s: the brake holds nothing any more")),
        Kind.EDIT: Telling(
            title=_("%(name)s: your edit is not in force"),
            advice=_(
                "The version before it is used until this is mended. To see whether it "
                "is: aggregator check"
            ),
            heading=_("Edits not in force"),
        ),
        Kind.EDIT_MENDED: Telling(title=_("%(name)s: the edit is in force")),
        Kind.HUB_FAILS: Telling(
            title=_("The hub %(name)s cannot be told of new articles (%(text)s)"),
            advice=_(
                "Subscribers get them later, when they ask by themselves. The hub is "
                "told again, ever more rarely, and you hear when it works. If it "
                "lasts, take it out of site.hubs."
            ),
            heading=_("Hubs that fail"),
        ),
        Kind.HUB_WORKS: Telling(
            title=_("The hub %(name)s works again"),
            facts=(_("It could not be told since %(from)s."),),
        ),
    }
