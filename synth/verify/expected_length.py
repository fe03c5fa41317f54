"""What a piece of text takes to say: what its sound is held against."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
#: Scripts without blanks, of whose signs each is a syllable or so: Chinese, Japanese, Korean.
_SYLLABLES: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_SYLLABLES_OF_A_WORD: Final = 2
#: Of Unicode: money, arithmetic and other signs. An engine reads them as words, as it does digits.
_SIGNS: Final = frozenset({"Sc", "Sm", "So"})
_SAID_TWICE: Final = 3  # words in a row
#: What every utterance takes beside its sounds. Hibari: 0.17 s, a fit over 78 sentences of five presets.
_ONSET_S: Final = 0.17


@dataclass(frozen=True, slots=True)
class UsualRate:
    """How quickly a voice speaks at speed 1: sounds, or letters, a sounding second, its onset aside.

    `tolerance` is the part by which the time of what it says may differ from that.
    """

    per_second: float
    tolerance: float
    unit: str = "sounds"  # or "letters"


@dataclass(frozen=True, slots=True)
class Due:
    """What one piece should take. `speed` is what it was asked for: 1.1 is a tenth quicker."""

    words: int
    letters: int
    sounds: int | None = None  # how many the engine meant to make; None where it does not tell
    usual: UsualRate | None = None  # None: nobody knows how quick the voice is
    speed: float = 1.0
    repeats: bool = False  # whether the text itself says something twice
    least_lead_s: float = 0.0  # silence that the engine leaves before every text
    pause_s: float = 0.0  # the longest silence that the text itself asks for

    @property
    def counted(self) -> int | None:
        """What the usual rate counts, of this piece; None where nobody counted."""
        if self.usual is None:
            return None
        return self.sounds if self.usual.unit == "sounds" else self.letters

    @property
    def expected_s(self) -> float | None:
        """Seconds that it should sound at the voice's usual rate; None where that is not known."""
        counted = self.counted
        if counted is None or self.usual is None:
            return None
        return (_ONSET_S + counted / self.usual.per_second) / self.speed


def due_of(
    text: str,
    *,
    sounds: int | None = None,
    usual: UsualRate | None = None,
    speed: float = 1.0,
    least_lead_s: float = 0.0,
) -> Due:
    """What `text`, in words as they are said and without markup, should take. Never raises."""
    words = [word.casefold() for word in _WORD.findall(text)]
    syllables = len(_SYLLABLES.findall(text))
    blanks = sum(1 for word in words if not _SYLLABLES.search(word))
    unread = sum(1 for char in text if char.isdigit() or unicodedata.category(char) in _SIGNS)
    if usual is not None and usual.unit == "letters" and (syllables or unread):
        usual = None  # nobody knows how many letters they are, as they are said
    return Due(
        words=blanks + unread + -(-syllables // _SYLLABLES_OF_A_WORD),
        letters=sum(map(str.isalpha, text)) + sum(1 for word in words if len(word) == 1),  # spelled out
        sounds=sounds,
        usual=usual,
        speed=speed,
        repeats=_repeats(words),
        least_lead_s=least_lead_s,
    )


def _repeats(words: list[str]) -> bool:
    """Whether a run of words, or one long word, comes twice."""
    seen: set[tuple[str, ...]] = set()
    for first in range(len(words)):
        for length in (1, _SAID_TWICE):
            run = tuple(words[first : first + length])
            if len(run) < length or len("".join(run)) < 8:
                continue
            if run in seen:
                return True
            seen.add(run)
    return False
