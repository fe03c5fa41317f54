"""From a text as it is written to one as it is spoken: shape, markup and lexicon, lines, reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from lib.textnorm.edits import Edit, Offsets, apply
from lib.textnorm.language import foreign_runs, other_language
from lib.textnorm.markup import PAUSE_MARK, WORD_MARK, FoundMarkup, find_markup, prepared
from lib.textnorm.model import Lexicon, Normalized, Reworded, Warned
from lib.textnorm.reading import Reading, read
from lib.textnorm.shape import character_edits, line_edits

_MARKS: Final = re.compile(f"[{WORD_MARK}{PAUSE_MARK}]")
_TIDY: Final = re.compile(
    r"\A[\s,;:]+|\s+\Z| +(?=\n)|(?<=\n) +| +(?=[,;:!?](?:\s|$)|\.(?:\s|$))|(?P<wide> {2,})"
    r"|(?<=[(]) | (?=[)])|\(\s*\)"
)
_ODD: Final = re.compile(r" {2}| \n|\n | [,;:!?.)]|\( |\(\)|\A[\s,;:]|\s\Z")
_AMBIGUOUS_DATE: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})(?:[/-]\d+)?")
_EMPHASIS: Final = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])[^*\n]{1,500}(?<![\s*])\1(?![\w*])")
_Way = Sequence[Offsets]


def normalized(text: str, lexicon: Lexicon) -> Normalized:
    """The text and how it is said; `lib.textnorm.normalize` is its public name."""
    made = _made(text, _prepared(tuple(lexicon.entries.items())), with_markup=True)
    if not _has_words(made.spoken) and _has_words(text):
        # Nothing but markup: then its signs are the text.
        made = _made(text, {}, with_markup=False)
        if not _has_words(made.spoken):
            kept = " ".join(re.findall(r"[^\W_]+", text))
            made = Normalized(text, kept, kept, made.changes, made.warnings)
    return made


@lru_cache(maxsize=64)
def _prepared(entries: tuple[tuple[str, str], ...]) -> dict[str, list[tuple[str, str]]]:
    return prepared(dict(entries))


def _has_words(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _made(text: str, lexicon: dict[str, list[tuple[str, str]]], *, with_markup: bool) -> Normalized:
    seen, way = _applied(text, character_edits(text), [])
    found = find_markup(seen, lexicon) if with_markup else FoundMarkup()
    bare, made = apply(seen, found.edits)
    changes = [_change(text, way, edit, found) for edit in _numbered(made, found) if edit[0].kind]
    warnings = [_moved(text, way, warning) for warning in found.warnings]
    way = [Offsets(made), *way] if made else way
    edits = line_edits(bare)
    joined, made = apply(bare, edits)
    changes += [_joined_word(text, bare, way, edit) for edit in made if edit.kind]
    if len(joined) != len(bare):
        way = [Offsets(made), *way]
    reading = read(joined)
    said, made = apply(joined, reading.edits)
    changes += [
        _reworded(text, way, edit.start, edit.end, edit.said.strip(), edit.kind) for edit in made if edit.kind
    ]
    script, spoken = _expanded(said, found)
    warnings += _warnings(text, joined, way, reading, changes)
    changes.sort(key=lambda change: (change.start, change.end))
    warnings.sort(key=lambda warning: (warning.start, warning.end))
    return Normalized(text, script, spoken, tuple(changes), tuple(warnings))


def _applied(text: str, edits: list[Edit], way: list[Offsets]) -> tuple[str, list[Offsets]]:
    if not edits:
        return text, way
    edited, made = apply(text, edits)
    return edited, [Offsets(made), *way]


def _back(way: _Way, start: int, end: int) -> tuple[int, int]:
    for offsets in way:
        start, end = offsets.start(start), offsets.end(end) if end > start else offsets.start(end)
    return start, max(start, end)


def _numbered(made: list[Edit], found: FoundMarkup) -> list[tuple[Edit, int]]:
    """Each edit with the number of what it protects."""
    numbered, count = [], 0
    for edit in made:
        numbered.append((edit, count))
        count += edit.said in (WORD_MARK, PAUSE_MARK)
    return numbered


def _change(text: str, way: _Way, numbered: tuple[Edit, int], found: FoundMarkup) -> Reworded:
    edit, number = numbered
    said = found.protected[number][0] if edit.said == WORD_MARK else edit.said.strip(f" \n{PAUSE_MARK}")
    return _reworded(text, way, edit.start, edit.end, said, edit.kind)


def _reworded(text: str, way: _Way, start: int, end: int, said: str, kind: str) -> Reworded:
    start, end = _back(way, start, end)
    return Reworded(text[start:end], said, kind, start, end)


def _joined_word(text: str, bare: str, way: _Way, edit: Edit) -> Reworded:
    """The whole word that was broken at a line's end."""
    start, end = edit.start, edit.end
    while start and bare[start - 1].isalpha() and edit.start - start < 40:
        start -= 1
    while end < len(bare) and bare[end].isalpha() and end - edit.end < 40:
        end += 1
    return _reworded(text, way, start, end, bare[start : edit.start] + bare[edit.end : end], edit.kind)


