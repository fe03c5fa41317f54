"""Stands where `lib.textnorm` will: it brings a lexicon into the text, and changes nothing else.

Its names and their meaning are those of `lib.textnorm`; only `synth.speech.script` imports them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lib.voices import LINK, PAUSE, without_markup


@dataclass(frozen=True)
class Lexicon:
    """Words and how they are said: a respelling, or /phonemes/."""

    entries: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Any of its words, whole, the longest first; and markup, which is passed over."""
        words = sorted(self.entries, key=len, reverse=True)
        parts = [rf"(?i:{re.escape(word)})" if word.islower() else re.escape(word) for word in words]
        return re.compile(rf"{PAUSE.pattern}|{LINK.pattern}|(?<!\w)(?:{'|'.join(parts)})(?!\w)")

    def saying(self, written: str) -> str | None:
        """How a word is said; None when it has no entry."""
        exact = self.entries.get(written)
        return self.entries.get(written.lower()) if exact is None else exact


@dataclass(frozen=True, slots=True)
class Warned:
    """What will not be read well."""

    kind: str
    written: str
    start: int
    end: int
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Normalized:
    """A text and what is to be spoken of it."""

    written: str
    script: str
    spoken: str
    warnings: tuple[Warned, ...] = ()


def normalize(text: str, *, lexicon: Lexicon = Lexicon()) -> Normalized:  # frozen
    """The text with the words of the lexicon as it says them."""
    script = text
    if lexicon.entries:

        def said(match: re.Match[str]) -> str:
            written = match.group()
            saying = None if written.startswith("[") else lexicon.saying(written)
            if saying is None:
                return written
            return f"[{written}]({saying})" if saying.startswith("/") else saying

        script = lexicon.pattern.sub(said, text)
    return Normalized(text, script, without_markup(script))
