"""Numbers: cardinals, decimals, ordinals, fractions, ranges, scores, telephone and other long numbers."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.context import (
    ARTICLES,
    FUNCTION_WORDS,
    LABELLED,
    is_plural,
    word_after,
    word_before,
    words_before,
)
from lib.textnorm.rule import ALONE, DASH, FOLLOWS, NUMBER, TokenRule, compiled
from lib.textnorm.tables import word_set
from lib.textnorm.years import YEARLY, is_year

VULGAR: Final = "¼½¾⅐-⅟↉"
_RAISED: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹"
SCALES: Final = {
    "k": "thousand",
    "K": "thousand",
    "m": "million",
    "mn": "million",
    "mln": "million",
    "mil": "million",
    "M": "million",
    "b": "billion",
    "bn": "billion",
    "Bn": "billion",
    "B": "billion",
    "tn": "trillion",
    "trn": "trillion",
    "T": "trillion",
}
SPORT: Final = word_set("""
    won win wins winning beat beats beaten beating lost lose loses losing drew draw draws drawn led lead
    leads leading score scored scores scoreline victory defeat defeated tied tie ahead finished ended
    game match final goals trailed trailing vote voted ruled decision ruling majority score points set
    sets""")
_MONEYS: Final = word_set("dollar euro pound yen yuan rupee usd eur gbp")
_MONEYED: Final = word_set("""
    worth cost costs costing revenue revenues sales profit profits budget debt deficit surplus valued
    valuation value raised raise raises raising paid pay price market spent spend spends earned earn made
    income loss losses lost owes owed fund funds funding assets investment
    invested dollars euros pounds from to""")
_STREETS: Final = "Road|Rd|Street|St|Avenue|Ave|Lane|Court|Place|Close|Drive|Gardens|Terrace|Square|Crescent"
_RATED: Final = word_set("rated rate rating gave give gives scored score a got")
_SIGNS: Final = {"−": "minus", "-": "minus", "–": "minus", "+": "plus", "±": "plus or minus"}
_COUNTED: Final = word_set("two three four five six seven eight nine ten all both many several few straight")
_LETTER_SIZES: Final = word_set("video tv resolution display screen monitor footage camera television run")
_NEVER_FRACTIONS: Final = frozenset({(24, 7), (9, 11), (50, 50), (20, 20), (60, 40), (80, 20)})


def numeral(text: str) -> str:
    """A number as written, with a comma before a fraction too ("1,5"), in words."""
    if re.fullmatch(r"\d+,\d{1,2}", text) or re.fullmatch(
        r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}", text
    ):
        text = text.replace(".", "").replace(",", ".")
    return w.number(text)


def magnitude(text: str, match: re.Match[str], letters: str) -> str | None:
    """The scale that letters behind a number stand for, or None where they mean something else."""
    after = word_after(text, match.end())
    if len(letters) == 1 and word_before(text, match.start()).lower() in LABELLED:
        return None
    if letters in "bBMT" and "." not in match["n"] and not _is_counted(match, letters, after):
        return None  # a letter: 221B Baker Street
    if letters == "m" and not (is_plural(after) or (after[:1].isupper() and after not in ("I",))):
        return None  # metres
    if letters in "kK" and (
        after.lower() in _LETTER_SIZES
        or (not after and _LETTER_SIZES & set(words_before(text, match.start())[-4:]))
    ):
        return None
    return SCALES.get(letters)


def _is_counted(match: re.Match[str], letter: str, after: str) -> bool:
    """Whether a letter behind a whole number is a magnitude: people or money are counted by it."""
    are_many = is_plural(after) or (after[:1].isupper() and after.endswith("s"))  # Americans
    if compiled(rf" [A-Z]\w+ (?:{_STREETS})\b").match(match.string, match.end()):
        return False  # 5b Kings Road
    if are_many or after == "of" or after.lower() in _MONEYS or after in _MONEYED - {"to", "from"}:
        return True
    if letter in "bB":
        return bool(_MONEYED.intersection(words_before(match.string, match.start())[-6:]))
    return not after[:1].isupper()  # 3M Company, 12T Oak Road


def _scaled(match: re.Match[str]) -> str | None:
    scale = magnitude(match.string, match, match["scale"])
    return None if scale is None else f"{numeral(match['n'])} {scale}"


def _signed(match: re.Match[str]) -> str | None:
    before = match.string[: match.start()][-2:]
    if (before.strip() and before[-1:] not in " (\"“'‘[=<>\n") or before[-1:].isalnum():
        return None
    return _SIGNS[match["sign"]]


def fraction_words(text: str) -> str:
    """1½, 3/4 and 2 3/4 in words."""
    plain = "".join(f" {_above(char)}" if char > "\x7f" else char for char in text).replace("\u2044", "/")
    *whole, part = re.split(r"[ -]+", plain.strip())
    above, _, below = part.partition("/")
    said = w.fraction(int(above), int(below))
    if not whole:
        return said
    return f"{w.integer(whole[0])} and { {'one half': 'a half', 'one quarter': 'a quarter'}.get(said, said) }"


def _above(char: str) -> str:
    """The digits of ½, or the bar between digits."""
    return unicodedata.normalize("NFKD", char).replace("\u2044", "/") if char != "\u2044" else "/"


def _vulgar(match: re.Match[str]) -> str:
    if match["f"] in "⅟↉":
        return w.integer(match["n"]) if match["n"] else "zero thirds"
    return fraction_words(match[0])


def _mixed(match: re.Match[str]) -> str | None:
    above, below = int(match["a"]), int(match["b"])
    if not 0 < above < below <= 64:
        return None
    return fraction_words(match[0])


def _slashed(match: re.Match[str]) -> str:
    above, below = int(match["a"]), int(match["b"])
    if (above, below) in _NEVER_FRACTIONS or below == 0 or match["a"][0] == "0" or match["b"][0] == "0":
        return f"{w.integer(match['a'])} {w.integer(match['b'])}"
    rated = _RATED.intersection(words_before(match.string, match.start(), 30)[-3:]) - {"a"}
    if match["th"]:
        return w.fraction(above, below)
    if below in (10, 100) or (rated and below in (5, 20)) or word_after(match.string, match.end()) == "stars":
        return f"{w.cardinal(above)} out of {w.cardinal(below)}"
    if (0 < above <= 99 and below <= 100 and below != 1) or below == 1000:
        return w.fraction(above, below)
    return f"{w.cardinal(above)} over {w.cardinal(below)}"


def _range(match: re.Match[str]) -> str:
    first, last = match["a"], match["b"]
    low, high = (float(re.sub("[, '’]", "", each)) for each in (first, last))
    text, start = match.string, match.start()
    if is_year(first) and (is_year(last) or (len(last) == 2 and int(last) > int(first[2:]))):
        return f"{w.year(int(first))} to {w.year(int(last)) if is_year(last) else w.two_digits(int(last))}"
    behind = re.split(r"[.!?;\n]", text[match.end() : match.end() + 30].lower())[0]
    near = {*words_before(text, start)[-8:], *re.findall(r"[a-z]+", behind)[:3]}
    is_score = (
        max(low, high) < 200 and float.is_integer(low) and float.is_integer(high) and " " not in match[0]
    )
    if is_score and (SPORT & near or (low > high and not (low >= 8 and high <= 8 and low <= 12))):
        return " ".join("nil" if value == 0 else w.cardinal(int(value)) for value in (low, high))
    if text[max(0, start - 2) : start] == "= ":
        return f"{numeral(first)} minus {numeral(last)}"
    if low == high:  # shares and draws: 50-50
        return f"{numeral(first)} {numeral(last)}"
    return f"{numeral(first)} to {numeral(last)}"


_PER: Final = {"%": "percent", "‰": "per mille"}


def _percent(match: re.Match[str]) -> str:
    return f"{numeral(match['n'])} {_PER[match['sign']]}"


def _ordinal(match: re.Match[str]) -> str:
    said = w.ordinal_of(w.integer(match["n"]))
    return f"{said}s" if match["s"] else said


def _ratio_words(match: re.Match[str]) -> str:
    return " to ".join(w.number(each) for each in match[0].split(":"))


def _times(match: re.Match[str]) -> str:
    return f"{numeral(match['n'])} times"


def _by(match: re.Match[str]) -> str:
    word = "times" if "×" in match[0] and " " in match[0] else "by"
    return f" {word} ".join(numeral(each) for each in re.split(r"\s*[x×]\s*", match[0]))


def _power(match: re.Match[str]) -> str:
    exponent = match["e"] or "".join(str(unicodedata.digit(char)) for char in match["r"].lstrip("⁻"))
    if match["r"] and is_year(match["n"]) and word_before(match.string, match.start()).lower() in YEARLY:
        return w.year(int(match["n"]))  # a reference mark: "in 1990²"
    minus = "minus " if (match["m"] or match["r"] or "").startswith(("-", "−", "⁻")) else ""
    base = numeral(match["n"])
    if not minus and exponent in ("2", "3"):
        return f"{base} {'squared' if exponent == '2' else 'cubed'}"
    return f"{base} to the power of {minus}{w.integer(exponent)}"


def _telephone(match: re.Match[str]) -> str | None:
    """Digits one by one, with a breath between the groups."""
    if re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3}){2,}", match[0]):
        return None  # a number grouped by dots
    groups = re.findall(r"\d+", match[0])
    said = ", ".join(
        "eight hundred" if group == "800" and index < 2 else w.digits(group)
        for index, group in enumerate(groups)
    )
    return f"plus {said}" if match[0].lstrip("(").startswith("+") else said


def _dialled(match: re.Match[str]) -> str | None:
    """A short number that is dialled, or an emergency number that is called: "dial 911 or 999"."""
    text, start, end = match.string, match.start(), match.end()
    rest = compiled(r"(?:(?:,| or| and|, or|, and) \d{3,6}(?!\w))*+").match(text, end)
    after = word_after(text, rest.end()) if rest else ""
    if match["n"] in _EMERGENCY and after in _EMERGENCIES:
        return w.digits(match["n"])
    is_asked = compiled(
        r"(?i)(?<![\w-])(?:dial(?:l?ed|l?ing|s)?|(?:call|ring|text)(?:ed|ing|s)?|rang|(?:tele)?phon(?:e[ds]?|ing))"
        r"(?: the number)? (?:\d{3,6}(?:,| or| and|, or|, and) ){0,4}$"
    ).search(text, max(0, start - 60), start)
    if not is_asked or after in ARTICLES or (after and after not in _DIALLED_BEFORE):
        return None
    return ", ".join(w.digits(group) for group in match["n"].split(" "))


_EMERGENCY: Final = frozenset({"911", "999", "112", "000", "111", "101"})
_EMERGENCIES: Final = word_set(
    "call calls caller callers operator operators dispatcher dispatchers dispatch emergency"
)
_DIALLED_BEFORE: Final = FUNCTION_WORDS - {"times", "total"} | word_set(
    "immediately straight first free anytime day either directly please quickly"
)


def _hexadecimal(match: re.Match[str]) -> str:
    return "zero x " + " ".join(w.digits(char) if char.isdecimal() else char.upper() for char in match["h"])


def _plain(match: re.Match[str]) -> str:
    text = match["n"]
    if "." not in text and len(text) > 1 and text[0] == "0":
        return w.digits(text)
    return numeral(text)


def _plural(match: re.Match[str]) -> str | None:
    """Many of one number: "two 9s", "a pair of 6's", "100s of people"; not seconds ("in 9s")."""
    text, digits = match.string, match["n"]
    if digits in ("100", "1000") and text[match.end() : match.end() + 4] == " of ":
        return w.plural(w.cardinal(int(digits)).removeprefix("one "))
    before = words_before(text, match.start(), 24)
    is_many = before and (before[-1] in _COUNTED or before[-2:] == ["pair", "of"])
    is_many = is_many or (len(digits) == 3 and before and before[-1] in ("the", "these", "those"))
    if not match["own"] and not is_many:
        return None
    if match["own"] and word_after(text, match.end()).islower() and len(digits) > 2:
        return None
    return w.plural(w.integer(digits))


def _at_least(match: re.Match[str]) -> str:
    return f"{numeral(match['n'])} plus"


def _number_sign(match: re.Match[str]) -> str:
    many = match["many"] or word_before(match.string, match.start()).lower() in ("nos", "numbers")
    return "numbers " if many else "number "


_SCALE: Final = "|".join(sorted(SCALES, key=len, reverse=True))
_DECIMAL: Final = (
    r"\d{1,3}(?:\.\d{3})+,\d{1,2}(?![\d,])|\d{1,3}(?:\.\d{3}){2,}(?![\d.])|\d++"
    r",\d{1,2}(?![\d,])(?! (?:and|or|&) \d)"
)
ANY: Final = rf"(?:{_DECIMAL}|{NUMBER})"

PHONES: Final = (
    TokenRule("phone", r"(?<![\w.-])(?:1[.-])?\d{3}\.\d{3}\.\d{4}(?![\w-])(?!\.\d)", _telephone, bare=True),
    TokenRule(
        "phone",
        r"(?<![\w.,$€£-])(?P<n>\d{3,6}(?: \d{3,4}){0,3})(?![\w%°$€£'’/:-]|[.,]\d| \d)",
        _dialled,
        bare=True,
    ),
    TokenRule("phone", r"\+\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){2,5}" + FOLLOWS, _telephone),
    TokenRule("phone", r"(?<![\w.-])(?:1[ -])?\(\d{3}\) ?\d{3}[ -]\d{4}(?![\w-])", _telephone),
    TokenRule("phone", r"(?<![\w.-])\d++(?:[-.]\d++){2,}(?![\w])(?!\.\d)(?<=\d{3})", _telephone, bare=True),
    TokenRule("phone", r"(?<![\w.-])\d{3}-\d{4}(?![\w-])", _telephone),
    TokenRule("phone", r"(?<![\w.-])\d{5}-\d{4}(?![\w-])", _telephone),
    TokenRule("phone", r"(?<![\w.-])0\d{2,4}(?: \d{3,4}){1,3}(?![\w-])", _telephone, bare=True),
    TokenRule("phone", r"(?<![\w.-])\d{5} \d{6}(?![\w-])", _telephone, bare=True),
    TokenRule("phone", r"(?<![\w.-])\d{4}(?:[ -]\d{4}){2,4}(?![\w-])", _telephone, bare=True),
)
SIGNED: Final = (
    TokenRule("number", rf"(?P<sign>[-−–+±])(?= ?[$€£¥]?{ANY})", _signed),
    TokenRule("number", r"#(?=\d{1,4}(?!\w))(?P<many>)", _number_sign),
)
PLURALS: Final = (TokenRule("number", r"(?<![\w.,])(?P<n>\d{1,3}|1000)(?P<own>['’]?)s(?![\w'’])", _plural),)
NUMBERS: Final = (
    TokenRule("number", r"0[xX](?P<h>[0-9A-Fa-f]{1,16})" + FOLLOWS, _hexadecimal),
    TokenRule(
        "range",
        rf"{ALONE}(?P<a>{ANY}) ?(?:{DASH}|to|\u2014) ?(?P<b>{ANY}) ?(?P<sign>[%‰]|percent\b)",
        lambda m: f"{numeral(m['a'])} to {numeral(m['b'])} {_PER.get(m['sign'], 'percent')}",
    ),
    TokenRule("number", rf"(?P<n>{ANY}) ?(?P<sign>[%‰])", _percent),
    TokenRule(
        "ordinal",
        r"(?P<n>\d{1,3}(?:,\d{3})++|\d++)(?:st|nd|rd|th|ST|ND|RD|TH|ˢᵗ|ⁿᵈ|ʳᵈ|ᵗʰ)(?P<s>s?)" + FOLLOWS,
        _ordinal,
    ),
    TokenRule("fraction", rf"(?P<n>\d*+) ?(?P<f>[{VULGAR}])", _vulgar),
    TokenRule(
        "fraction", r"(?<![\w.,/])(?P<n>\d{1,3})[ -](?P<a>\d{1,2})[/\u2044](?P<b>\d{1,2})(?![\w/])", _mixed
    ),
    TokenRule(
        "fraction",
        r"(?<![\w.,/])(?P<a>\d{1,4})[/\u2044](?P<b>\d{1,4})(?P<th>th|rd|nd|ths)?(?![\w/])(?!\.\d)",
        _slashed,
    ),
    TokenRule("number", rf"(?P<n>{ANY})(?:\^(?P<m>[-−]?)(?P<e>\d++)|(?P<r>⁻?[{_RAISED}]++))", _power),
    TokenRule("number", rf"(?P<n>{ANY}) ?(?P<scale>bn|mn|tn|mln|trn|Bn)\b", _scaled),
    TokenRule("number", rf"(?P<n>{ANY})(?P<scale>{_SCALE})" + FOLLOWS, _scaled),
    TokenRule("number", rf"(?P<n>{ANY})[x×](?![\w])(?! ?\d)", _times),
    TokenRule("number", rf"{ALONE}{ANY}(?: ?[x×] ?{ANY})++(?![A-Za-z^{_RAISED}⁻])", _by),
    TokenRule(
        "ratio",
        r"(?<![\w:.])\d{1,5}(?:\.\d{1,3})?:\d(?![\w:])|(?<![\w:.])(?:1[0-6]|21|4|3):(?:9|10)(?![\w:])",
        _ratio_words,
    ),
    TokenRule(
        "range", rf"{ALONE}(?P<a>{ANY})(?:{DASH}| {DASH} |\u2014)(?P<b>{ANY})(?![\w-])(?!\.\d)(?! ?=)", _range
    ),
    TokenRule("number", rf"(?P<n>{ANY})\+(?![\w+])", _at_least),
    TokenRule("number", rf"(?P<n>{ANY})", _plain, bare=True),
)
