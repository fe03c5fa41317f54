"""Read a text from left to right: find what is no plain word, classify it, say it.

Ordinary words are passed over by one scan; at what stands out, the rules of the classes are asked in their
order, the more special first. Each rule looks a bounded way, so that no text takes more than linear time.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from lib.textnorm.abbreviations import ABBREVIATIONS, DOTLESS, KNOWN, SLASHED
from lib.textnorm.addresses import ADDRESSES, COLOURS
from lib.textnorm.capitals import CAPITALS, MIXED, RAISED, WARS
from lib.textnorm.edits import Edit
from lib.textnorm.markup import PAUSE_MARK, WORD_MARK
from lib.textnorm.model_numbers import LETTERED_MODELS, MODELS
from lib.textnorm.money import CURRENCY_SIGNS, MONEY
from lib.textnorm.numbers import NUMBERS, PHONES, PLURALS, SCALES, SIGNED, VULGAR
from lib.textnorm.romans import ROMANS, SMALL_ROMANS, shortened_before
from lib.textnorm.rule import TokenRule, compiled
from lib.textnorm.scientific import SCIENTIFIC
from lib.textnorm.scripture import SCRIPTURE, SHORTENED, book_before, is_book_number
from lib.textnorm.signs import RAISED_SIGNS, SIGNS, SILENT
from lib.textnorm.spans import DASH_BETWEEN, SPANS
from lib.textnorm.tables import word_list
from lib.textnorm.times import MONTH_DATES, TIMES
from lib.textnorm.units import BARE_UNITS, MEASURES, UNITS
from lib.textnorm.years import YEARS

_STANDS_OUT: Final = (
    r"[A-Z](?![a-z])(?!A(?= ))|\.{2,}|[^\w\s,;:!?'’‘()…—–\ue000\ue001-]|[\d_]"
    rf"|[²³¹⁰ⁱ⁴-⁹{VULGAR}ªº]|(?<![Ͱ-Ͽ])[Α-Ωα-ω](?![Ͱ-Ͽ])"
    rf"|{DASH_BETWEEN}"
    r"|['’](?=\d)|(?<![^\W\d_])[-–](?= ?[$€£¥]?\.?\d)|\((?=\d{3}\) ?\d)|:(?=[:/])"
    rf"|(?<![A-Za-z'’])(?:{'|'.join(sorted(DOTLESS, key=len, reverse=True))})(?= )"
    r"|(?<=[Pp]age )[ivxlc]+\b|(?<=[Pp]ages )[ivxlc]+(?=[-– ,.])|(?<=[Cc]hapter )[ivxl]+\b|"
    r"(?<=\()[ivx]+(?=\))|(?<![A-Za-z'’])[ivx]{2,7}(?![\w'’])"
)
_DATES: Final = (*SPANS, *MONTH_DATES)
_LETTERED: Final = (
    *SCRIPTURE,
    *MONEY,
    *ADDRESSES,
    *_DATES,
    *SLASHED,
    *BARE_UNITS,
    *SMALL_ROMANS,
    *ABBREVIATIONS,
    *WARS,
    *CAPITALS[:1],
    *LETTERED_MODELS,
    *MIXED,
    *ROMANS,
    *CAPITALS[1:],
)
_NUMERIC: Final = (
    *SCRIPTURE,
    *TIMES,
    *PHONES[:1],
    *ADDRESSES,
    *MONEY,
    *PHONES,
    *PLURALS,
    *MODELS,
    *SCIENTIFIC,
    *MEASURES,
    *YEARS,
    *NUMBERS[:-1],
    *MIXED,
    *NUMBERS[-1:],
)
#: What is asked of a number that nothing but other numbers, a mark or an ordinary word stands beside.
_BARE: Final = tuple(rule for rule in _NUMERIC if rule.bare)
_BOUND: Final = frozenset(symbol.split()[0] for symbol in UNITS) | {
    *SCALES,
    *word_list("hundred thousand million billion trillion to x of percent a p am pm"),
}
_CHUNKED: Final = (*ADDRESSES, *SLASHED, *BARE_UNITS)
_SIGNED: Final = (*NUMBERS, *SIGNS)
#: Fractions of one sign, which a unit may follow.
_HALVES: Final = (*"¼½¾↉", *(chr(code) for code in range(0x2150, 0x215F)))
_BY_SIGN: Final = {
    "(": PHONES,
    "+": (*PHONES, *SIGNED, *SIGNS),
    "#": (*COLOURS, *SIGNED, *ADDRESSES[-1:], *SIGNS),
    "@": (*ADDRESSES[-1:], *SIGNS),
    ".": (*ADDRESSES, *NUMBERS),
    **dict.fromkeys("/~:", (*ADDRESSES, *SIGNS)),
    **dict.fromkeys("-–−±", (*SIGNED, *SIGNS)),
    **dict.fromkeys("'’", YEARS),
    **dict.fromkeys(RAISED, RAISED_SIGNS),
    **dict.fromkeys(CURRENCY_SIGNS, (*MONEY, *SIGNS)),
    **dict.fromkeys(_HALVES, (*MEASURES, *NUMBERS, *SIGNS)),
    **dict.fromkeys('<=>!≠≤≥≈&%*\\^|[]{}_`"', SIGNS),
}
_SHORTENED: Final = KNOWN | SHORTENED
_LONGEST_BACK: Final = 80
_STOPS: Final = frozenset(' \n"“”‘(<>[]{},;!?—…|')
_MONTH_BACK: Final = re.compile(
    r"(?<![\w])(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]{0,6}\.?,? $"
)
_OPENERS: Final = "\"“‘'([«"
_CLOSERS: Final = "\"'”’»)] “‘«(["
#: Signs of which three in a row are a line on the page.
_RULED: Final = frozenset("#*_=~<>|/\\+^&@%$[]{}`")
#: Part words where they stand between them.
_PARTING: Final = frozenset("_|·•‣◦▪●○■□◆─━│")
_QUOTES: Final = frozenset('"“”«»„')


@dataclass(slots=True)
class Reading:
    """What was found: edits in order, and signs that have no name."""

    edits: list[Edit] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)


@cache
def _scan() -> re.Pattern[str]:
    return re.compile(_STANDS_OUT)


def read(text: str) -> Reading:
    """Read all of `text`, whose shape is settled and whose markup is taken out."""
    reading, done, search = Reading(), 0, _scan().search
    match = search(text)
    while match is not None:
        at = match.start()
        after = _at(text, at, match.end(), done, reading)
        done = max(done, after) if after > at else done
        match = search(text, after if after > at else _past(text, match))
    return reading


def _past(text: str, match: re.Match[str]) -> int:
    """Where to go on after what stays: behind all letters of a word."""
    letters = compiled(rf"[^\W\d_{RAISED}]+").match(text, match.start())
    return match.end() if letters is None else max(match.end(), letters.end())


def _at(text: str, at: int, end: int, done: int, reading: Reading) -> int:
    """Read what stands at `at`; returns where it ends, or `at` where it stays as it is."""
    char = text[at]
    if char == ".":
        if end - at > 1 or not _may_matter(text, at, done):
            return at
    elif char in _QUOTES and not text[at + 1 : at + 2].isdecimal():
        reading.edits.append(Edit(at, at + 1, ""))
        return at + 1
    elif char == "I" and _is_plain_i(text, at):
        return at
    elif char in _RULED and text.startswith(char * 3, at):
        return _run(text, at, reading)
    for start, rules in _candidates(text, at, done):
        for rule in rules:
            said = rule.read(text, start)
            if said is not None and said[1] > at:
                _add(text, Edit(start, said[1], said[0], rule.kind), reading)
                return said[1]
    return _left_over(text, at, reading)


def _run(text: str, at: int, reading: Reading) -> int:
    """Three and more of one sign rule off a page; nobody reads them."""
    match = compiled(f"{re.escape(text[at])}+").match(text, at)
    end = at + 1 if match is None else match.end()
    reading.edits.append(Edit(at, end, " ", "markup"))
    return end


def _may_matter(text: str, at: int, done: int) -> bool:
    """Whether a dot may be more than the end of a sentence."""
    following = text[at + 1 : at + 2]
    if following.isalnum() or following == "/":
        return True
    blank = max(text.rfind(" ", max(done, at - 14), at), text.rfind("\n", max(done, at - 14), at))
    begin = blank + 1 if blank >= 0 else max(done, at - 14)
    word = text[begin:at].lstrip(_OPENERS)
    if "-" in word or "/" in word:
        word = re.split("[-/]", word)[-1]
    return len(word) == 1 or word.lower() in _SHORTENED or "." in word


def _is_plain_i(text: str, at: int) -> bool:
    """Whether a lone "I" stands where no numeral can."""
    if text[at + 1 : at + 2] not in (" ", ",", "'", "’", "!", "?", ""):
        return False
    if text[at + 2 : at + 3].isupper() and is_book_number(text, at):
        return False
    if text[at - 2 : at] == ". " and shortened_before(text, at - 2):
        return False
    blank = text.rfind(" ", max(0, at - 22), max(at - 1, 0))
    return at == 0 or not text[blank + 1].isupper()


def _candidates(text: str, at: int, done: int) -> list[tuple[int, tuple[TokenRule, ...]]]:
    """Where a token that stands out at `at` may begin (chunk, word, right there), with its rules."""
    starts = [(at, _rules(text, at))]
    begin = max(done, at - _LONGEST_BACK)
    if text[at].isdecimal() and (book := book_before(text, at, done)) is not None:
        return [(book, SCRIPTURE), *starts]
    if text[at].isdecimal() and (month := _MONTH_BACK.search(text, max(done, at - 14), at)):
        return [(month.start(), _DATES), *starts]
    word = at
    while word > begin and text[word - 1].isalnum() and text[word - 1] not in (WORD_MARK, PAUSE_MARK):
        word -= 1
    if word < at and (word == begin == at - _LONGEST_BACK):
        return starts
    if word < at:
        starts.insert(0, (word, _rules(text, word)))
    chunk = word
    while chunk > begin and text[chunk - 1] not in _STOPS:
        chunk -= 1
    if chunk < word:
        starts.insert(0, (chunk, _CHUNKED))
    return starts


def _rules(text: str, start: int) -> tuple[TokenRule, ...]:
    """The rules of which one may begin with the character."""
    char = text[start]
    if char.isdecimal():
        return _BARE if is_bare(text, start) else _NUMERIC
    return _LETTERED if char.isalpha() and char.isascii() else _BY_SIGN.get(char, _SIGNED)


def is_bare(text: str, start: int) -> bool:
    """Whether digits, dots, commas and blanks are all that can belong to a token at `start`.

    So it is where a line or a clause ends behind them, or a word goes on that no number takes along.
    A row of them longer than any token is read number by number.
    """
    run = compiled(r"[\d., ]{1,64}+").match(text, start)
    if run is None:
        return False
    end = run.end()
    if end == len(text) or text[end] in "\n;!?" or end - start == 64:
        return True
    word = compiled(r"[a-z]+(?!\w)").match(text, end) if text[end - 1] == " " else None
    return word is not None and word.group() not in _BOUND


def _add(text: str, edit: Edit, reading: Reading) -> None:
    """Keep an edit, with blanks where words would run together and a capital where a sentence begins."""
    said, start, end = edit.said, edit.start, edit.end
    if (
        said
        and said[0].isalpha()
        and said[0].islower()
        and not text[start].islower()
        and _begins(text, start, reading)
    ):
        said = said[0].upper() + said[1:]
    last = reading.edits[-1] if reading.edits else None
    is_joined = last is not None and last.end == start and last.said[-1:].isalnum()
    if said[:1].isalnum() and start and (is_joined or text[start - 1].isalnum() or text[start - 1] in "._"):
        said = f" {said}"
    if (said[-1:].isalnum() and text[end : end + 1].isalnum()) or (
        said[-1:].isalnum()
        and edit.kind == "sign"
        and not text[end : end + 1].isspace()
        and text[end : end + 1] not in ".,;:!?)"
    ):
        said = f"{said} "
    if (
        edit.kind in ("sign", "number")
        and said[:1].isalnum()
        and start
        and text[start - 1] not in " \n(-–—/\"'“‘"
    ):
        said = f" {said}"
    if said != text[start:end]:
        reading.edits.append(Edit(start, end, said, edit.kind))


def _begins(text: str, start: int, reading: Reading) -> bool:
    """Whether a sentence begins at `start`, by what will stand before it."""
    last = reading.edits[-1] if reading.edits else None
    done = last.end if last else 0
    between = text[max(done, start - 200) : start].rstrip(_CLOSERS)
    if between:
        return between[-1] in ".!?…\n"
    if last is None:
        return True
    return last.said.rstrip()[-1:] in (".", "!", "?") or (
        last.said == "" and _begins_before(text, last.start)
    )


def _begins_before(text: str, start: int) -> bool:
    before = text[max(0, start - 60) : start].rstrip(_CLOSERS)
    return not before or before[-1] in ".!?…\n"


def _left_over(text: str, at: int, reading: Reading) -> int:
    """A sign that no rule knows: a mark of the page is dropped, anything else too, with a warning."""
    char = text[at]
    if char.isalpha() or char in ".'’-–(:":
        return at
    if char.isdecimal():
        return at
    if char in _PARTING:
        reading.edits.append(Edit(at, at + 1, " ", "markup"))
    elif char in SILENT or char == "~":
        reading.edits.append(Edit(at, at + 1, "", "" if char in _QUOTES else "markup"))
    elif unicodedata.category(char)[0] in "SPCM" or not char.isalnum():
        reading.edits.append(Edit(at, at + 1, " ", "sign"))
        reading.unknown.append((at, at + 1))
    else:
        return at
    return at + 1
