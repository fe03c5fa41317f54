"""`voice-synth voices list`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.cli.options import JsonOption, VoicesDirOption
from lib.cli.output import Column, Table, emit_json, note
from lib.voices import catalogue
from synth import wiring
from synth.commands.options import EngineOption

EXAMPLES = ("voice-synth voices list",)


def command(
    voices_dir: VoicesDirOption = None, engine: EngineOption = None, json: JsonOption = False
) -> None:
    """List the registry's voices and the engine's speakers."""
    voices = wiring.voices(voices_dir, engine)
    found = catalogue.voice_rows(voices.registry())
    speakers = catalogue.speaker_rows(voices.engine)
    if json:
        emit_json({"engine": voices.engine, "voices": found, "speakers": speakers})
        return
    table = Table(
        [Column("name"), Column("kind"), Column("engine"), Column("sound"), Column("about", wrap=True)]
    )
    for row in found:
        about = row["problem"] or row["description"] or row["design"]
        table.row(row["name"], "voice", row.get("engine"), _sound(row), about)
    for row in speakers:
        if row["same_as"] is None:  # one row for each sound
            alike = [other["name"] for other in speakers if other["same_as"] == row["name"]]
            about = row["description"] + (f"; also called {' and '.join(alike)}" if alike else "")
            table.row(row["name"], "speaker", row["engine"], row["preset"], about)
    table.show()
    if kind := catalogue.kind_of_speakers(voices.engine):
        note(kind)


def _sound(row: Mapping[str, Any]) -> str | None:
    """What a voice is made from; None where its file is wrong."""
    if row["problem"] is not None:
        return None
    return row["builtin"] or ("clone" if row["design"] is None else "design")
