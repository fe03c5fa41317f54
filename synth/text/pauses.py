"""How long a voice is silent: at clauses, sentences and paragraphs, and where a text asks for a break."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lib.voices import without_markup

# With a blank behind it: "3,500" and "10:30" hold no pause.
_INNER: Final = re.compile(r"[,;:—–)…]+(?=\s)|[.!?]+(?=\s)")
_LETTER: Final = re.compile(r"[^\W_]")


class Pause(Enum):
    """What ends with a piece, and so which silence follows it."""

    NONE = "none"
    CLAUSE = "clause"
    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds of silence, at the usual speed."""

    clause: float = 0.2
    sentence: float = 0.45
    paragraph: float = 0.9

    @classmethod
    def read(cls, text: str) -> Pauses:
        """The three as the setting VOICE_PAUSES has them, "0.2,0.45,0.9", which checks them."""
        return cls(*map(float, text.split(",")))

    def at_speed(self, speed: float) -> Pauses:
        """Who speaks twice as fast pauses half as long."""
        if speed == 1.0:
            return self
        return Pauses(self.clause / speed, self.sentence / speed, self.paragraph / speed)

    def of(self, pause: Pause) -> float:
        """The silence of that kind."""
        seconds: float = 0.0 if pause is Pause.NONE else getattr(self, pause.value)
        return seconds


USUAL_PAUSES: Final = Pauses()


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
