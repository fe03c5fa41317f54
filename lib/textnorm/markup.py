"""Markup: the two kinds that we know stay, in canonical form; of all others only the words stay."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.edits import Edit
from lib.textnorm.model import LONGEST_PAUSE_S, SHORTEST_PAUSE_S, Warned
from lib.textnorm.tables import word_list, word_set

#: Stand for protected stretches while all else is read. Private characters of a text were taken out before.
WORD_MARK: Final = "\ue000"
PAUSE_MARK: Final = "\ue001"

_ANY: Final = re.compile(r"[\[<&{`|]|^[ \t]*(?:#|>|[-*+•‣◦–] |\d{1,3}[.)] |[-*_=]{3})", re.MULTILINE)
_BREAKING: Final = word_set(
    "br p div li ul ol hr tr td th table h1 h2 h3 h4 h5 h6 blockquote section article"
)
_MARKUP: Final = (
    r"(?P<phonemes>\[(?P<word>[^\[\]\n]{1,200})\]\(/(?P<sounds>[^()/\n]{1,300})/\))"
    r"|(?P<pause>\[(?i:pause)\b(?P<length>[^\[\]\n]{0,40})\])"
    r"|(?P<silence>\[(?i:break|silence|wait)\b(?P<lasting>[^\[\]\n]{0,40})\](?!\())"
    r"|(?P<image>!\[(?P<alt>[^\[\]\n]{0,200})\]\([^()\n]{0,500}\))"
    r"|(?P<link>\[(?P<label>[^\[\]\n]{1,300})\]\([^()\n]{1,500}\))"
    r"|(?P<reference>\[\^?\d{1,3}(?:[,–-] ?\d{1,3}){0,20}\]|\[\^\w{1,20}\]:?)"
    r"|(?P<comment><!--(?:[^-]|-(?!->)){0,2000}-->)"
    r"|(?P<tag></?(?P<name>[A-Za-z][A-Za-z0-9-]{0,20})(?:\s[^<>]{0,300})?/?>)"
    r"|(?P<entity>&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,11});)"
    r"|(?P<template>\{\{[ \t]?(?P<field>[^{}\n]{1,100}?)[ \t]?\}\}|\{%[^{}\n]{1,100}%\})"
    r"|(?P<fence>^[ \t]*(?:```|~~~)[^\n`]*$)"
    r"|(?P<separator>^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*){1,40}$)"
    r"|(?P<line>^[ \t]*(?:(?:\* ?){3,}|(?:- ?){3,}|(?:_ ?){3,}|={3,})[ \t]*$)"
    r"|(?P<heading>^ {0,3}#{1,6}[ \t]+(?=\S))"
    r"|(?P<quote>^ {0,3}>(?![=\d])(?: ?>){0,10} ?)"
    r"|(?P<bullet>^[ \t]*[-*+•‣◦–] +(?:\[[ xX]\] +)?(?=\S))"
    r"|(?P<item>^[ \t]*(?P<number>\d{1,3})[.)] +(?=\S))"
)
_LENGTH: Final = re.compile(
    r"(?i)\s*[:=]?\s*(?P<n>\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})\s*(?P<unit>s|ms|sec|seconds?)?\s*"
)
_BREAK: Final = re.compile(r"time\s*=\s*[\"'“”‘’]?\s*(?P<n>\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})\s*(?P<unit>m?s)")
_SOUNDS: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|[ˈˌː'’-])*")
_WORDS: Final = re.compile(r"\w+")
_REMEDY: Final = "Take the markup out of the text, or leave it: only its words are read."


@dataclass(slots=True)
class FoundMarkup:
    """The markup of a text: edits, what is protected in the order of its marks, and warnings."""

    edits: list[Edit] = field(default_factory=list)
    protected: list[tuple[str, str]] = field(default_factory=list)  # (in the script, in words)
    warnings: list[Warned] = field(default_factory=list)


def find_markup(text: str, lexicon: dict[str, list[tuple[str, str]]]) -> FoundMarkup:
    """The edits that take the markup out, and the words of the lexicon in."""
    found = FoundMarkup()
    if not _ANY.search(text):
        _say_words(text, lexicon, found, [])
        return found
    marks: list[tuple[int, str, str]] = []
    for match in re.compile(_MARKUP, re.MULTILINE).finditer(text):
        _take(match, found, marks)
    _say_words(text, lexicon, found, marks)
    return found


def _take(match: re.Match[str], found: FoundMarkup, marks: list[tuple[int, str, str]]) -> None:
    kind = next(name for name in _KINDS if match[name] is not None)
    start, end = match.span()
    if kind == "phonemes":
        marks.append((start, f"[{match['word']}](/{match['sounds']}/)", match["word"]))
        found.edits.append(Edit(start, end, WORD_MARK))
    elif kind == "pause":
        _pause(match, found, marks)
    elif kind == "silence":
        _other_pause(match, found)
    elif kind == "link":
        found.edits += [Edit(start, start + 1, "", "markup"), Edit(match.end("label"), end, "", "markup")]
        _warn(found, match, "The address of a link is not read, only its words.", _link_remedy(match))
    elif kind in ("heading", "bullet", "item", "quote"):
        _line(match, kind, found)
    else:
        found.edits.append(Edit(start, end, _words_of(match, kind), "markup"))
        if kind == "tag" and match["name"].lower() == "break":
            remedy = f"Write [pause {_break_s(match):g}s]."
            message = "A tag is not read, and no pause is made for it."
            found.warnings.append(Warned("markup", match[0], start, end, message, remedy))
        elif kind not in ("reference", "entity", "line"):
            _warn(found, match, _MESSAGES[kind])


_KINDS: Final = word_list(
    "phonemes pause silence image link reference comment tag entity template fence separator line "
    "heading quote bullet item"
)
_MESSAGES: Final = {
    "image": "Of an image only its description is read.",
    "comment": "A comment is not read.",
    "tag": "A tag is not read.",
    "template": "A place for a value was not filled in; its name is read.",
    "fence": "A fence of code is not read; the code in it is.",
    "separator": "The rule of a table is not read; its cells are, one after the other.",
}


def _warn(found: FoundMarkup, match: re.Match[str], message: str, remedy: str = _REMEDY) -> None:
    found.warnings.append(Warned("markup", match[0], match.start(), match.end(), message, remedy))


def _link_remedy(match: re.Match[str]) -> str:
    """What to do about a link; one whose address is a single word was perhaps meant to say how it is said."""
    address = match[0][match.end("label") - match.start() + 2 : -1]
    if not _SOUNDS.fullmatch(address):
        return _REMEDY
    return f"{_REMEDY} Phonemes stand between slashes: [Ouse](/ˈuz/)."


def _other_pause(match: re.Match[str], found: FoundMarkup) -> None:
    """A pause by another word: in brackets only [pause] makes one, so this is read. A lone length counts."""
    length = _LENGTH.fullmatch(match["lasting"])
    if match["lasting"].strip() and length is None:
        return  # words in brackets, such as [wait for it]
    seconds = 0.5
    if length is not None:
        seconds = float(length["n"]) / (1000 if (length["unit"] or "").lower() == "ms" else 1)
    bounded = round(min(max(seconds, SHORTEST_PAUSE_S), LONGEST_PAUSE_S), 3)
    message = "This makes no pause; its words are read."
    remedy = f"Write [pause {bounded:g}s]."
    found.warnings.append(Warned("pause", match[0], match.start(), match.end(), message, remedy))


def _break_s(match: re.Match[str]) -> float:
    """Seconds that a tag of SSML asks for, within a pause's bounds; about those at a full stop, if none."""
    asked = _BREAK.search(match[0])
    seconds = float(asked["n"]) / (1000 if asked["unit"] == "ms" else 1) if asked else 0.5
    return round(min(max(seconds, SHORTEST_PAUSE_S), LONGEST_PAUSE_S), 3)


