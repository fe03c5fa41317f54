"""`voice-synth voices`: what can speak here."""

from __future__ import annotations

from lib.cli.program import CommandEntry

COMMANDS = [
    CommandEntry("list", "synth.commands.voices_list", "List voices and speakers."),
    CommandEntry("show", "synth.commands.voices_show", "Show one voice or speaker."),
]
EXAMPLES = (
    "voice-synth voices list",
    "voice-synth voices show Ryan",
)
