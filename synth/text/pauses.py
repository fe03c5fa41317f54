"""Where a voice is silent: the kinds of pauses, and those inside a piece."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from lib.voices import Pauses, without_markup

# With a blank behind it: "3,500" and "10:30" hold no pause.
_INNER: Final = re.compile(r"[,;:—–)…]+(?=\s)|[.!?]+(?=\s)")
_LETTER: Final = re.compile(r"[^\W_]")


class Pause(Enum):
    """What ends with a piece, and so which silence follows it."""

    NONE = "none"
    CLAUSE = "clause"
    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"


def silence_s(pause: Pause, pauses: Pauses) -> float:
    """Seconds of the silence of that kind."""
    seconds: float = 0.0 if pause is Pause.NONE else getattr(pauses, pause.value)
    return seconds


def marks_in(text: str) -> list[tuple[float, Pause]]:
    """The pauses inside a piece: what part of its letters stands before each, and which kind it is."""
    words = without_markup(text)
    found = list(_INNER.finditer(words))
    if not found:
        return []
    letters = max(len(_LETTER.findall(words)), 1)
    marks, counted, at = [], 0, 0
    for match in found:
        counted += len(_LETTER.findall(words, at, match.start()))
        at = match.end()
        kind = Pause.SENTENCE if match.group()[-1] in ".!?…" else Pause.CLAUSE
        if 0 < counted < letters:
            marks.append((counted / letters, kind))
    return marks
