"""The words of a job as they will be spoken, and what of its text will not be read well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lib.jobspec import Draft, JobSpec, Problem, printable
from lib.textnorm import Normalized, Warned
from lib.voices import words_of

_SHOWN: Final = 40  # characters of what is written, in a warning
_MOST: Final = 5  # warnings of one text; a page of another language needs no more
_TEXTS: Final = ("text", "text_file", "narration")


def spoken_form(spec: JobSpec) -> Normalized:
    """The text of a job as its engine gets it; one in another language than English stays as it is."""
    return words_of(spec.text, spec.pronounce, spec.language)


def reading_warnings(file: str, draft: Draft, spoken: Normalized, told: frozenset[str]) -> Iterator[Problem]:
    """What will not be read well, with the line of the text and what to write instead.

    `told` are kinds that somebody else warns of, with the engine in view.
    """
    found = [warned for warned in spoken.warnings if warned.kind not in told]
    field = next((name for name in _TEXTS if name in draft.lines), "text")
    line = draft.lines.get(field, draft.line)
    for warned in found[:_MOST]:
        yield Problem(_message(warned), file, line, draft.label, field, _clause(warned.remedy))
    if len(found) > _MOST:
        more = len(found) - _MOST
        message = f"and {more} more of this text"
        yield Problem(message, file, line, draft.label, field, "`plan --spoken` shows them all")


def _message(warned: Warned) -> str:
    """The stretch and what will happen to it, as the part of a line."""
    written = " ".join(warned.written.split())
    shown = written if len(written) <= _SHOWN else written[: _SHOWN - 1] + "…"
    return f"{printable(shown)}: {_clause(warned.message)}"


def _clause(sentence: str) -> str:
    """A sentence as a part of another: a small letter first, no full stop."""
    text = sentence.rstrip(".")
    follows = text[1:2]
    return text[:1].lower() + text[1:] if follows.islower() or follows == " " else text
