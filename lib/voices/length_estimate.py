"""How long a text will be when spoken, from its words as they are said: the one guess of all estimates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from lib.voices.facts import USUAL_LETTERS_PER_SECOND
from lib.voices.markup import PAUSE, pauses_s, without_markup
from lib.voices.usual_silences import USUAL_PAUSES, Pauses
from lib.voices.words import words_of

# What a text takes beside its letters and pauses: the first sound and the last one's fading. Measured.
_ONSET_S: Final = 0.35
_LETTERS_OF_A_DIGIT: Final = 5  # digits are left only where the front-end does not read the language

_CLAUSE: Final = re.compile(r"[,;:—–](?=\s)")
_SENTENCE: Final = re.compile(r"[.!?…]+[\"'”’)]*(?=\s)")
# A break with the mark or the paragraph's end beside it, whose usual silence it takes the place of.
_BREAK: Final = re.compile(rf"(?:[,;:—–.!?…]+[\"'”’)]*)?(?:\s*{PAUSE.pattern})+\s*")


def audio_seconds(
    script: str,
    rate: float = USUAL_LETTERS_PER_SECOND,
    speed: float = 1.0,
    pauses: Pauses = USUAL_PAUSES,
) -> float:
    """Seconds of audio that one take of a script makes, to a tenth: its words, and the silence between them.

    `rate` is letters of words a second without silence, at speed 1. Silence that the text asks for stands in
    place of the usual one, and is as long at every speed.
    """
    spoken = _BREAK.sub(" ", script) if "[pause " in script else script
    words = without_markup(spoken).replace("\r\n", "\n").strip()
    if not words:
        return 0.0
    paragraphs = words.count("\n\n")
    sentences = len(_SENTENCE.findall(words))
    silence_s = (
        paragraphs * pauses.paragraph
        + max(sentences - paragraphs, 0) * pauses.sentence
        + len(_CLAUSE.findall(words)) * pauses.clause
    )
    letters = sum(map(str.isalpha, words)) + _LETTERS_OF_A_DIGIT * sum(map(str.isdigit, words))
    return round((_ONSET_S + letters / rate + silence_s) / speed + pauses_s(script), 1)


def estimated_audio_s(
    text: str,
    rate: float = USUAL_LETTERS_PER_SECOND,
    *,
    pronounce: Mapping[str, str] | None = None,
    speed: float = 1.0,
    language: str = "English",
) -> float:
    """Seconds of audio that one take of a text makes, to a tenth; `rate` as for `audio_seconds`."""
    return _estimated(text, rate, tuple((pronounce or {}).items()), speed, language)


@lru_cache(maxsize=128)  # who watches machines asks again and again for the jobs at hand
def _estimated(
    text: str, rate: float, pronounce: tuple[tuple[str, str], ...], speed: float, language: str
) -> float:
    return audio_seconds(words_of(text, dict(pronounce), language).script, rate, speed)