def _moved(text: str, way: _Way, warned: Warned) -> Warned:
    start, end = _back(way, warned.start, warned.end)
    return Warned(warned.kind, text[start:end], start, end, warned.message, warned.remedy)


def _expanded(said: str, found: FoundMarkup) -> tuple[str, str]:
    """The script and the words alone: marks become what they stand for."""
    said = _tidied(said)
    if not found.protected:
        return said, said
    return (
        _tidied(_MARKS.sub(_filler(found, 0), said)),
        _tidied(_MARKS.sub(_filler(found, 1), said)),
    )


def _filler(found: FoundMarkup, which: int) -> Callable[[re.Match[str]], str]:
    entries = iter(found.protected)

    def fill(match: re.Match[str]) -> str:
        said = next(entries)[which]
        return f" {said} " if match[0] == PAUSE_MARK else said

    return fill


def _tidied(text: str) -> str:
    """Without the blanks that dropped marks leave; ordinary prose has none and stays as it is."""
    if not _ODD.search(text):
        return text
    return _TIDY.sub(lambda match: " " if match["wide"] else "", text).strip()


def _warnings(
    text: str, joined: str, way: _Way, reading: Reading, changes: Sequence[Reworded]
) -> list[Warned]:
    warnings = []
    for start, end in _runs(reading.unknown):
        start, end = _back(way, start, end)
        message = f"The sign {text[start:end]} has no name in speech; it is left out."
        warnings.append(
            Warned("sign", text[start:end], start, end, message, "Write what should be said, in words.")
        )
    for start, end, script in foreign_runs(joined):
        start, end = _back(way, start, end)
        message = f"The {script}; a voice that speaks English only leaves them out."
        warnings.append(
            Warned("script", text[start:end], start, end, message, "Write it in Latin letters, as it sounds.")
        )
    warnings += _languages(text, joined, way)
    warnings += _dates(changes)
    warnings += _marks(text, changes)
    return warnings


def _runs(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for start, end in places:
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _languages(text: str, joined: str, way: _Way) -> list[Warned]:
    warnings, start = [], 0
    for paragraph in joined.split("\n\n"):
        end = start + len(paragraph)
        language = other_language(paragraph)
        if language:
            first, last = _back(way, start, end)
            message = f"This seems to be {language}; it is read as if it were English."
            remedy = "Translate it, or set the language of a voice that speaks it."
            warnings.append(Warned("language", text[first:last], first, last, message, remedy))
        start = end + 2
    return warnings


def _dates(changes: Sequence[Reworded]) -> list[Warned]:
    """Dates of which nobody can tell whether the day or the month comes first."""
    warnings = []
    for change in changes:
        found = _AMBIGUOUS_DATE.fullmatch(change.written) if change.kind == "date" else None
        if found and int(found[1]) <= 12 and int(found[2]) <= 12 and found[1] != found[2]:
            message = f"The date can be read in two ways; it is read as {change.spoken}."
            remedy = "Write the month as a word."
            warnings.append(Warned("date", change.written, change.start, change.end, message, remedy))
    return warnings


def _marks(text: str, changes: Sequence[Reworded]) -> list[Warned]:
    """Marks of code and tables, and such of emphasis as have no other beside the words; each once."""
    warnings, told = [], set()
    stressed = [match.span() for match in _EMPHASIS.finditer(text)] if "*" in text else []
    for change in changes:
        mark = change.written
        if change.kind == "markup" and len(mark) == 1 and mark in "*`|~" and mark not in told:
            if mark == "*" and any(start <= change.start < end for start, end in stressed):
                continue
            told.add(mark)
            message, remedy = f"The mark {mark} is not read.", "Take it out, or write what should be said."
            warnings.append(Warned("markup", mark, change.start, change.end, message, remedy))
    return warnings
