"""The words that an engine gets of a text: read by the front-end where that knows the language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lib.textnorm import Lexicon, Normalized, normalize
from lib.voices.languages import AUTO

#: What the front-end reads, as any case of it; a text in another language is its engine's own to read.
_NORMALIZED: Final = frozenset({"english", AUTO.casefold()})


def words_of(text: str, pronounce: Mapping[str, str] | None = None, language: str = "English") -> Normalized:
    """A text as its engine gets it, by how its words are said; one in another language stays as it is."""
    if language.casefold() not in _NORMALIZED:  # a job may write `english`
        return Normalized(text, text, text)
    return normalize(text, lexicon=Lexicon(pronounce or {}))
