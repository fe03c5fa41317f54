"""Abbreviations: what each stands for, and where it is one: before a name, before a number, or anywhere."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import abbreviation_table as t
from lib.textnorm.context import STARTERS, ends_sentence, is_sentence_start, word_after, word_before
from lib.textnorm.romans import is_first, value
from lib.textnorm.rule import TokenRule


def _abbreviation(match: re.Match[str]) -> str | None:
    word, dotted = match["w"], bool(match["dot"])
    folded = word.lower()
    for said in (
        _versus(match, folded),
        _numbered(match, folded, dotted),
        _street(match, folded, dotted),
        _titled(match, folded, dotted),
    ):
        if said is not None:
            return _cased(word, said, match)
    if dotted and word in t.MONTHS:
        return _month(match, folded)
    if not dotted or folded not in t.ANYWHERE:
        return "Company" + _dot(match) if word == "Co" and dotted else None
    return _anywhere(match, word, folded)


def _month(match: re.Match[str], folded: str) -> str | None:
    """A month without a number: "in Jan. and Feb."."""
    if word_before(match.string, match.start()).lower() in t.BEFORE_MONTHS or not ends_sentence(
        match.string, match.end()
    ):
        return t.NUMBERED[folded] + _dot(match)
    return None


def _cased(word: str, said: str, match: re.Match[str]) -> str:
    return (
        said[0].upper() + said[1:]
        if word[0].isupper() and is_sentence_start(match.string, match.start())
        else said
    )


def _dot(match: re.Match[str]) -> str:
    """The dot again, where it ends a sentence too."""
    return "." if match[0].endswith(".") and ends_sentence(match.string, match.end()) else ""


def _versus(match: re.Match[str], folded: str) -> str | None:
    if folded not in ("v", "vs") or (match["w"].isupper() and folded == "v"):
        return None
    before, after = word_before(match.string, match.start()), word_after(match.string, match.end())
    if folded == "vs" or (before[:1].isupper() and after[:1].isupper()):
        return "versus"
    return None


#: Before digits only.
_ARABIC: Final = frozenset({"c", "no", "b", "d", "l", "n"})


def _numbered(match: re.Match[str], folded: str, dotted: bool) -> str | None:
    text, end = match.string, match.end()
    said = t.NUMBERED.get(folded)
    if said is None or not dotted:
        return None
    rest = re.match(r" ?(?:#|№)?(?:(?P<digit>\d)|(?P<roman>[IVXLC]+|[ivxlc]+)\b)", text[end : end + 12])
    if rest is None:
        return None
    is_pronoun = rest["roman"] == "I" and not (folded in t.PARTS and is_first(text, end + rest.end()))
    if is_pronoun or (rest["roman"] and (not value(rest["roman"].upper()) or folded in _ARABIC)):
        return None
    if folded == "no" and match["w"].islower() and word_before(text, match.start()).lower() in t.SAYING:
        return None
    if folded in ("c", "ca", "b", "d", "fl") and not re.match(r" ?\d{3,4}\b", text[end : end + 8]):
        return None
    return said


def _street(match: re.Match[str], folded: str, dotted: bool) -> str | None:
    """St. and Dr. behind a name; before one they are a saint and a doctor."""
    if folded not in ("st", "dr", "ct", "pl") or not match["w"][0].isupper():
        return None
    text, start, end = match.string, match.start(), match.end()
    before, after = word_before(text, start), word_after(text, end)
    if (
        not before
        or not (before[0].isupper() or re.fullmatch(r"\d+(?:st|nd|rd|th)", before))
        or before in STARTERS
    ):
        return None
    if text[start - 2 : start - 1] in (",", "."):
        return None
    if after[:1].isupper() and after not in STARTERS and _opens(text, start, before):
        return None
    if after[:1].isupper() and after not in STARTERS and folded == "dr":
        return None
    return t.STREETS[folded] + (_dot(match) if dotted else "")


def _opens(text: str, start: int, before: str) -> bool:
    """Whether the word before opens the sentence, so that its capital tells nothing."""
    return is_sentence_start(text, start - 1 - len(before))


def _titled(match: re.Match[str], folded: str, dotted: bool) -> str | None:
    said, text, end = t.TITLES.get(folded), match.string, match.end()
    if said is None or not match["w"][0].isupper() or not (dotted or folded in t.DOTLESS):
        return None
    after = re.match(r" ?[\"“‘(]?([^\W\d_])", text[end : end + 4])
    if folded in ("mr", "mrs") and dotted:
        return said
    if after is None or not (after[1].isupper() or re.match(r" (?:and|or) [A-Z]", text[end : end + 6])):
        return None
    if folded in ("st", "mt", "ft", "pt") and word_after(text, end) in STARTERS and text[end : end + 1] != "":
        return None
    if folded in ("fr", "col", "gen", "det", "rep", "sen") and not dotted:
        return None
    return said


def _anywhere(match: re.Match[str], word: str, folded: str) -> str | None:
    text, end = match.string, match.end()
    if word != word.lower() and word not in t.CAPITALISED and not word.istitle():
        return None
    if folded in t.DAYS:
        is_date = re.match(
            r",? (?:\d|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))|,", text[end : end + 6]
        )
        is_asked = (
            word_before(text, match.start()) in t.BEFORE_DAYS
            or text[match.start() - 2 : match.start()] == "& "
        )
        if not word.istitle() or not (is_date or is_asked or re.match(" & [A-Z]", text[end : end + 4])):
            return None
        return t.ANYWHERE[folded] + (_dot(match) if not is_date else "")
    if folded in ("jr", "sr", "inc", "ltd", "bros", "ave", "rd", "ln", "sq") and word.islower():
        return None
    if folded in t.NEVER_ALONE:
        if folded == "al":
            return f"al{_dot(match)}" if word_before(text, match.start()) == "et" else None
        if ends_sentence(text, end) and folded not in ("rd", "ln", "sq"):
            return None
        if folded == "est" and not re.match(r" \d", text[end : end + 2]):
            return "estimated" if word_after(text, end) else None
    return t.ANYWHERE[folded] + _dot(match)


def _dotted(match: re.Match[str]) -> str | None:
    """Letters with dots: e.g., p.m., U.S., Ph.D."""
    letters = match["w"].lower().replace(" ", "")
    dot = _dot(match)
    if letters in t.WITH_DOTS:
        said = t.WITH_DOTS[letters]
        return _cased(match["w"], said + dot, match)
    parts = re.findall(r"[^\W\d_]+", match["w"])
    if len(parts) == 1 or any(len(part) > 3 for part in parts):
        return None
    return " ".join(" ".join(part.upper()) for part in parts) + (match["own"] or "") + dot


def _initial(match: re.Match[str]) -> str | None:
    """The initial of a name: "J. Smith", "George W. Bush"; not "It was I. She knew"."""
    text, letter = match.string, match["w"]
    after = word_after(text, match.end())
    if not after[:1].isupper() or after in STARTERS:
        return None
    before = word_before(text, match.start())
    if before.lower() in t.PARTS and letter in "IVXLC":
        return None  # a numeral: "Ch. I. The Start"
    if (
        letter == "I"
        and not re.match(r" [A-Z]\.", text[match.end() : match.end() + 3])
        and not before[:1].isupper()
    ):
        return None
    if before[:1].islower() and before in ("grade", "plan", "vitamin", "type", "class", "section", "group"):
        return None
    return letter


def _compass(match: re.Match[str]) -> str:
    """The side that a street or a district is named by: "22 W. 5th Ave.", "the S. side"."""
    return {"N": "North", "S": "South", "E": "East", "W": "West"}[match["w"]]


def _slashed(match: re.Match[str]) -> str | None:
    return t.OTHERS.get(match[0]) or t.OTHERS.get(match[0].lower())


ABBREVIATIONS: Final = (
    TokenRule(
        "abbreviation",
        r"(?P<w>(?:[A-Za-z](?:\.[A-Za-z](?=\.))+|[A-Z](?:\. [A-Z](?=\.))+|[ap]\. m(?=\.)))"
        r"\.(?P<dot>)(?P<own>['’]s)?(?![A-Za-z])",
        _dotted,
    ),
    TokenRule(
        "abbreviation",
        r"(?P<w>(?:Ph|B|M|D|Ed|LL|Pharm|[A-Z])\.(?:Sc|Ed|Phil|Eng|Litt|[A-Z])(?:\.[A-Z])*)"
        r"\.?(?P<dot>(?<=\.)|)(?P<own>['’]s)?(?![A-Za-z])",
        _dotted,
    ),
    TokenRule(
        "abbreviation",
        r"(?<![\w.])(?P<w>[NSEW])\.(?= \d{1,3}(?:st|nd|rd|th) [A-Z]| (?:side|end|coast|bank|wing)\b)",
        _compass,
    ),
    TokenRule("abbreviation", r"(?<![\w.])(?P<w>[A-Z])\.(?= ?[A-Z])", _initial),
    TokenRule("abbreviation", r"(?P<w>[A-Za-z]{1,7})(?P<dot>\.?)(?![\w])", _abbreviation),
    TokenRule("abbreviation", r"(?P<w>[A-Za-z]{1,4})(?P<dot>\.)(?=\d)", _abbreviation),
)
SLASHED: Final = (TokenRule("abbreviation", r"(?:[A-Za-z]{1,6}/[A-Za-z]{1,4}|w/)(?![\w/])", _slashed),)

#: What may be one: the scan asks no further about other words.
KNOWN: Final = frozenset({*t.TITLES, *t.NUMBERED, *t.ANYWHERE, "v", "vs", "co", "ct", "pl", "rs"})
DOTLESS: Final = frozenset({*(word.capitalize() for word in t.DOTLESS if word != "ms"), "vs", "v"})
