"""Capitals: initialisms are spelled, acronyms and shouted words are words."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.rule import TokenRule
from lib.textnorm.tables import word_set
from lib.textnorm.years import is_year

#: Said as words although they could be spelled; words of four letters and more that can be said are words.
_ACRONYMS: Final = word_set("""
    NASA NATO AIDS OPEC SIM PIN RAM ROM LAN WAN GIF CAD SAT ZIP VAT BIOS DOS NAS ASAP UNICEF UNESCO
    LASER RADAR FEMA SWAT COVID SARS MERS NASDAQ FIFA UEFA IKEA YOLO FOMO MIDI GUI CAPTCHA JPEG MPEG""")
#: Spelled although they could be said.
_SPELLED: Final = word_set("""
    ISBN UCLA HDMI USSR ISIS AOL IOU EULA UAE ATM UFO CEO CFO CTO COO AGM AMA USA EU UN UK US TV ID PC
    AI IT OR IQ DJ VP PR HR HQ GP MP PM AM AD BC CE BCE UV IP DNA RNA HIV FBI CIA NSA BBC CNN NBC ABC
    CBS IBM BMW GDP URL API CPU GPU USB LED LCD PDF FAQ DIY GPS RSVP VIP IRA IRS NBA NFL NHL MLB UEA WHO
    IMF UNO ETA AKA ICU EEG ECG MRI CT ADHD PTSD IVF NHS LA NY DC AC DC AAA IEEE AARP NAACP""")
#: Words of two and three letters, and of four and more that are no initialisms, as people shout them.
_SHORT_WORDS: Final = word_set("""
    ah am an as at be by do go ha he hi if in is it me my no of oh on or ox pi so to up us we ye act add
    age ago aid aim air all and any are arm art ask bad bag ban bar bat bed bet big bit box boy bus but
    buy can cap car cat cow cry cup cut dad day did die dig dog dry due ear eat egg end eye far fat few
    fit fly for fox fun gas get god got gun guy had has hat her hey him his hit hot how ice its job joy
    key kid lay leg let lie lot low mad man map may men met mix mom mum net new nor not now nut odd off
    oil old one our out own pay per pet put ran red rid run sad sat saw say sea see set sex she sir sit
    six sky son sun tax tea ten the tie tip toe too top toy try two use van war was way wet who why win
    won yes yet you""")
#: Two or three letters that are a word only among other capitals; alone they are spelled.
_AMBIGUOUS: Final = word_set("US IT OR AM WHO PM AD ID AI HE ME IN")
_VOWELS: Final = frozenset("AEIOUY")
_CODAS: Final = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{4}|^[BCDFGHJKLMNPQRSTVWXZ]{4}")
_ONSETS: Final = re.compile(
    r"(?:BL|BR|CH|CL|CR|DR|DW|FL|FR|GL|GR|GN|KN|KL|KR|PH|PL|PR|PS|QU|RH|SC|SCH|SCR|SH|SHR|SK|"
    r"SL|SM|SN|SP|SPL|SPR|SQU|ST|STR"
    r"|SW|TH|THR|TR|TW|WH|WR|[BCDFGHJKLMNPQRSTVWXYZ])?[AEIOUY]"
)
_ENDINGS: Final = re.compile(
    r"[AEIOUY](?:B|C|D|F|G|H|K|L|M|N|P|R|S|T|V|W|X|Z|Y|CK|CH|CT|CTS|CKS|DS|DGE|FF|FT|FTS|GH|"
    r"GHT|GHTS|GS|GN|KS|LD|LDS|LF|LK|LKS|LL|LLS|LM|LMS|LP"
    r"|LPS|LS|LT|LTS|LVE|MB|MBS|MN|MP|MPS|MPT|MS|NCH|ND|NDS|NG|NGS|NGTH|NK|NKS|NN|NS|NT|NTH|"
    r"NTS|NX|PS|PT|PTS|RB|RBS|RCH|RD"
    r"|RDS|RF|RK|RKS|RL|RLS|RM|RMS|RN|RNS|RP|RPS|RR|RS|RSH|RST|RT|RTH|RTS|SH|SK|SKS|SM|SP|SS|"
    r"ST|STS|TCH|TH|THS|TS|TT|TZ|WD|WL|WLS|WN|WNS|WS|XT|ZZ)?$"
)
_CLAUSE_END: Final = re.compile(r"[.!?;:]+[\"'”’)]*\s|\n\n")
_SHOUTED: Final = re.compile(r"[^\W\d_a-z]{2,}|[AI](?!\w)|[a-z]+")


def spelled(letters: str) -> str:
    """Each letter by itself."""
    return " ".join(letters.upper())


def is_initialism(word: str) -> bool:
    """Whether a word in capitals is spelled although it could be said."""
    return word in _SPELLED


def is_sayable(word: str) -> bool:
    """Whether a word in capitals is said as a word and not spelled."""
    if word in _SPELLED:
        return False
    if word in _ACRONYMS or word.lower() in _SHORT_WORDS:
        return True
    if len(word) <= 3 or _CODAS.search(word):
        return False
    return bool(_VOWELS.intersection(word) and _ONSETS.match(word) and _ENDINGS.search(word))


def _capitals(match: re.Match[str]) -> str | None:
    word, own = match["w"], match["own"] or ""
    shouting = _is_shouted(match)
    if own in ("S", "'S", "’S"):
        own = own.lower()
    if shouting and (is_sayable(word) or (word in _AMBIGUOUS and word.lower() in _SHORT_WORDS)):
        return None if word in _ACRONYMS else word.lower() + own
    if word in ("OK",):
        return "okay" + own
    if is_sayable(word):
        if word in _ACRONYMS or len(word) < 2:
            return None
        return word.lower() + own if word.lower() in _SHORT_WORDS or len(word) >= 6 else None
    return spelled(word) + own


def _is_shouted(match: re.Match[str]) -> bool:
    """Whether the words around in the clause are in capitals too, so that capitals tell nothing."""
    text, start, end = match.string, match.start(), match.end()
    before = _SHOUTED.findall(_CLAUSE_END.split(text[max(0, start - 30) : start])[-1])[-2:]
    after = _SHOUTED.findall(_CLAUSE_END.split(text[end : end + 30])[0])[:2]
    near = [*before[-1:], *after[:1]]
    words = [each for each in (*before, *after)]
    if any(each.islower() and len(each) > 1 for each in near):
        return False
    return any(each.isupper() and len(each) > 1 and is_sayable_word(each) for each in words)


def is_sayable_word(word: str) -> bool:
    """Whether a neighbour in capitals is an ordinary word."""
    return word.lower() in _SHORT_WORDS or (len(word) > 3 and word not in _ACRONYMS and is_sayable(word))


def _ampersand(match: re.Match[str]) -> str:
    parts = match[0].split("&")
    return " and ".join(
        part.strip() if is_sayable(part.strip()) and len(part.strip()) > 3 else spelled(part.strip())
        for part in parts
    )


def _plural(match: re.Match[str]) -> str | None:
    word = match["w"]
    return None if is_sayable(word) and word not in _SPELLED else f"{spelled(word)}s"


def _mixed(match: re.Match[str]) -> str | None:
    """Letters and digits in one: MP3, H2O, B-52, COVID-19, 3D."""
    parts = re.findall(r"[^\W\d_]+|\d+", match[0])
    said = []
    for index, part in enumerate(parts):
        if part.isdecimal():
            said.append(number_in_name(part, index))
        elif len(part) == 1 or not _reads(part):
            said.append(spelled(part))
        else:
            said.append(part)
    return " ".join(said) + (match["own"] or "")


def number_in_name(part: str, index: int = 0) -> str:
    """A number that is part of a name: 747 as seven forty seven, 2010 behind letters as a year."""
    if part[0] == "0" and len(part) > 1:
        return w.digits(part)
    if is_year(part) and index:
        return w.year(int(part))
    if len(part) == 3 and part[1:] != "00":
        return f"{w.cardinal(int(part[0]))} {w.two_digits(int(part[1:]))}"
    return w.integer(part) if len(part) < 5 else w.digits(part)


def _reads(part: str) -> bool:
    upper = part.upper()
    if part.islower():
        return (len(part) > 2 and is_sayable(upper)) or part in _SHORT_WORDS
    if not part.isupper():
        return True
    return is_sayable(upper) and len(part) > 3


def _joined(match: re.Match[str]) -> str | None:
    """Initials with a bar between them, which nobody says: "A/B test", "AC/DC", "TCP/IP"."""
    parts = match[0].split("/")
    if all(is_sayable_word(part) for part in parts) or set(match[0]) <= set("IVX/"):
        return None
    return " ".join(
        spelled(part) if not is_sayable(part) else part if part in _ACRONYMS else part.lower()
        for part in parts
    )


def _war(match: re.Match[str]) -> str:
    number = {"I": 1, "II": 2, "III": 3}.get(match["n"]) or int(match["n"])
    return f"World War {w.cardinal(number).capitalize()}{match['own'] or ''}"


#: Digits above the line; of gases some write them so instead of below it.
RAISED: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_OWN: Final = r"(?P<own>['’][sS](?!\w))?"
CAPITALS: Final = (
    TokenRule("initialism", r"(?<![\w'’])[A-Z]{1,5} ?& ?[A-Z]{1,4}(?![\w'’])", lambda m: _ampersand(m)),
    TokenRule("initialism", r"(?<![\w/.])[A-Z]{1,4}(?:/[A-Z]{1,4}){1,2}(?![\w/])", _joined),
    TokenRule("initialism", r"(?<!\w)(?P<w>CO|NO|SO)[²](?!\w)", lambda m: f"{spelled(m['w'])} two"),
    TokenRule("initialism", r"(?<![\w])(?P<w>[A-Z]{2,5})s(?![\w'’])", _plural),
    TokenRule("initialism", rf"(?<![\w])(?P<w>[A-Z]{{2,40}}){_OWN}(?![^\W{RAISED}])(?!\.\w)", _capitals),
    TokenRule("initialism", r"(?<![\w])PhD(?P<s>s?)(?![\w])", lambda m: f"P H D{m['s']}"),
)
WARS: Final = (TokenRule("roman", rf"(?<!\w)WW ?(?P<n>I{{1,3}}|[123]){_OWN}(?!\w|-[IVX\d])", _war),)
MIXED: Final = (
    TokenRule(
        "initialism",
        rf"(?<![\w@#/.])(?=[A-Za-z-]*\d)(?:[A-Za-z]{{1,12}}-?\d{{1,6}}(?:-?[A-Za-z]{{1,3}}(?![a-z])"
        rf"\d{{0,4}})?){_OWN}(?![\w@]|\.\d)",
        _mixed,
    ),
    TokenRule(
        "initialism",
        rf"(?<![\w@#/.])\d{{1,4}}(?:[A-Z]{{1,3}}\d{{0,3}}|[a-d](?= [A-Z])){_OWN}(?![\w@])",
        _mixed,
    ),
)
