"""The words of a request: what every engine gets instead of the text as it was written."""

from __future__ import annotations

from typing import Final

from lib.textnorm import normalize
from lib.voices import AUTO
from synth.speech.request import SpeakRequest

#: The front-end reads English; a text in another language is the engine's own to read.
_LANGUAGES: Final = frozenset({"English", AUTO})
_MOST_WARNINGS: Final = 20


def words_of(request: SpeakRequest) -> tuple[str, list[str]]:
    """The script for the splitter and the engine, and what will not be read well, a sentence each."""
    if request.voice.language not in _LANGUAGES:
        return request.text, []
    read = normalize(request.text)
    # Letters of other scripts are told by engine, further on: some engines do speak them.
    told = [warning for warning in read.warnings if warning.kind != "script"]
    sentences = [f"{warning.written[:40]!r}: {warning.message}" for warning in told[:_MOST_WARNINGS]]
    if len(told) > _MOST_WARNINGS:
        sentences.append(f"{len(told) - _MOST_WARNINGS} other places of the text will not be read well.")
    return read.script, sentences
