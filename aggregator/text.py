"""Text as outlets write it: stripped of markup, folded for comparing, cut for showing.

Pure functions of strings, linear in their length, for every other room. Nothing that
knows an entry, a topic or a query may enter. The rules are those of DESIGN.md §3.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from unicodedata import category, normalize

MARK, UNMARK = "\x02", "\x03"  # round matched words; `plain` leaves neither in a text
_ELLIPSIS = "…"
_ELLIPSES = 2  # characters that a window needs for what is left out on both sides

# ── markup ────────────────────────────────────────────────────────────────────────────

_INLINE_NAMES = "b|i|em|strong|span|a|mark|sup|sub|u|abbr|font|wbr"
_BLOCK_NAMES = (
    "p|br|hr|div|img|h[1-6]|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|td|th|blockquote|pre"
    "|figure|figcaption|iframe|script|style|section|article|picture|source|small|code"
)
# Attributes up to the closing bracket. A quoted value may hold ">" but never "<", so
# that no attempt reads past the next "<" and the whole is linear; the second branch
# takes what has an unbalanced quote.
_REST = r"""(?:(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|[^<>]*+>)"""
_INLINE = re.compile(rf"</?(?:{_INLINE_NAMES})(?=[\s/>]){_REST}", re.IGNORECASE)
_TAG = re.compile(rf"<(?:/?[a-z]|[!?]){_REST}", re.IGNORECASE)
_KNOWN = rf"<(?:/?(?:{_INLINE_NAMES}|{_BLOCK_NAMES})(?=[\s/>])|!--)"
_KNOWN_TAG = re.compile(_KNOWN + _REST, re.IGNORECASE)
_CUT_TAG = re.compile(
    rf"<(?:{_INLINE_NAMES}|{_BLOCK_NAMES})\s[^<>=]*=[^<>]*\Z|</[a-z]*\Z",
    re.IGNORECASE,
)
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_OPAQUE = re.compile(r"<(?:(!--)|(script|style)(?=[\s/>]))", re.IGNORECASE)
_OPAQUE_END = {
    "!--": re.compile("-->"),
    "script": re.compile(r"(?=</script)", re.IGNORECASE),
    "style": re.compile(r"(?=</style)", re.IGNORECASE),
}

# html.unescape hands any number of digits to int(), which refuses over 4,300 of them.
_HUGE_REFERENCE = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9a-fA-F]{8,}+);?")
_DECODINGS = 2  # a feed escaped once too often is common, twice too often is not

# UTF-8 read as Windows-1252 or Latin-1: a lead byte's letter, then a continuation
# byte's. Only says where asking ftfy pays: "PÂTÉ »" must not load it.
_CONTINUATION = re.escape(
    bytes(range(0x80, 0xC0)).decode("cp1252", "ignore")
    + bytes(range(0x80, 0xC0)).decode("latin-1")
)
_MOJIBAKE = re.compile(f"[ÂÃÄÅ][{_CONTINUATION}]|â[€\x80\x82]")
_LEADS = "ÂÃÄÅâ"  # without one of them, searching for it is in vain

# Without white space, which is collapsed; surrogates cannot be stored as UTF-8, and
# U+FFFE and U+FFFF are no XML characters.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# A lone no-break space stays: French punctuation hangs on it. Written so that the
# engine scans for blanks, which takes half the time of two alternatives.
_BLANKS = re.compile(r"\s(?:\s+|(?<=[^ \u00a0\u202f]))")
_SPACES = re.compile("  +")


def plain(html: str) -> str:
    """Return what a reader sees of `html`: no tags, entities, controls or line ends.

    Tags inside a line vanish, all others become a space; comments, scripts and styles
    go. Entities are decoded up to twice; text broken by a wrong charset is mended where
    ftfy is sure. Broken markup never raises, and `a < b` is no tag.
    """
    text = html
    if "<" in text:
        text = _without_tags(text, _TAG)
    for _ in range(_DECODINGS):
        if "&" not in text:
            break
        decoded = unescape(_HUGE_REFERENCE.sub(" ", text))
        if decoded == text:
            break
        # Escaped once too often, its tags show only now; an unknown one may be words.
        text = _without_tags(decoded, _KNOWN_TAG) if "<" in decoded else decoded
    if any(lead in text for lead in _LEADS) and _MOJIBAKE.search(text):
        text = _mended(text)
    return _spaced(text).strip()


def _spaced(text: str) -> str:
    """Return a text without controls, and each run of blanks as one space.

    Nearly all texts have only blanks that these steps know; the patterns for the others
    take ten times as long.
    """
    for blank in "\n\r\t":
        text = text.replace(blank, " ")
    text = _SPACES.sub(" ", text) if "  " in text else text
    broken = text.replace("\u00a0", " ").replace("\u202f", " ")
    if broken.isprintable() and "  " not in broken:
        return text
    return _BLANKS.sub(" ", _CONTROL.sub("", text))


def _without_tags(text: str, tag: re.Pattern[str]) -> str:
    if _OPAQUE.search(text):
        text = "".join(_transparent(text))
    if "[CDATA[" in text or "]]>" in text:
        text = _CDATA.sub("", text)
    text = tag.sub(" ", _INLINE.sub("", text))
    last = text.rfind("<")
    if last >= 0 and _CUT_TAG.match(text, last):  # cut short by the outlet
        text = text[:last]
    return text


def _transparent(text: str) -> Iterator[str]:
    """Yield what stands outside comments, scripts and styles; unclosed ones take all.

    Every search goes on from the last, so that a million openings cost one pass.
    """
    start = 0
    while opening := _OPAQUE.search(text, start):
        yield text[start : opening.start()]
        kind = (opening[1] or opening[2]).lower()
        closing = _OPAQUE_END[kind].search(text, opening.end())
        if closing is None:
            return
        yield " " if opening[2] else ""
        start = closing.end()
    yield text[start:]


def _mended(text: str) -> str:
    import ftfy  # noqa: PLC0415 -- 40 ms, and most runs meet no broken text

    return ftfy.fix_encoding(text)


# ── folding ───────────────────────────────────────────────────────────────────────────

_DASHES = "−⁃˗➖"  # those that Unicode does not class as dashes (Pd)
_APOSTROPHES = "'`‘’‚‛′‵ʹʻʼʽʾʿˈꞋꞌ՚׳"
_LETTERS = {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i"}
_SPECIAL = dict.fromkeys(_DASHES + _APOSTROPHES, " ") | _LETTERS
_REMEMBERED = 5_000  # characters; no press uses more, an attack might use a million


class _Folds(dict[int, str]):
    """What each character folds to, worked out at its first use (for str.translate)."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded


def _folded(text: str) -> str:
    """Fold until nothing changes: each step may give another one work again."""
    folded = "".join(map(_one, normalize("NFKD", text).casefold()))
    return folded if folded == text else _folded(folded)


def _one(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    kind = category(char)
    if kind in ("Mn", "Me", "Cf", "Cs"):  # accents; soft hyphen, zero width, bidi
        return ""
    return " " if kind in ("Pd", "Cc") or char.isspace() else char


_FOLDS = _Folds()

# Nearly all French text fits Windows-1252, whose bytes fold four times as fast: by a
# table where a character folds to one of them, the few others afterwards.
_CHARSET = "cp1252"


def _byte_folds() -> tuple[bytes, dict[str, str]]:
    table, others = bytearray(range(256)), {}
    for code in range(256):
        char = bytes((code,)).decode(_CHARSET, "ignore")
        folded = _FOLDS[ord(char)] if char else char
        encoded = folded.encode(_CHARSET, "ignore")
        if len(encoded) == len(folded) == 1:
            table[code] = encoded[0]
        elif folded:
            others[char] = folded
    return bytes(table), others


_TABLE, _OTHERS = _byte_folds()
_SOFT_HYPHEN = b"\xad"  # the only one of them that folds to nothing

# Inclusive writing, in folded text: the ending after each kind of stem, so that neither
# "casilli.fr" nor "fin.Les" is taken for one. Still ambiguous: a Spanish "amazon.es".
_ENDINGS = {
    "[defilnrstu]": "e",
    "eurs?": "euse se trice rice ice eure",
    "xs?": "se euse elle ale",
    "rs?": "ere iere",
    "ns?": "ne enne ienne onne ine",
    "ls?": "le elle lle ale",
    "us?": "elle te",
    "ts?": "te",
    "ous": "tes toutes",
    "fs?": "ve ive fe",
    "es?": "ee sse esse",
    "cs?": "que he che",
}
_POINTS = ".·•‧∙⋅・"
_END = r"(?![^\W_])"


def _after(stem: str) -> str:
    """Return a look-behind for a stem and the point or bracket that was just read."""
    widths = (stem.replace("s?", ""), stem.replace("?", ""))
    return "(?:" + "|".join(f"(?<={width}.)" for width in dict.fromkeys(widths)) + ")"


_FIRST = "|".join(
    f"{_after(stem)}(?:{'|'.join(ends.split())})" for stem, ends in _ENDINGS.items()
)
_NEXT = "|".join(sorted(set(" ".join(_ENDINGS.values()).split())))
# A set of characters comes first, for which the engine scans several times faster.
_INCLUSIVE = re.compile(
    rf"[{_POINTS}(](?<=[^\W\d_]{{2}}.)"
    rf"(?:(?<!\()(?:{_FIRST})s?|(?<=\()(?:{_FIRST})s?\)s?){_END}"
    rf"(?:[{_POINTS}](?:(?:{_NEXT})s?|s){_END}|\((?:{_NEXT})s?\)s?{_END})*+"
)


def _shapes() -> bytes:
    """Return where `_INCLUSIVE` may begin: a point or a bracket, b".", then a letter.

    One byte for each of the charset, b"a" for the letters and b" " for all others.
    Looking for two bytes takes a third of the time that the pattern takes.
    """
    shapes = bytearray(b" " * 256)
    for code in range(256):
        folded = _FOLDS[ord(bytes((code,)).decode(_CHARSET, "replace"))]
        if folded.endswith((*_POINTS, "(")):
            shapes[code] = ord(".")
        elif folded[:1].isalpha():
            shapes[code] = ord("a")
    return bytes(shapes)


_SHAPES = _shapes()


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text, and where in the original each of its characters comes from.

    offsets: one for each character of `text`, then one for its end.
    """

    text: str
    offsets: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where text[start:end] stands in the original; end must be over start.

        What folded to nothing after the last character, an accent for one, belongs
        to it.
        """
        return self.offsets[start], max(self.offsets[end], self.offsets[end - 1] + 1)


def fold(text: str) -> str:
    """Return the spelling in which plain texts and terms are compared; idempotent.

    Letters lose accents and case, ligatures their bond; any run of dashes, apostrophes,
    controls and white space is one space, none at the ends; invisible characters and
    the inserted endings of inclusive writing vanish (livreur·euse·s → livreurs).
    """
    inclusive = True
    try:
        encoded = text.encode(_CHARSET)
    except UnicodeEncodeError:
        folded = text.translate(_FOLDS)
    else:
        inclusive = b".a" in encoded.translate(_SHAPES, _SOFT_HYPHEN)
        folded = encoded.translate(_TABLE, _SOFT_HYPHEN).decode(_CHARSET)
        if not folded.isascii():
            for char, spelt in _OTHERS.items():
                if char in folded:
                    folded = folded.replace(char, spelt)
    if "  " in folded:
        folded = _SPACES.sub(" ", folded)
    folded = folded.strip(" ")
    while inclusive and _INCLUSIVE.search(folded):
        folded = _INCLUSIVE.sub(lambda found: "s" * _plural(found), folded)
    return folded


def fold_map(text: str) -> Folded:
    """Return `fold(text)` with the offsets that lead back to the original spelling."""
    chars: list[str] = []
    offsets = array("L")
    for offset, char in enumerate(text):
        for folded in _FOLDS[ord(char)]:
            if folded != " " or (chars and chars[-1] != " "):
                chars.append(folded)
                offsets.append(offset)
    offsets.append(len(text))
    if chars and chars[-1] == " ":
        del chars[-1], offsets[-1]
    spelt = "".join(chars)
    while _INCLUSIVE.search(spelt):
        kept, start = array("L"), 0
        for found in _INCLUSIVE.finditer(spelt):
            kept += offsets[start : found.start()]
            if _plural(found):
                kept.append(offsets[spelt.rindex("s", *found.span())])
            start = found.end()
        offsets = kept + offsets[start:]
        spelt = _INCLUSIVE.sub(lambda found: "s" * _plural(found), spelt)
    return Folded(spelt, offsets)


def _plural(found: re.Match[str]) -> bool:
    """Tell whether inserted endings leave an s: they end in one the stem has not."""
    stem = found.string[found.start() - 1]
    return found[0].rstrip(")").endswith("s") and stem not in "sxz"


# ── showing ───────────────────────────────────────────────────────────────────────────


def cut(text: str, limit: int) -> str:
    """Return `text`, or its first words and « … » in at most `limit` characters."""
    if len(text) <= limit:
        return text
    if limit <= 0:
        return ""
    return text[: _word_end(text, 0, limit - 1)].rstrip(" ,;:–—-(«“\u00a0") + _ELLIPSIS


def snippet(text: str, spans: Sequence[tuple[int, int]], limit: int = 120) -> str:
    """Return what stands round the first span, each span between MARK and UNMARK.

    spans: offsets into `text`, in order. At most `limit` characters, marks not counted;
    « … » stands where something was left out. Without spans, the beginning.
    """
    if not spans or limit <= _ELLIPSES:
        return cut(text, limit)
    start, end = _window(text, spans[0], limit)
    parts = [_ELLIPSIS if start else ""]
    done = start
    for first, last in spans:
        opened, closed = max(first, done), min(last, end)
        if opened < closed:
            parts += [text[done:opened], MARK, text[opened:closed], UNMARK]
            done = closed
    parts += [text[done:end], _ELLIPSIS if end < len(text) else ""]
    return "".join(parts)


def _window(text: str, span: tuple[int, int], limit: int) -> tuple[int, int]:
    """Return the part of `text` round `span` that fits into `limit` with its « … »."""
    if len(text) <= limit:
        return 0, len(text)
    room = limit - _ELLIPSES
    first, last = span[0], min(span[1], span[0] + room)
    start = max(0, min(first - (room - (last - first)) // 2, len(text) - room))
    if 0 < start < first and not text[start - 1].isspace():
        blanks = (i for i in range(start, first) if text[i].isspace())
        start = next(blanks, start - 1) + 1
    end = min(start + room, len(text))
    if end > last:
        end = max(_word_end(text, start, end), last)
    return start, end


def _word_end(text: str, start: int, end: int) -> int:
    """Return the last end of a word in text[start:end], `end` when there is none."""
    if end >= len(text) or text[end].isspace():
        return end
    return next((i for i in range(end - 1, start, -1) if text[i].isspace()), end)
