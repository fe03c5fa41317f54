"""`voice-synth normalize`: a text as it will be spoken, seen before it is heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lib.cli.options import JsonOption
from lib.cli.output import emit_json, emit_json_lines, say, warn
from lib.errors import UsageError
from lib.voices import DEFAULT_ENGINE, PAUSE, phoneme_warnings
from synth.commands import options as o
from synth.commands.textfile import given_text

if TYPE_CHECKING:
    from lib.textnorm import Normalized


EXAMPLES = (
    "voice-synth normalize 'It costs $5.'",
    "voice-synth normalize --text-file intro.txt --json",
)


def command(
    text: o.TextArgument = None,
    text_option: o.TextOption = None,
    text_file: o.TextFileOption = None,
    lines: o.LinesOption = False,
    json: JsonOption = False,
) -> None:
    """Print a text as it will be spoken, and each change with its class and place."""
    if text is not None and text_option is not None:
        raise UsageError("Give the text once: as TEXT or with --text.")
    if text_option is None or text_file is not None:
        written = given_text(text_option if text is None else text, text_file, "voice-synth normalize")
    else:
        written = text_option  # just as it stands, a dash or the name of a file too
    if lines:
        emit_json_lines(_shape(_read(line)) for line in _lines(written))
    elif json:
        emit_json(_shape(_read(written)))
    else:
        _tell(_read(written))


def _read(text: str) -> Normalized:
    """The text in words; phonemes that the usual engine cannot say are among the warnings."""
    from lib.textnorm import normalize

    read = normalize(text)
    unsaid = phoneme_warnings(text, DEFAULT_ENGINE)
    if not unsaid:
        return read
    return replace(read, warnings=tuple(sorted((*read.warnings, *unsaid), key=lambda each: each.start)))


def _lines(text: str) -> list[str]:
    """Each line, an empty one too, so that they can be counted; none after the last line end."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _shape(read: Normalized) -> dict[str, Any]:
    return {
        "written": read.written,
        "spoken": read.spoken,
        "changes": [
            {
                "written": change.written,
                "spoken": change.spoken,
                "kind": change.kind,
                "start": change.start,
                "end": change.end,
            }
            for change in read.changes
        ],
        "warnings": [
            {
                "kind": warning.kind,
                "written": warning.written,
                "start": warning.start,
                "end": warning.end,
                "message": warning.message,
                "remedy": warning.remedy,
            }
            for warning in read.warnings
        ],
    }


def _tell(read: Normalized) -> None:
    for warning in read.warnings:
        warn(f"{_place(read.written, warning.start)}: {warning.message} {warning.remedy}")
    for paragraph in read.spoken.split("\n\n"):
        say(paragraph)
    for start, kind, written, happens in sorted(_told(read)):
        say(f'  {_place(read.written, start)}  {kind}: "{" ".join(written.split())}" {happens}')


def _told(read: Normalized) -> Iterator[tuple[int, str, str, str]]:
    """Where each change stands, its class, what is written there and what is heard of it."""
    silences = iter(PAUSE.findall(read.script))
    for change in read.changes:
        if change.kind == "pause":
            happens = f"{next(silences, '')} s of silence"
        else:
            happens = f'as "{change.spoken}"' if change.spoken else "left out"
        yield change.start, change.kind, change.written, happens
    for warning in read.warnings:
        if warning.kind == "script":
            yield warning.start, warning.kind, warning.written, "left out by a voice of English"


def _place(text: str, at: int) -> str:
    """Line and column, from 1."""
    return f"{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"
