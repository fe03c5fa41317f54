"""Takes out of a paragraph what a reader sees and does not say: line ends, quotation and reference marks.

Dashes that part a sentence become commas: engines pause at commas, and read over most dashes.
"""

from __future__ import annotations

import re
from typing import Final

_BROKEN: Final = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")
_LAST_WORD: Final = re.compile(r"[^\s(\[“\"]*$")
#: First parts of words that keep their hyphen: "self-made", "twenty-one".
_HYPHENATED: Final = re.compile(
    "all|cross|ex|far|half|high|ill|long|low|mid|much|near|self|short|so|well|twenty|thirty|forty|fifty|sixty"
    "|seventy|eighty|ninety",
    re.IGNORECASE,
)
#: What follows a hyphen that stays: "pre- and post-war", "Nord- und Südsee"; "mother-in-law".
_HUNG: Final = re.compile(r"(?:and|or|to|und|oder|bis|bzw|et|ou|e|o|y|en|of)\b(?!-)")
_CHAINED: Final = re.compile(r"\w+-")
_GLUED_QUOTE: Final = re.compile(r"(?<=[,;:.!?…])[\"“«„](?=\w)")
_DOUBLE: Final = str.maketrans("", "", '"“”„‟«»')
#: Words that begin with an apostrophe of their own.
_CLIPPED: Final = r"(?:bout|cause|em|ere|gainst|n|neath|round|tis|til|till|twas|twere|\d\ds)\b"
_SINGLE: Final = re.compile(
    rf"(?<!\w)['‘](?!{_CLIPPED})(?=\w)([^'‘’]{{1,600}}(?:(?<=\w)['’](?=\w)[^'‘’]{{1,600}}){{0,40}})"
    r"(?<=[^\s])['’](?!\w)",
    re.IGNORECASE,
)
#: One without its other, as at the start of each paragraph of a speech: it opens, or follows a mark.
_ALONE: Final = re.compile(rf"(?<!\w)‘(?!{_CLIPPED})(?=\w)|(?<=[,.!?…])['’](?!\w)", re.IGNORECASE)
_REFERENCE: Final = re.compile(
    r" ?\[(?:\d{1,4}(?: ?[,;–-] ?\d{1,4})*|(?:fn|n|nb|note|ref)\.? ?\d{1,3}"
    r"|[\w ,-]{0,40}\bneeded|(?:by |to )?(?:who|whom|when|where|which|why)\?)\](?!\()",
    re.IGNORECASE,
)
_LETTER_REFERENCE: Final = re.compile(r"(?<=[^\s(\[])\[[a-z]\](?!\()")
_LEADING_DASH: Final = re.compile(r"(?:--+|[-–—―]) +")
_DASH: Final = re.compile(r" +(?:--+|[-–—―]+) +| *(?:--+|[—―]+) *")
_PAUSES_ALREADY: Final = frozenset(",;:.!?…(")
_PAUSES_NEXT: Final = frozenset(",;:.!?…)")


def tidy(paragraph: str) -> str:
    """The paragraph on one line, as it is to be read."""
    if "\n" in paragraph:
        paragraph = _on_one_line(paragraph)
    if "[" in paragraph:
        paragraph = _LETTER_REFERENCE.sub("", _REFERENCE.sub("", paragraph))
    if "'" in paragraph or "‘" in paragraph or "’" in paragraph:
        paragraph = _ALONE.sub("", _SINGLE.sub(r"\1", paragraph))
    if '"' in paragraph or not paragraph.isascii():
        paragraph = _GLUED_QUOTE.sub(" ", paragraph).translate(_DOUBLE)
    if "-" in paragraph or not paragraph.isascii():
        paragraph = _with_commas_for_dashes(paragraph)
    return paragraph


def _on_one_line(paragraph: str) -> str:
    return _BROKEN.sub(_joint, paragraph).replace("\n", " ")


def _joint(match: re.Match[str]) -> str:
    """Nothing where a word was broken; a hyphen where it has one wherever it stands."""
    found = _LAST_WORD.search(match.string, max(match.start() - 40, 0), match.start())
    word = found.group() if found else ""
    keeps = (
        _HYPHENATED.fullmatch(word) is not None
        or "-" in word
        or match.string[match.end()].isupper()
        or _CHAINED.match(match.string, match.end()) is not None
    )
    if _HUNG.match(match.string, match.end()):
        return "- "
    return "-" if keeps else ""


def _with_commas_for_dashes(paragraph: str) -> str:
    if match := _LEADING_DASH.match(paragraph):
        paragraph = paragraph[match.end() :]
    return _DASH.sub(_comma, paragraph)


def _comma(match: re.Match[str]) -> str:
    text, before, after = match.string, match.start() - 1, match.end()
    if match.group() == " - " and text[before].isdigit() and text[after : after + 1].isdigit():
        return match.group()  # a subtraction, which is no pause
    if before < 0 or text[before] in _PAUSES_ALREADY:
        return " "
    if after < len(text) and text[after] in _PAUSES_NEXT:
        return ""
    return ", "
