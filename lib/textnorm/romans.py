"""Roman numerals: after what they number, after the names of rulers, and standing alone as years."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.context import STARTERS, is_sentence_start, word_after, word_before, words_before
from lib.textnorm.rule import TokenRule
from lib.textnorm.tables import word_set
from lib.textnorm.years import is_year

_VALUES: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_VALID: Final = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_NUMBERED: Final = word_set("""
    chapter act scene part volume vol book section article appendix figure table title phase stage type
    level canto war bowl mark mk episode season round group class division tier category series day week
    lesson unit verse psalm number no plate map sonnet symphony opus movement vatican rocky apollo
    saturn fantasy warcraft page pages p pp bk bks wars vols no nos op eds chapters parts volumes acts
    books sections ch pt sec fig sc""")
#: Of these, what a dot shortens.
_SHORTENED: Final = word_set("vol vols mk no nos op eds ch pt sec fig bk bks p pp sc")
#: Of these, what one letter may number without a capital before it.
_NUMBERED_SMALL: Final = word_set(
    "chapter act scene part volume vol book section phase stage ch sec bk page p"
)
_RULERS: Final = word_set("""
    Henry George Charles Louis Elizabeth Edward Richard William James Mary John Paul Pius Benedict
    Gregory Leo Innocent Clement Alexander Catherine Peter Nicholas Frederick Wilhelm Philip Philippe
    Ferdinand Alfonso Carlos Juan Francis Napoleon Ramses Ramesses Rameses Thutmose Ptolemy Xerxes
    Darius Cyrus Artaxerxes Constantine Justinian Theodosius Otto Conrad Rudolf Leopold Joseph
    Maximilian Gustav Gustavus Christian Haakon Olaf Olav Harald Harold Sigismund Casimir Ivan Boniface
    Urban Sixtus Adrian Celestine Julius Stephen Victor Umberto Emmanuel Emanuel Baldwin Robert David
    Kenneth Duncan Margrethe Albert Rainier Murad Mehmed Suleiman Selim Bayezid Ahmed Mustafa Amenhotep
    Seti Cleopatra Antiochus Tiberius Isabella Carl Karl Michael Andrew Basil Boris Alexios Romanos
    Menelik Akbar Shapur Khosrow Mahmud Osman Anne Jean Franz Friedrich Edmund Malcolm Hadrian Calixtus
    Callixtus Eugene Eugenius Honorius Lucius Marcellus Martin Paschal Pelagius Sergius Sylvester
    Theodore Valentinian Zachary Vittorio Amadeus Hussein Abdullah Mohammed Muhammad Faisal Fuad Farouk""")
_RULING: Final = word_set("king queen pope tsar czar emperor empress prince sultan pharaoh kaiser saint duke")
_GIVEN: Final = (
    word_set("Thomas Sammy Walter Arthur Samuel Harry Frank Fred Jack Joe Ben Oscar Hank") | _RULERS
)
_SELF: Final = word_set("""
    am have think want know need read liked wrote loved saw thought wanted like love mean hate remember
    never always just really still heard found left made got gave took bought wish believe feel felt
    shall should must may might would will could can did do was had said told once ever""")
_SELF_ONLY: Final = word_set("am have think want know need like love mean hate wish believe feel")
_TOLD: Final = word_set("""
    told tell asked ask promised promise said say says thought think knew know wish hope hoped believe
    believed because that if when where what and but which swore swear warned warn assured""")
#: Of two names with a numeral, the second of a work or a pact rather than of a person.
_WORKS: Final = word_set("""
    Wars Fighter Kombat Age Quest Souls Park Story Trek Duty Evil Hills Auto Council Project Agreement
    Act Committee Accord Treaty Fantasy Ops Empires Craft Strike Gear Cry Fortress Scrolls Games Returns""")
_WORDS: Final = frozenset(
    {"MIX", "MI", "DI", "MD", "DC", "CD", "CV", "MC", "CC", "XL", "MM", "CM", "LI", "DIM", "LIV", "MIL"}
)


def value(roman: str) -> int:
    """The number, or 0 where the letters are no numeral."""
    if not _VALID.fullmatch(roman):
        return 0
    total = 0
    for char, following in zip(roman, f"{roman[1:]} ", strict=True):
        one = _VALUES[char]
        total += -one if _VALUES.get(following, 0) > one else one
    return total


def _roman(match: re.Match[str]) -> str | None:
    roman, text, start = match["r"], match.string, match.start()
    number = value(roman)
    if not number:
        return None
    before = word_before(text, start)
    if re.search(r"\.[\s(\"“]*$", text[max(0, start - 4) : start]) and before.lower() not in _SHORTENED:
        before = ""  # a sentence ends there: "He met Henry. I was glad."
    own = match["own"] or ""
    if text[start - 1 : start] not in ("", " ", "(", "\n", "-", "–", '"', "“"):
        return None
    is_letter = len(before) == len(roman) == 1 and before.isupper()  # "T C P I P"
    if before.lower() in _NUMBERED and not is_letter and text[start - 1 : start] in " -–":
        return _numbered(match, before, number)
    if before in _GIVEN and text[start - 1 : start] == " ":
        return _ruler(match, before, number, own)
    return _alone(match, before, number, own)


def _numbered(match: re.Match[str], before: str, number: int) -> str | None:
    roman = match["r"]
    text, start = match.string, match.start()
    if roman == "I" and text[start - 2 : start] == ". " and before.lower() not in ("no", "nos"):  # "vol. I"
        return _to(number, match["last"]) if is_first(text, match.end()) else None
    if len(roman) == 1 and (roman not in "IVX" or (roman == "I" and _is_pronoun(match, before[0].isupper()))):
        return None
    if len(roman) == 1 and before.islower() and before not in _NUMBERED_SMALL:
        return None
    if before.lower() in ("class", "type", "group", "plate", "title") and len(roman) == 1 and roman != "I":
        return None
    return _to(number, match["last"])


def _to(number: int, last: str | None) -> str:
    """The number, and up to which it goes on."""
    said = w.cardinal(number)
    return f"{said} to {w.cardinal(value(last))}" if last and value(last) else said


def shortened_before(text: str, at: int) -> bool:
    """Whether a dot at `at` shortens what a numeral may number: "vol."."""
    begin = max(0, at - 5)
    return text[max(begin, text.rfind(" ", begin, at) + 1) : at].lower() in _SHORTENED


def is_first(text: str, end: int) -> bool:
    """Whether an "I" that ends at `end`, behind a shortened part of a book, is a number: "vol. I of it"."""
    after = word_after(text, end) if text[end : end + 1] == " " else ""
    return text[end : end + 1] not in ("'", "’") and (
        not after.islower() or after in ("of", "and", "or", "to")
    )


def _ruler(match: re.Match[str], before: str, number: int, own: str) -> str | None:
    roman = match["r"]
    if len(roman) == 1 and (roman not in "IVX" or (before == "Malcolm" and roman == "X")):
        return None
    if roman == "I" and _is_pronoun(match, True, named=True):
        return None
    return f"the {w.ordinal(number)}{own}"


def _is_pronoun(match: re.Match[str], is_capital: bool, *, named: bool = False) -> bool:
    """Whether "I" is somebody who speaks: "the book I read", "I told William I would"."""
    text, start, end = match.string, match.start(), match.end()
    if text[end : end + 1] in ("'", "’") and not match["own"]:
        return True
    after = word_after(text, end) if text[end : end + 1] == " " else ""
    if not named:
        return not is_capital or after in _SELF
    if after in _SELF_ONLY or after in ("don't", "don’t", "haven't", "haven’t"):
        return True
    return (after in _SELF or after.endswith(("n't", "n’t"))) and bool(
        _TOLD.intersection(words_before(text, start)[:-1])
    )


def _alone(match: re.Match[str], before: str, number: int, own: str) -> str | None:
    roman, text, start, end = match["r"], match.string, match.start(), match.end()
    after = word_after(text, end)
    if re.match(r" (?:(?:and|or|to) (?:the )?[IVX]+ )?centur", text[end : end + 24]):
        return w.ordinal(number)
    if roman in _WORDS or len(roman) == 1:
        if (
            len(roman) == 1
            and text[end : end + 2] == ". "
            and text[start - 1 : start] in ("", "\n")
            and after[:1].isupper()
        ):
            return w.cardinal(number) if roman != "I" or after else None
        return None
    if before.lower() in _RULING:
        return None
    if before[:1].isupper() and re.fullmatch("[IVX]+", roman) and not is_sentence_start(text, start):
        named = [word for word in re.findall(r"[\w'’-]+", text[max(0, start - 40) : start])[:-1]]
        is_person = (
            len(named) > 0
            and named[-1][0].isupper()
            and named[-1] not in STARTERS
            and roman in ("II", "III", "IV")
        )
        if named and (named[-1] in _GIVEN or (is_person and before not in _WORKS)):
            return f"the {w.ordinal(number)}{own}"
        return w.cardinal(number) + own
    if re.fullmatch(r"M[MCDLXVI]{3,}", roman) and is_year(str(number)):
        return w.year(number)
    return (
        w.cardinal(number)
        if (re.fullmatch("[IVX]{2,}", roman) and roman not in ("IV", "VI", "XX", "XI")) or _heads(match)
        else None
    )


def _heads(match: re.Match[str]) -> bool:
    """Whether the numeral stands at the head of a line and numbers it: "IV. The Storm"."""
    text, start, end = match.string, match.start(), match.end()
    return text[start - 1 : start] in ("", "\n") and text[end : end + 1] in (".", ")", ":", "", "\n")


def _small(match: re.Match[str]) -> str | None:
    """Lower-case numerals after a page, a chapter and the like or in brackets: "page xiv", "(iii)"."""
    number = value(match["r"].upper())
    if not number:
        return None
    last = match["last"]
    said = w.cardinal(number)
    if last and value(last.upper()):
        said = f"{said} to {w.cardinal(value(last.upper()))}"
    return said


def _after_small(match: re.Match[str]) -> str | None:
    return _small(match) if word_before(match.string, match.start()).lower() in _NUMBERED else None


ROMANS: Final = (
    TokenRule(
        "roman",
        r"(?<![\w.])(?P<r>[IVXLCDM]{1,15})(?:[-–](?P<last>[IVXLCDM]{1,15}))?(?P<own>['’]s)?(?![\w'’&])",
        _roman,
    ),
)
SMALL_ROMANS: Final = (
    TokenRule("roman", r"(?<=[Pp]age )(?P<r>[ivxlc]{1,8})(?:[-–](?P<last>[ivxlc]{1,8}))?\b", _small),
    TokenRule("roman", r"(?<=[Pp]ages )(?P<r>[ivxlc]{1,8})(?:[-–](?P<last>[ivxlc]{1,8}))?\b", _small),
    TokenRule("roman", r"(?<=[Cc]hapter )(?P<r>[ivxlc]{1,8})(?P<last>)\b", _small),
    TokenRule("roman", r"(?<=p\. )(?P<r>[ivxlc]{1,8})(?:[-–](?P<last>[ivxlc]{1,8}))?\b", _small),
    TokenRule("roman", r"(?<=\()(?P<r>[ivx]{1,6})(?P<last>)(?=\))", _small),
    TokenRule(
        "roman", r"(?<![\w'’])(?P<r>[ivx]{2,7})(?:[-–](?P<last>[ivxlc]{1,8}))?(?![\w'’])", _after_small
    ),
)
