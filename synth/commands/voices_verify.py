"""`voice-synth voices verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lib.cli.options import JsonOption, VoicesDirOption
from lib.cli.output import Column, Table, emit_json, error
from lib.errors import BadInput, ExitStatus
from synth import wiring

if TYPE_CHECKING:
    from synth.registered_voices import VerifiedVoice

EXAMPLES = ("voice-synth voices verify", "voice-synth voices verify jo")

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Voices of the registry; else all of them.", show_default=False),
]


def command(names: NamesArgument = None, voices_dir: VoicesDirOption = None, json: JsonOption = False) -> int:
    """Look at voices closely: consent, files, hashes, and how each recording sounds.

    Exit status 65 when anything is wrong; every problem is a line that says what to do.
    """
    from synth.registered_voices import verify_voices

    found = verify_voices(wiring.voices(voices_dir, None).registry(), names or ())
    count = sum(len(voice.problems) for voice in found)
    if json:
        emit_json({"voices": [voice.to_json() for voice in found], "problems": count})
    else:
        _show(found)
    if not count:
        return ExitStatus.OK
    head = f"{count} problem{'' if count == 1 else 's'}; no job is spoken with a voice that has one."
    error("\n".join([head, *(f"  {item.message}" for voice in found for item in voice.problems)]))
    return BadInput.exit_status


def _show(found: tuple[VerifiedVoice, ...]) -> None:
    table = Table([Column("name"), Column("engine"), Column("recording"), Column("state")])
    for voice in found:
        heard = voice.recording
        table.row(
            voice.name,
            voice.voice.engine if voice.voice else None,
            f"{heard.seconds:.1f} s, {heard.file_format}, {heard.sample_rate} Hz" if heard else None,
            ", ".join(item.reason for item in voice.problems) or "ok",
        )
    table.show()
