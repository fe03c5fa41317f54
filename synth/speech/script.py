"""The text of a request as it is to be spoken: words, sentence marks, and markup in its canonical form."""

from __future__ import annotations

from dataclasses import dataclass

from lib.textnorm import Lexicon, normalize
from lib.voices import is_normalized
from synth.speech.request import SpeakRequest

_MOST_WARNINGS = 20
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class SpokenScript:
    """What goes to the splitter, and what will not be read well."""

    text: str
    warnings: tuple[str, ...]


def script_of(request: SpeakRequest) -> SpokenScript:
    """The script of a request; the same text and pronunciation give the same."""
    if not is_normalized(request.voice.language):
        return SpokenScript(request.text, ())
    normalized = normalize(request.text, lexicon=Lexicon(request.pronounce))
    # Letters of other scripts are told by engine, further on: some engines do speak them.
    told = [warning for warning in normalized.warnings if warning.kind != "script"]
    warned = [
        f"{warning.written[:_LONGEST_SHOWN]!r}: {warning.message.rstrip('.')}; {warning.remedy.rstrip('.')}."
        for warning in told[:_MOST_WARNINGS]
    ]
    left = len(told) - len(warned)
    return SpokenScript(
        normalized.script, (*warned, *([f"{left} more warnings of the text."] if left else []))
    )
