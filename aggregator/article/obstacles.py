"""What keeps the text of a page from being the whole article: paywall, consent wall.

In doubt a page counts as not read in full, which leaves a doubt to the maintainer. Pure
functions of a page's tree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from lxml import etree

from aggregator.model import FULL_TEXT, Obstacle
from aggregator.text import fold

_EMPTY: Final = 200  # characters of text under which a page shows no article at all
_NOTICE: Final = 200  # characters of a notice at most; a longer text is prose
_DEEP: Final = 20  # levels of nested JSON-LD that are looked at
_CONSENTS: Final = 2  # different phrases of a page that asks for consent
_OPENING: Final = 1000  # characters in which a wall says what it is about
_LEGAL: Final = 4  # different terms of consent that no other opening has
_SHORT_LEGAL: Final = 2  # of a text too short to be an article

# Names that publishers and their paywalls (Poool, Qiota) give to what hides an article.
_NAMED: Final = re.compile(
    r"(?<![a-z])(?:paywall|poool|qiota|premium-wall|subscription-wall"
    r"|(?:article|content)-restricted|reserved-content|reserve-abonnes?"
    r"|(?:abonnes|subscribers?)-only)(?![a-z])"
)
_UNDONE: Final = re.compile(
    r"(?:no|sans|without|hide|free)-paywall|paywall-(?:off|free|hidden|disabled|none)"
)
_NOTICES: Final = re.compile(
    r"\breservee?s? (?:aux|a nos) abonn|\bpour lire la suite\b.*\babonn"
    r"|\babonnez vous pour (?:lire|continuer|acceder)"
    r"|\bla suite (?:de cet article )?est reservee"
    r"|\bcet article est reserve\b|\bil vous reste [\d.,]+ ?% de cet article"
    r"|\bsubscribe to (?:continue|keep) reading\b|\bfor subscribers only\b"
    r"|\bthis article is (?:only )?for subscribers\b"
)
_CONSENT: Final = re.compile(
    r"tout accepter|tout refuser|accepter et (?:continuer|fermer)"
    r"|continuer sans accepter|accepter les cookies"
    r"|(?:gerer|parametrer) (?:mes|vos|les) (?:choix|cookies)"
    r"|nous et nos partenaires|accept all|reject all"
    r"|manage (?:my )?(?:options|choices|cookies)|we and our partners"
)
_TERMS: Final = re.compile(
    r"\b(?:cookies|traceurs|partenaires|consentement|finalites|interet legitime"
    r"|(?:publicites|annonces|contenus) personnalise|donnees personnelles|vie privee"
    r"|partners|consent|legitimate interest|personalised|privacy)"
)
_UNSEEN: Final = ("script", "style", "noscript", "template")
# A teaser of another article carries the notice of that one.
_OTHERS: Final = ("a", "aside", "nav", "footer")
_INLINE: Final = ("b", "em", "font", "i", "mark", "span", "strong", "sup", "u")


def obstacle(tree: Any, text: str, length: int) -> Obstacle:  # noqa: ANN401 - untyped
    """Return why `text`, which was found in the page, is not its whole article.

    length: of the text as it stands on the page, in characters.
    """
    shown = _shown(tree)
    if _consent_wall(shown, text):
        return "consent"
    if _declared(tree) or _named(shown) or _noticed(shown):
        return "paywall"
    return "" if length >= FULL_TEXT else "short"


def _consent_wall(shown: Any, text: str) -> bool:  # noqa: ANN401 - as above
    """Tell whether the page asks for consent where the article should be.

    Its buttons alone are a banner's too; so there must be no article, or one that
    speaks of nothing else.
    """
    asked = set(_CONSENT.findall(fold(" ".join(_segments(shown)))))
    if len(asked) < _CONSENTS:
        return False
    terms = set(_TERMS.findall(fold(text[:_OPENING])))
    legal = _LEGAL if len(text) >= FULL_TEXT else _SHORT_LEGAL
    return len(text) < _EMPTY or len(terms) >= legal


def _declared(tree: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether the page says so to machines (schema.org, Open Graph)."""
    for script in tree.iterfind('.//script[@type="application/ld+json"]'):
        try:
            if _locked(json.loads(script.text or "", strict=False)):
                return True
        except (ValueError, RecursionError):
            continue
    for item in tree.iterfind('.//*[@itemprop="isAccessibleForFree"]'):
        if _false(item.get("content") or item.get("href") or item.text):
            return True
    tiers = tree.iterfind('.//meta[@property="article:content_tier"]')
    return any(
        (tier.get("content") or "").strip().lower() == "locked" for tier in tiers
    )


def _locked(said: object, depth: int = 0) -> bool:
    """Tell whether JSON-LD says that the article, or a part of it, is not free."""
    if depth > _DEEP:
        return False
    if isinstance(said, list):
        return any(_locked(each, depth + 1) for each in said)
    if not isinstance(said, dict):
        return False
    if _false(said.get("isAccessibleForFree")):
        return True
    within = ("@graph", "hasPart", "mainEntity", "mainEntityOfPage")
    return any(_locked(said.get(name), depth + 1) for name in within)


def _false(value: object) -> bool:
    """Tell whether a value of schema.org means no: false, "False", ".../False"."""
    return str(value).strip().lower().rpartition("/")[2] == "false"


def _shown(tree: Any) -> Any:  # noqa: ANN401 - as above
    """Return a copy without what a reader does not see."""
    shown = deepcopy(tree)
    etree.strip_elements(shown, etree.Comment, *_UNSEEN, with_tail=False)
    for element in list(shown.iterfind(".//body//*")):
        if _hidden(element) and element.getparent() is not None:
            element.drop_tree()
    return shown


def _hidden(element: Any) -> bool:  # noqa: ANN401 - as above
    style = (element.get("style") or "").replace(" ", "").lower()
    return "hidden" in element.attrib or "display:none" in style


def _named(shown: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether an element bears the name of a paywall."""
    for element in shown.iterfind(".//body//*"):
        names = f"{element.get('class') or ''} {element.get('id') or ''}".lower()
        names = names.replace("_", "-")
        if _NAMED.search(names) and not _UNDONE.search(names):
            return True
    return False


def _noticed(shown: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether a notice, not prose, says that the article is for subscribers."""
    own = deepcopy(shown)
    etree.strip_elements(own, *_OTHERS, with_tail=False)
    return any(
        len(segment) <= _NOTICE and _NOTICES.search(fold(segment))
        for segment in _segments(own)
    )


def _segments(shown: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    """Yield the pieces of text between two tags, those inline aside."""
    plain = deepcopy(shown)
    etree.strip_tags(plain, *_INLINE)
    body = plain.find(".//body")
    for element in (plain if body is None else body).iter():
        for piece in (element.text, element.tail):
            if piece and not piece.isspace():
                yield piece
