"""Split a text at sentences, and only where it must at clauses and words; nothing is left out.

Sentence ends are looked for where a reader sees them: not after an abbreviation or an initial, not inside a
number, not before a word in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from synth.text.clean import clean_text

# Possessive, and only from the first mark of a run on: thousands of dots must not take quadratic time.
_END: Final = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)")
_NEXT: Final = re.compile(r"\S")
_CLAUSE: Final = re.compile(r"(?<=[,;:—–)])\s+")
_ABBREVIATIONS: Final = frozenset(
    re.findall(
        r"\w+",
        """adm approx apr assn aug ave blvd capt ch cf co col corp dec dept dr ed eds est etc eg ie feb
        fig figs gen gov hon inc jan jr jul jun lt ltd maj mar messrs mr mrs ms mt no nos nov oct op p pp
        prof pt rep rev sen sep sept sgt sr st vol vols vs""",
    )
)
#: Abbreviations only before a number: "No. 5", but "He said no. 5 people left." stays rare enough.
_BEFORE_NUMBERS: Final = frozenset(
    {"no", "nos", "p", "pp", "fig", "figs", "vol", "vols", "ch", "op", "pt", "ed"}
)
#: Abbreviations that also end sentences, when a capital follows: "at Acme Inc. The ..."
_ENDS_TOO: Final = frozenset(
    {"etc", "inc", "ltd", "co", "corp", "jr", "sr", "dept", "ave", "blvd", "assn", "est"}
)


class Pause(Enum):
    """The silence after a piece, in seconds."""

    NONE = 0.0
    CLAUSE = 0.15
    SENTENCE = 0.35
    PARAGRAPH = 0.70


@dataclass(frozen=True, slots=True)
class Piece:
    """What an engine speaks at once, and the pause that follows."""

    text: str
    pause: Pause


def split_text(text: str, longest: int) -> list[Piece]:
    """Pieces of at most `longest` characters, in order; the last one's pause is `NONE`.

    A piece holds a letter or a digit; a run of marks alone joins nothing to say and is passed over.
    """
    pieces: list[Piece] = []
    for paragraph in clean_text(text).split("\n\n"):
        for line in paragraph.split("\n"):
            pieces.extend(_split_line(line, longest))
        _end_with(pieces, Pause.PARAGRAPH)
    _end_with(pieces, Pause.NONE)
    return pieces


def _split_line(line: str, longest: int) -> Iterator[Piece]:
    for sentence in split_sentences(line):
        parts = [part for part in _fit(sentence, longest) if _speakable(part)]
        for index, part in enumerate(parts):
            yield Piece(part, Pause.SENTENCE if index == len(parts) - 1 else Pause.CLAUSE)


def _end_with(pieces: list[Piece], pause: Pause) -> None:
    if pieces:
        pieces[-1] = Piece(pieces[-1].text, pause)


def split_sentences(line: str) -> list[str]:
    """The sentences of a line, each stripped; joined by blanks they are the line again."""
    sentences, start = [], 0
    for match in _END.finditer(line):
        if _ends_sentence(line, match):
            sentences.append(line[start : match.end()].strip())
            start = match.end()
    sentences.append(line[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _ends_sentence(line: str, match: re.Match[str]) -> bool:
    found = _NEXT.search(line, match.end())
    following = found.group() if found else ""
    if following.islower():
        return False
    if match.group().rstrip("\"'”’»)]") != ".":
        return True
    word = line[line.rfind(" ", 0, match.start()) + 1 : match.start()].lstrip("\"'“‘«([")
    return not _is_abbreviation(word, following)


def _is_abbreviation(word: str, following: str) -> bool:
    folded = word.casefold()
    if len(word) == 1 and word.isupper() and word != "I":
        return True  # an initial
    if "." in word and all(len(part) == 1 for part in word.split(".")):
        return not following.isupper() or word.isupper()  # e.g. and i.e.; "at 5 p.m. The" ends
    if folded in _BEFORE_NUMBERS:
        return following.isdigit()
    return folded in _ABBREVIATIONS and not (folded in _ENDS_TOO and following.isupper())


def _fit(sentence: str, longest: int) -> Iterator[str]:
    """The sentence in parts of at most `longest`: split at clauses, then words, then anywhere."""
    if len(sentence) <= longest:
        yield sentence
        return
    held = ""
    for part in _small_parts(sentence, longest):
        if held and len(held) + 1 + len(part) > longest:
            yield held
            held = part
        else:
            held = f"{held} {part}" if held else part
    if held:
        yield held


def _small_parts(sentence: str, longest: int) -> Iterator[str]:
    """Clauses; the words of one that is too long; the pieces of a word that is too long."""
    for clause in _CLAUSE.split(sentence):
        if len(clause) <= longest:
            yield clause
            continue
        for word in clause.split(" "):
            for first in range(0, len(word), longest):
                yield word[first : first + longest]


def _speakable(text: str) -> bool:
    return any(char.isalnum() for char in text)
