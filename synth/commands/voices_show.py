"""`voice-synth voices show NAME`."""

from __future__ import annotations

from typing import Annotated

import typer

from lib.cli.options import JsonOption, VoicesDirOption
from lib.cli.output import emit_json, note, show_fields
from lib.voices import catalogue
from synth import wiring
from synth.commands.options import EngineOption

EXAMPLES = ("voice-synth voices show Ryan",)


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A voice or a speaker.", show_default=False)],
    voices_dir: VoicesDirOption = None,
    engine: EngineOption = None,
    json: JsonOption = False,
) -> None:
    """Show one voice of the registry, or one speaker of the engine."""
    voices = wiring.voices(voices_dir, engine)
    row = catalogue.find(name, voices.registry(), voices.engine)
    if json:
        emit_json(row)
        return
    shown = {key: value for key, value in row.items() if key != "one_voice"}  # which is told as a sentence
    show_fields({key: ", ".join(v) if isinstance(v, list) else v for key, v in shown.items()})
    if row.get("one_voice") and (kind := catalogue.kind_of_speakers(voices.engine)):
        note(kind)
