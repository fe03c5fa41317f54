"""One cue, and what every cue must be."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from lib.errors import BadInput

#: How the times of a cue are known, the surest first: a piece's own place in the audio; the engine told when
#: its words sound; a recogniser heard them; guessed inside a piece, by letters and pauses.
SOURCES: Final = ("piece", "engine", "asr", "estimated")
MAX_CUES: Final = 50_000  # of one take
MAX_CHARACTERS: Final = 1_000  # of one cue; in two lines of 42 there are 84
_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, halves of surrogate pairs, line ends
_SLACK_S: Final = 0.001  # lengths of audio are rounded to that


class BrokenCaptions(BadInput):
    """What should be captions breaks their format; nothing of it was used."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What is read while it is heard. Seconds from the start of the audio; `text` is one line."""

    start: float
    end: float
    text: str
    source: str

    def to_json(self) -> dict[str, Any]:
        """The four keys."""
        return {"start": self.start, "end": self.end, "text": self.text, "source": self.source}


def cue_trouble(cues: Iterable[Cue], audio_seconds: float) -> str | None:
    """What is wrong with the cues of an audio of that length, as "[3] ends before it starts"; else None."""
    before = 0.0
    for number, cue in enumerate(cues):
        problem = _trouble(cue, before, audio_seconds)
        if number >= MAX_CUES:
            problem = f"is one of more than {MAX_CUES}"
        if problem is not None:
            return f"[{number}] {problem}"
        before = cue.end
    return None


def _trouble(cue: Cue, before: float, audio_seconds: float) -> str | None:
    if cue.source not in SOURCES:
        return f"names a source that is none of {', '.join(SOURCES)}"
    if cue.start < before:
        return "starts before the audio" if before == 0.0 else "starts before the one before it ends"
    if not cue.start < cue.end:  # NaN too
        return "ends before it starts"
    if cue.end > audio_seconds + _SLACK_S:
        return "ends after the audio"
    if not cue.text.strip() or len(cue.text) > MAX_CHARACTERS:
        return f"has a text that is empty or longer than {MAX_CHARACTERS} characters"
    if not cue.text.isprintable() and any(unicodedata.category(char) in _UNFIT for char in cue.text):
        return "holds control characters"
    return None
