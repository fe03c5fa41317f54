"""Addresses of the net and of files, versions, and names with dots and signs."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.capitals import is_initialism, is_sayable, spelled
from lib.textnorm.context import word_before
from lib.textnorm.rule import TokenRule
from lib.textnorm.tables import word_set
from lib.textnorm.years import is_year

_MARKS: Final = {
    ".": "dot",
    "/": "slash",
    "\\": "backslash",
    ":": "colon",
    "-": "dash",
    "_": "underscore",
    "?": "question mark",
    "=": "equals",
    "&": "and",
    "#": "hash",
    "%": "percent",
    "~": "tilde",
    "+": "plus",
    "@": "at",
    ",": "comma",
    ";": "semicolon",
    "!": "exclamation mark",
    "*": "star",
    "$": "dollar",
}
_ENDINGS: Final = (
    "com|org|net|edu|gov|mil|info|biz|io|co|dev|app|ai|tv|uk|de|fr|eu|ca|au|nz|ie|es|nl|se|"
    "ch|jp|cn|ru|br|xyz|pl|cz|dk|fi|pt|gr|kr|za|mx|ar|test|example|local"
)
_SAID_ENDINGS: Final = word_set("com org net edu gov mil info biz co dev app test example local name museum")
_FILES: Final = (
    "txt|pdf|docx?|xlsx?|pptx?|csv|json|ya?ml|toml|xml|html?|css|js|ts|py|rb|rs|go|java|cpp|"
    "sh|exe|dll|bat|zip|tar|gz|tgz|7z|mp3|mp4|wav|flac|ogg|opus|avi|mov|mkv"
    "|png|jpe?g|gif|svg|webp|ini|cfg|conf|log|md|sql|db|iso|bin|srt|vtt|epub"
)
_SAID_FILES: Final = word_set("doc zip json yaml toml bin bat log java gif tar opus flac conf epub")


_FOUR: Final = r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"


def spoken_address(text: str) -> str:
    """Every part and every mark of an address, letters one by one where the part cannot be said."""
    parts = re.findall(rf"{_FOUR}|[^\W\d_]+|\d+|[^\w\s]|_", text)
    said = []
    for index, part in enumerate(parts):
        if part in _MARKS:
            said.append(_MARKS[part])
        elif part.isdecimal():
            said.append(_digits(part))
        elif part[0].isdecimal():
            said.append(" dot ".join(w.digits(number) for number in part.split(".")))
        else:
            before = parts[index - 1] if index else ""
            said.append(
                _label(
                    part, is_last=before == "." and (index + 1 == len(parts) or parts[index + 1] in "/:?#.")
                )
            )
    return " ".join(said)


def _digits(part: str) -> str:
    if is_year(part):
        return w.year(int(part))
    return w.integer(part) if len(part) <= 2 else w.digits(part)


def _label(part: str, *, is_last: bool) -> str:
    if is_last and (part.lower() in _SAID_ENDINGS or part.lower() in _SAID_FILES):
        return part
    if not part.isascii():
        return part
    if is_last and (len(part) <= 2 or part.lower() in _FILES_SPELLED):
        return spelled(part)
    upper = part.upper()
    if len(part) == 1 or (len(part) <= 4 and not _can_be_said(upper)):
        return spelled(part)
    return part


_FILES_SPELLED: Final = word_set(
    "txt pdf csv xml html htm css exe dll png svg mkv jpg sql xls xlsx ppt pptx docx mp cfg "
    "wav ogg avi iso srt vtt"
)


def _can_be_said(upper: str) -> bool:
    if len(upper) == 4 and set(upper) & set("AEIOUY") and not set(upper) <= set("AEIOUY"):
        return True
    return len(upper) > 1 and (
        is_sayable(upper)
        or (len(upper) == 3 and upper[1] in "AEIOU" and upper[0] not in "AEIOU" and not is_initialism(upper))
    )


def _url(match: re.Match[str]) -> str:
    return spoken_address(match["rest"].rstrip("/"))


def _email(match: re.Match[str]) -> str:
    return spoken_address(match["a"])


def _numbers(match: re.Match[str]) -> str:
    """An address of four numbers, each digit by itself, with a port or a mask."""
    said = " dot ".join(w.digits(part) for part in match["ip"].split("."))
    if match["port"]:
        said += f" colon {w.digits(match['port'])}"
    return f"{said} slash {w.integer(match['mask'])}" if match["mask"] else said


def _six(match: re.Match[str]) -> str:
    return " ".join(
        "colon" if part == ":" else _hex(part) for part in re.findall(r":|[0-9A-Fa-f]+", match[0])
    )


def _hex(part: str) -> str:
    return " ".join(w.digits(char) if char.isdecimal() else char.upper() for char in part)


def _version(match: re.Match[str]) -> str | None:
    if not match["v"] and not match["tag"] and re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3}){2,}", match["n"]):
        return None  # a number grouped by dots
    parts = re.findall(r"\d+|[^\W\d_]+", match["n"])
    said = " point ".join(w.integer(part) if part.isdecimal() else spelled(part) for part in parts)
    if match["v"] and word_before(match.string, match.start()).lower() not in ("version", "versions", "ver"):
        said = f"version {said}"
    if match["tag"]:
        tags = re.findall(r"[^\W\d_]+|\d+", match["tag"])
        said = " ".join([said, *(_tag(tag) for tag in tags)])
    return said


def _tag(tag: str) -> str:
    if tag.isdecimal():
        return w.integer(tag)
    return tag if len(tag) > 2 and is_sayable(tag.upper()) else spelled(tag)


def _path(match: re.Match[str]) -> str | None:
    return spoken_address(match[0])


def _named(match: re.Match[str]) -> str:
    words = {"#": "sharp", "++": "plus plus"}
    return f"{match['n']} {words[match['s']]}"


def _dot_name(match: re.Match[str]) -> str:
    name = match["n"]
    return f"dot {name.lower() if is_sayable(name.upper()) or name.upper() == 'NET' else spelled(name)}"


def _upper(name: str) -> str:
    return name if len(name) > 3 and is_sayable(name) else spelled(name)


def _file(match: re.Match[str]) -> str:
    return spoken_address(match[0])


def _handle(match: re.Match[str]) -> str:
    word = "at" if match[0][0] == "@" else "hashtag"
    return f"{word} {spoken_address(match['n'])}"


_TAIL: Final = r"(?:[/?#](?:[^\s<>\"“”]{0,500}[^\s<>\"“”.,;:!?)\]}'’])?)?"
_HOST: Final = r"(?:[A-Za-z0-9_-]{1,63}\.){0,8}[A-Za-z0-9_-]{1,63}"
ADDRESSES: Final = (
    TokenRule(
        "address",
        r"(?:https?|ftp|wss?|file|ssh|git)://(?:www\.(?=\w)"
        r")?(?P<rest>\[?[^\s<>\"“”]{0,500}[^\s<>\"“”.,;:!?)\]}'’])",
        _url,
    ),
    TokenRule("address", rf"www\.(?P<rest>{_HOST}(?::\d{{1,5}})?{_TAIL})", _url),
    TokenRule("address", rf"(?:mailto:)?(?P<a>[A-Za-z0-9._%+-]{{1,64}}@{_HOST})(?![\w@])", _email),
    TokenRule(
        "address",
        r"(?<![\w.@])(?P<ip>\d{1,3}(?:\.\d{1,3}){3})(?::(?P<port>\d{1,5})"
        r")?(?:/(?P<mask>\d{1,2}))?(?![\w])(?!\.\d)",
        _numbers,
        bare=True,
    ),
    TokenRule(
        "address",
        r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:])|(?<![\w:])"
        r"(?:[0-9A-Fa-f]{1,4}){0,1}::[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6}(?![\w:])",
        lambda m: _six(m) if re.search("[A-Fa-f]|::", m[0]) or m[0].count(":") > 3 else None,
    ),
    TokenRule(
        "address",
        rf"(?<![\w@])(?P<rest>(?:[a-z0-9][A-Za-z0-9-]{{0,62}}\.){{1,6}}(?:{_ENDINGS})"
        rf"(?::\d{{2,5}})?{_TAIL})(?![\w@])",
        _url,
    ),
    TokenRule(
        "address",
        rf"(?<![\w@])(?P<rest>(?:[A-Za-z0-9][A-Za-z0-9-]{{0,62}}\.){{1,6}}(?:com|org|net|io|gov|"
        rf"edu)(?::\d{{2,5}})?{_TAIL})(?![\w@])",
        _url,
    ),
    TokenRule(
        "version",
        r"(?<![\w.])(?P<v>[vV])(?P<n>\d++(?:\.\d++)*(?:\.x)?)(?:-?(?P<tag>(?:alpha|beta|rc|dev|"
        r"preview|pre|a|b)(?:[.-]?\d++)?))?(?![\w-])",
        _version,
    ),
    TokenRule(
        "version",
        r"(?<![\w.])(?P<v>)(?P<n>\d++(?:\.\d++)*)(?:[-.]?(?P<tag>(?:alpha|beta|rc|dev|preview|pre|"
        r"snapshot|SNAPSHOT|stable|final)(?:[.-]?\d++)?))(?![\w-])",
        _version,
    ),
    TokenRule(
        "version",
        r"(?<![\w.,])(?P<v>)(?P<n>\d{1,3}(?:\.\d{1,5}){2,3}|\d{1,3}(?:\.\d{1,3}){0,2}\.x)(?P<tag>)"
        r"(?![\w.]\d|\w)",
        _version,
        bare=True,
    ),
    TokenRule(
        "address",
        r"(?<![\w])[A-Za-z]:\\(?:[^\s\\/:*?\"<>|]{1,100}\\){0,20}[^\s\\/:*?\"<>|]{0,100}[\w]",
        _path,
    ),
    TokenRule(
        "address", r"(?<![\w./])(?:~|\.{1,2})?/(?:[\w.@+-]{1,100}/){0,20}[\w.@+-]{0,100}[\w](?![\w])", _path
    ),
    TokenRule(
        "address",
        rf"(?<![\w@])"
        rf"[A-Za-z0-9_][A-Za-z0-9_-]{{0,80}}(?:\.[A-Za-z0-9_-]{{1,20}}){{0,3}}\.(?:{_FILES})"
        rf"(?![\w])(?!\.\w)",
        _file,
    ),
    TokenRule(
        "name",
        r"(?<![\w.])(?P<a>[A-Z]{2,8})\.(?P<n>[A-Z]{2,6})(?![\w.])",
        lambda m: f"{_upper(m['a'])} {_dot_name(m)}",
    ),
    TokenRule("name", r"(?<![\w])(?P<n>[A-Z])(?P<s>#|\+\+)(?![\w#+])", _named),
    TokenRule("name", r"(?<![\w.])\.(?P<n>[A-Z]{2,6}|[A-Z]?[a-z]{2,8})(?![\w.])", _dot_name),
    TokenRule("address", r"(?<![\w@])[@#](?P<n>[A-Za-z_]\w{1,40})(?!\w)", _handle),
)
COLOURS: Final = (
    TokenRule(
        "number",
        r"#(?P<h>(?=[0-9A-Fa-f]*\d)(?:[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8}))(?!\w)",
        lambda m: f"hash {_hex(m['h'])}",
    ),
)
