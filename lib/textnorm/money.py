"""Money: an amount with a sign or a code before or behind it, with cents and magnitudes."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.context import ARTICLES, FUNCTION_WORDS, is_plural, word_after, word_before
from lib.textnorm.numbers import ANY, SCALES, numeral
from lib.textnorm.rule import DASH, FOLLOWS, TokenRule
from lib.textnorm.tables import word_set

#: Sign: one, many, a hundredth, hundredths.
_CENT: Final = ("cent", "cents")
_SIGNS: Final[dict[str, tuple[str, str, str, str]]] = {
    "$": ("dollar", "dollars", *_CENT),
    "€": ("euro", "euros", *_CENT),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "", ""),
    "￥": ("yen", "yen", "", ""),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₩": ("won", "won", "", ""),
    "₽": ("rouble", "roubles", "kopeck", "kopecks"),
    "₺": ("lira", "lira", "kurus", "kurus"),
    "₪": ("shekel", "shekels", "agora", "agorot"),
    "₫": ("dong", "dong", "", ""),
    "₴": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "₦": ("naira", "naira", "kobo", "kobo"),
    "₱": ("peso", "pesos", "centavo", "centavos"),
    "฿": ("baht", "baht", "satang", "satang"),
    "₿": ("bitcoin", "bitcoins", "", ""),
}
_CODES: Final[dict[str, tuple[str, str, str, str]]] = {
    "USD": ("U S dollar", "U S dollars", *_CENT),
    "EUR": ("euro", "euros", *_CENT),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "JPY": ("yen", "yen", "", ""),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "CAD": ("Canadian dollar", "Canadian dollars", *_CENT),
    "AUD": ("Australian dollar", "Australian dollars", *_CENT),
    "NZD": ("New Zealand dollar", "New Zealand dollars", *_CENT),
    "INR": ("rupee", "rupees", "paisa", "paise"),
    "CNY": ("yuan", "yuan", "fen", "fen"),
    "RMB": ("yuan", "yuan", "fen", "fen"),
    "SEK": ("Swedish krona", "Swedish kronor", "ore", "ore"),
    "NOK": ("Norwegian krone", "Norwegian kroner", "ore", "ore"),
    "DKK": ("Danish krone", "Danish kroner", "ore", "ore"),
    "PLN": ("zloty", "zloty", "grosz", "groszy"),
    "BTC": ("bitcoin", "bitcoins", "", ""),
    "Rs": ("rupee", "rupees", "paisa", "paise"),
}
#: Before a dollar sign: whose dollar it is.
_WHOSE: Final = {
    "US": "U S",
    "A": "Australian",
    "AU": "Australian",
    "C": "Canadian",
    "CA": "Canadian",
    "NZ": "New Zealand",
    "HK": "Hong Kong",
    "S": "Singapore",
    "R": "",
    "MX": "Mexican",
    "NT": "New Taiwan",
}
_WORDS: Final = "hundred|thousand|million|billion|trillion"
_TIMES: Final = (
    r"hour|hr|h|day|week|month|mo|year|yr|night|person|head|kg|lb|litre|gallon|mile|km|unit|item|kWh|GB|user"
)
_TIME_WORDS: Final = {
    "hr": "hour",
    "h": "hour",
    "mo": "month",
    "yr": "year",
    "kg": "kilogram",
    "lb": "pound",
} | {
    "km": "kilometre",
    "kWh": "kilowatt hour",
    "GB": "gigabyte",
}


def _names(match: re.Match[str]) -> tuple[str, str, str, str]:
    sign = match["sign"].rstrip(".")
    if sign in _CODES:
        return _CODES[sign]
    if sign in _SIGNS:
        return _SIGNS[sign]
    whose = _WHOSE[sign.rstrip("$ ")]
    if whose == "":
        return ("real", "reais", "centavo", "centavos")
    return (f"{whose} dollar", f"{whose} dollars", *_CENT)


def amount(text: str, names: tuple[str, str, str, str]) -> str:
    """An amount without a magnitude: dollars, and cents where there is a fraction of one or two digits."""
    one, many, cent, cents = names
    cut = re.fullmatch(r"(?P<whole>[\d, .'’]*?)[.,](?P<part>\d{1,2})", text)
    if cut is None or not cent:
        said = numeral(text)
        return f"{said} {one if said == 'one' else many}"
    whole, part = cut["whole"], int(cut["part"].ljust(2, "0"))
    said_whole = w.integer(whole) if whole else "zero"
    main = f"{said_whole} {one if said_whole == 'one' else many}"
    small = f"{w.cardinal(part)} {cent if part == 1 else cents}"
    if part == 0:
        return main
    return small if said_whole == "zero" else f"{main} and {small}"


def _scale(match: re.Match[str]) -> str:
    letters = match["scale"]
    return SCALES.get(letters, letters) if letters else ""


def _describes(match: re.Match[str]) -> bool:
    """Whether the sum describes what follows: "a $5 note", "a $1.5bn deal"."""
    text, end = match.string, match.end()
    after = word_after(text, end) if text[end : end + 1] in (" ", "-") else ""
    if not after.islower() or after in FUNCTION_WORDS:
        return False
    before = word_before(text, match.start()).lower()
    if is_plural(after) and text[end : end + 1] != "-":
        return after in _PAID_WITH or before in _COUNTS or before.isdecimal()
    return before in ARTICLES


#: Before and behind a sum that describes many things: "two $100 bills", "in $5 notes".
_COUNTS: Final = word_set(
    "two three four five six seven eight nine ten several some many few all these those"
)
_PAID_WITH: Final = word_set("bills notes coins tickets stamps vouchers cheques checks bonds fines")


def _sum(match: re.Match[str]) -> str:
    names, scale = _names(match), _scale(match)
    said = f"{numeral(match['n'])} {scale} {names[1]}" if scale else amount(match["n"], names)
    if _describes(match):
        said = (
            said.removesuffix(names[1]).removesuffix(names[0]) + names[0]
            if said.endswith(names[:2])
            else said
        )
    per = match["per"]
    if per:
        return f"{said} per {_TIME_WORDS.get(per, per)}"
    return said


def _value(text: str) -> float:
    """About what a number is, to compare two."""
    return float(re.sub(r"[ ,'’]|\.(?=\d*\.)", "", text))


def _sums(match: re.Match[str]) -> str:
    """A range: the name of the money is said once, but where the halves differ in scale or have cents."""
    names, scale = _names(match), _scale(match)
    first = SCALES.get(match["s0"] or "", match["s0"] or "")
    rises = _value(match["a"]) < _value(match["b"])  # "$3-$4 million", but "$500 to $1 million"
    if first != scale and (first or (match["sign2"] and not rises)):
        last = f"{numeral(match['b'])} {scale} {names[1]}" if scale else amount(match["b"], names)
        if not first:
            return f"{amount(match['a'], names)} to {last}"
        return f"{numeral(match['a'])} {first} {names[1] + ' ' if not scale else ''}to {last}"
    if not scale and names[2] and _CENTS.search(f"{match['a']} {match['b']}"):
        return f"{amount(match['a'], names)} to {amount(match['b'], names)}"
    said = f"{numeral(match['a'])} to {numeral(match['b'])}"
    return f"{said} {scale} {names[1]}" if scale else f"{said} {names[1]}"


_CENTS: Final = re.compile(r"[.,]\d{1,2}(?!\d)")


def _cents(match: re.Match[str]) -> str:
    said = numeral(match["n"])
    if match["sign"] == "¢":
        return f"{said} {'cent' if said == 'one' else 'cents'}"
    return f"{said} {'penny' if said == 'one' else 'pence'}"


CURRENCY_SIGNS: Final = tuple(_SIGNS)
_SIGN: Final = "[" + "".join(_SIGNS) + "]"
_PREFIX: Final = (
    rf"(?P<sign>(?:{'|'.join(sorted(_WHOSE, key=len, reverse=True))}) ?\$|{_SIGN}|"
    rf"(?:{'|'.join(_CODES)})\.?(?=\s?\d))"
)
_LETTERS: Final = "|".join(sorted(SCALES, key=len, reverse=True))
_MANY: Final = rf"(?:[ -]?(?P<scale>(?:bn|mn|tn)(?!\w)|(?<=\d)(?:{_LETTERS})(?!\w)|(?<=[ -])(?:{_WORDS})\b))?"
_PER: Final = rf"(?:/(?P<per>{_TIMES})\b)?"

#: What some write behind the sign too: "$5 million dollars".
_AGAIN: Final = "dollars?|euros?|pounds?|yen|rupees?"

MONEY: Final = (
    TokenRule(
        "money",
        rf"(?<!\w){_PREFIX} ?(?P<a>{ANY}){_MANY.replace('scale', 's0')} ?(?:{DASH}|to)"
        rf" ?(?P<sign2>{_SIGN})?(?P<b>{ANY}){_MANY}" + FOLLOWS,
        _sums,
    ),
    TokenRule("money", rf"(?<!\w){_PREFIX} ?(?P<n>{ANY}){_MANY}(?: (?:{_AGAIN})\b)?{_PER}", _sum),
    TokenRule("money", rf"(?P<n>{ANY}){_MANY} ?(?P<sign>{_SIGN})(?![\d]){_PER}", _sum),
    TokenRule("money", rf"(?P<n>{ANY}){_MANY} ?(?P<sign>{'|'.join(_CODES)}){FOLLOWS}{_PER}", _sum),
    TokenRule(
        "money",
        rf"(?P<n>{ANY}) ?(?P<sign>¢|(?<=\d)p(?![\w.]))(?!\w)",
        _cents,
    ),
)
