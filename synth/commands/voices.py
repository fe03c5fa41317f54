"""`voice-synth voices`: what can speak here, and what is added to it."""

from __future__ import annotations

from lib.cli.program import CommandEntry

COMMANDS = [
    CommandEntry("list", "synth.commands.voices_list", "List voices and speakers."),
    CommandEntry("show", "synth.commands.voices_show", "Show one voice or speaker."),
    CommandEntry(
        "add", "synth.commands.voices_add", "Add a voice: a recording to clone, a description, or a preset."
    ),
    CommandEntry("verify", "synth.commands.voices_verify", "Look closely at voices: consent, files, sound."),
    CommandEntry("preview", "synth.commands.voices_preview", "Hear a voice say a sentence."),
    CommandEntry(
        "audition", "synth.commands.voices_audition", "Hear all voices, and compare them on a page."
    ),
]
EXAMPLES = (
    "voice-synth voices list",
    "voice-synth voices show Ryan",
    "voice-synth voices verify",
    "voice-synth voices preview newsroom",
    "voice-synth voices audition",
)
