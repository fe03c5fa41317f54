"""The text of a request as it is to be spoken: words, sentence marks, and markup in its canonical form."""

from __future__ import annotations

from dataclasses import dataclass

from lib.textnorm import Normalized
from lib.voices import words_of
from synth.speech.request import SpeakRequest

_MOST_WARNINGS = 20
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class SpokenScript:
    """What goes to the splitter, and what will not be read well."""

    normalized: Normalized
    warnings: tuple[str, ...]

    @property
    def text(self) -> str:
        """What goes to the splitter."""
        return self.normalized.script


def script_of(request: SpeakRequest) -> SpokenScript:
    """The script of a request; the same text and pronunciation give the same."""
    normalized = words_of(request.text, request.pronounce, request.voice.language)
    # Letters of other scripts are told by engine, further on: some engines do speak them.
    told = [warning for warning in normalized.warnings if warning.kind != "script"]
    warned = [
        f"{warning.written[:_LONGEST_SHOWN]!r}: {warning.message.rstrip('.')}; {warning.remedy.rstrip('.')}."
        for warning in told[:_MOST_WARNINGS]
    ]
    left = len(told) - len(warned)
    return SpokenScript(normalized, (*warned, *([f"{left} more warnings of the text."] if left else [])))
