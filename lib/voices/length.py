"""How long a text will be when spoken, from its words as they are said: the one guess of all estimates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from lib.textnorm import Lexicon, normalize
from lib.voices.facts import USUAL_LETTERS_PER_SECOND
from lib.voices.languages import AUTO
from lib.voices.markup import pauses_s, without_markup

# Seconds of silence at the usual speed: what the setting VOICE_PAUSES says when nobody sets it.
_CLAUSE_S: Final = 0.2
_SENTENCE_S: Final = 0.45
_PARAGRAPH_S: Final = 0.9
# What a text takes beside its letters and pauses: the first sound and the last one's fading. Measured.
_ONSET_S: Final = 0.35

_CLAUSE: Final = re.compile(r"[,;:—–](?=\s)")
_SENTENCE: Final = re.compile(r"[.!?…]+[\"'”’)]*(?=\s)")
#: Languages whose texts the front-end brings into words; others reach their engine as they are.
_NORMALIZED: Final = frozenset({"English", AUTO})


def is_normalized(language: str) -> bool:
    """Whether texts in that language are brought into words before an engine gets them."""
    return language in _NORMALIZED


def audio_seconds(script: str, rate: float = USUAL_LETTERS_PER_SECOND, speed: float = 1.0) -> float:
    """Seconds of audio that one take of a script makes, to a tenth: its words, and the silence between them.

    `rate` is letters of words a second without silence, at speed 1. Silence that the text asks for is as
    long at every speed.
    """
    words = without_markup(script).strip()
    if not words:
        return 0.0
    paragraphs = words.count("\n\n")
    sentences = len(_SENTENCE.findall(words))
    silence_s = (
        paragraphs * _PARAGRAPH_S
        + max(sentences - paragraphs, 0) * _SENTENCE_S
        + len(_CLAUSE.findall(words)) * _CLAUSE_S
    )
    letters = sum(map(str.isalpha, words))
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


@lru_cache(maxsize=1024)  # who watches machines asks again and again for the jobs at hand
def _estimated(
    text: str, rate: float, pronounce: tuple[tuple[str, str], ...], speed: float, language: str
) -> float:
    script = text
    if is_normalized(language):
        script = normalize(text, lexicon=Lexicon(dict(pronounce))).script
    return audio_seconds(script, rate, speed)