def _words_of(match: re.Match[str], kind: str) -> str:
    if kind == "image":
        return match["alt"]
    if kind == "template":
        return match["field"] or ""
    if kind == "entity":
        from html import unescape

        said = unescape(match[0])
        return " " if said == "\xa0" else said if said != match[0] and said.isprintable() else match[0]
    if kind == "tag":
        return " " if match["name"].lower() in _BREAKING else ""
    return "\n\n" if kind == "line" else ""


def _line(match: re.Match[str], kind: str, found: FoundMarkup) -> None:
    """A heading is a paragraph, an item a sentence."""
    text, (start, end) = match.string, match.span()
    said = f"{w.cardinal(int(match['number']))}, " if kind == "item" else ""
    if kind == "item":
        said = said.capitalize()
    found.edits.append(Edit(start, end, said, "number" if kind == "item" else "markup"))
    line_end = text.find("\n", end)
    if line_end < 0 or kind == "quote":
        return
    if kind == "heading":
        found.edits[-1] = Edit(start, end, "\n" if start else "", "markup")
        found.edits.append(Edit(line_end, line_end, "\n"))
    elif text[line_end - 1].isalnum():
        found.edits.append(Edit(line_end, line_end, "."))


def _pause(match: re.Match[str], found: FoundMarkup, marks: list[tuple[int, str, str]]) -> None:
    start, end = match.span()
    length = _LENGTH.fullmatch(match["length"])
    if length is None:
        message = "This is no pause of a known length; its words are read."
        found.warnings.append(Warned("pause", match[0], start, end, message, "Write [pause 0.8s]."))
        return
    seconds = float(length["n"]) / (1000 if (length["unit"] or "").lower() == "ms" else 1)
    bounded = min(max(seconds, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
    if bounded != seconds:
        message = (
            f"A pause lasts {SHORTEST_PAUSE_S} to {LONGEST_PAUSE_S:g} seconds; this one is made {bounded:g}."
        )
        remedy = f"Write [pause {bounded:g}s]."
        found.warnings.append(Warned("pause", match[0], start, end, message, remedy))
    marks.append((start, f"[pause {round(bounded, 3):g}s]", ""))
    found.edits.append(Edit(start, end, PAUSE_MARK, "pause"))


def prepared(entries: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """The entries of a lexicon by the first word of each, in lower case; longest first."""
    by_word: dict[str, list[tuple[str, str]]] = {}
    for word in sorted(entries, key=len, reverse=True):
        first = _WORDS.search(word)
        if first and entries[word].strip():
            by_word.setdefault(first.group().casefold(), []).append((word, entries[word].strip()))
    return by_word


def entries_standing(text: str, lexicon: dict[str, list[tuple[str, str]]]) -> set[str]:
    """The words of a prepared lexicon that stand in the text, whatever else may cover them there."""
    found: set[str] = set()
    for match in _WORDS.finditer(text):
        for entry in lexicon.get(match.group().casefold(), ()):
            if entry[0] not in found and _entry_at(text, match, [entry]) is not None:
                found.add(entry[0])
    return found


def _say_words(
    text: str,
    lexicon: dict[str, list[tuple[str, str]]],
    found: FoundMarkup,
    marks: list[tuple[int, str, str]],
) -> None:
    """Protect the words of the lexicon, and put all that is protected in its order."""
    if lexicon:
        taken = sorted((edit.start, edit.end) for edit in found.edits)
        _find_words(text, lexicon, found, marks, taken)
    found.protected = [(script, said) for _, script, said in sorted(marks)]


def _find_words(
    text: str,
    lexicon: dict[str, list[tuple[str, str]]],
    found: FoundMarkup,
    marks: list[tuple[int, str, str]],
    taken: list[tuple[int, int]],
) -> None:
    done, upcoming = 0, iter([*taken, (len(text) + 1, len(text) + 1)])
    busy = next(upcoming)
    for match in _WORDS.finditer(text):
        entries = lexicon.get(match.group().casefold())
        if entries is None or match.start() < done:
            continue
        hit = _entry_at(text, match, entries)
        if hit is None:
            continue
        start, end, word, saying = hit
        while busy[1] <= start:
            busy = next(upcoming)
        if start < done or busy[0] < end:
            continue
        is_sounds = len(saying) > 2 and saying[0] == saying[-1] == "/"
        marks.append((start, f"[{word}]({saying})" if is_sounds else saying, word if is_sounds else saying))
        found.edits.append(Edit(start, end, WORD_MARK, "lexicon"))
        done = end


def _entry_at(
    text: str, match: re.Match[str], entries: list[tuple[str, str]]
) -> tuple[int, int, str, str] | None:
    for word, saying in entries:
        first = _WORDS.search(word)
        assert first is not None
        start = match.start() - first.start()
        end = start + len(word)
        stands = text[max(start, 0) : end]
        is_same = stands == word or (word == word.lower() and stands.lower() == word)
        if start >= 0 and is_same and not _continues(text, start, end):
            return start, end, stands, saying
    return None


def _continues(text: str, start: int, end: int) -> bool:
    """Whether the stretch is a part of a longer word."""
    return (start > 0 and text[start].isalnum() and text[start - 1].isalnum()) or (
        end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    )
