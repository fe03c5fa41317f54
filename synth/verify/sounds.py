"""The sounds of words, as two texts are compared by: what was sent and what was heard.

Each word is read by itself, so that other marks or neighbours, which a recogniser writes as it likes, make no
other sounds. Sounds that differ in stress alone, and those that careful speakers do not keep apart, are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Protocol

from lib.textnorm import normalize
from lib.voices import LINK, engine_facts
from synth.engines.hibari.text import readable

_WORD: Final = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*['’]?")
#: Taps and glottal stops are kinds of t; weak vowels are one; stress and length are no sounds.
_PLAIN: Final = str.maketrans(
    {"ɾ": "t", "ʔ": "t", "ᵊ": "ə", "ɐ": "ə", "ʌ": "ə", "ɜ": "ə", "ᵻ": "ɪ", "ɒ": "ɑ", "ɔ": "ɑ"}
)
_MOST_KEPT: Final = 20_000  # words whose sounds are kept: some megabytes


@dataclass(frozen=True, slots=True)
class SoundedWord:
    """A word and its sounds, one sign each; a word without any has none.

    Of a written text it says `[start:end]`, alone or with others.
    """

    text: str
    sounds: str
    start: int = 0
    end: int = 0


class SoundReader(Protocol):
    """Reads texts of one language."""

    def sent(self, script: str) -> list[SoundedWord]:
        """The words of a script as it goes to an engine; `[word](/phonemes/)` has those sounds."""
        ...

    def heard(self, text: str) -> list[SoundedWord]:
        """The words of what a recogniser wrote, with numbers and abbreviations as they are said."""
        ...


class EnglishSounds:
    """English, by the dictionary of hibari, which comes with the program.

    Not safe for use by several threads at once. Loads about a second's worth of tables at the first word.
    """

    def __init__(self) -> None:
        self._facts = engine_facts("hibari")
        self._dictionary: Any = None
        self._sounds = lru_cache(maxsize=_MOST_KEPT)(self._read)

    def sent(self, script: str) -> list[SoundedWord]:
        """See SoundReader. Never fails: what the dictionary cannot read has no sounds."""
        return list(self._words(readable(script, self._facts)))

    def heard(self, text: str) -> list[SoundedWord]:
        """See SoundReader. Never fails."""
        found: list[SoundedWord] = []
        done = 0
        for change in sorted(normalize(text).changes, key=lambda each: (each.start, -each.end)):
            if change.start < done:  # inside of one that is said as a whole
                continue
            found += self._placed(text[done : change.start], done)
            found += [replace(word, start=change.start, end=change.end) for word in self.sent(change.spoken)]
            done = change.end
        return found + self._placed(text[done:], done)

    def _placed(self, text: str, at: int) -> list[SoundedWord]:
        """The words of a part that is said as it is written."""
        return [
            SoundedWord(word[0], self._sounds(word[0]), at + word.start(), at + word.end())
            for word in _WORD.finditer(text)
        ]

    def _words(self, text: str) -> Iterator[SoundedWord]:
        at = 0
        for link in LINK.finditer(text):
            yield from self._plain_words(text[at : link.start()])
            yield SoundedWord(link[1], _plain_sounds(link[2]))
            at = link.end()
        yield from self._plain_words(text[at:])

    def _plain_words(self, text: str) -> Iterator[SoundedWord]:
        for word in _WORD.findall(text):
            yield SoundedWord(word, self._sounds(word))

    def _read(self, word: str) -> str:
        if self._dictionary is None:
            from hibari.g2p import G2P

            self._dictionary = G2P()
        try:
            return _plain_sounds(self._dictionary(word, normalize_text=False))
        except Exception:  # whatever the package raises over a word: it has no sounds then, in either text
            return ""


def _plain_sounds(phonemes: str) -> str:
    return "".join(char for char in phonemes.translate(_PLAIN) if char.isalpha() and char not in "ˈˌː")
