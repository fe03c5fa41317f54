"""The program that speaks: `voice-synth`."""

from __future__ import annotations

from typing import NoReturn

from lib.cli.program import CommandEntry, Program, installed_version

COMMANDS = (
    CommandEntry("speak", "synth.commands.speak", "Speak one text into an audio file."),
    CommandEntry(
        "work", "synth.commands.work", "Serve a spool folder: keep the model loaded, speak its jobs."
    ),
    CommandEntry("join", "synth.commands.join", "Join finished audio into one file, with chapters."),
    CommandEntry("page", "synth.commands.page", "Make pages to listen to, beside their audio."),
    CommandEntry("verify", "synth.commands.verify", "Hold audio that exists against a text."),
    CommandEntry("normalize", "synth.commands.normalize", "Show a text as it will be spoken."),
    CommandEntry("caption", "synth.commands.caption", "Write the captions of spoken jobs again."),
    CommandEntry("peaks", "synth.commands.peaks", "Write the waveform of an audio file, for players."),
    CommandEntry("bench", "synth.commands.bench", "Measure how fast engines speak here."),
    CommandEntry("doctor", "synth.commands.doctor", "What keeps an engine from speaking here."),
    CommandEntry(
        "voices", "synth.commands.voices", "The voices and speakers there are; add, verify and hear them."
    ),
)

#: What people look for here, and where it is.
ELSEWHERE = {
    "say": "voice-synth speak",
    "plan": "job-runner plan",
    "enqueue": "job-runner enqueue",
    "up": "job-runner up",
}

PROGRAM = Program(
    name="voice-synth",
    help="Turn text into finished speech audio.",
    version=installed_version,
    commands=COMMANDS,
    elsewhere=ELSEWHERE,
    examples=('voice-synth speak "Welcome to the show."', "voice-synth voices list"),
)


def main() -> NoReturn:
    """Run the command line."""
    PROGRAM.main()


if __name__ == "__main__":
    main()
