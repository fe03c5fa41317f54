"""The program that draws: `image-synth`."""

from __future__ import annotations

from typing import NoReturn

from lib.cli.program import CommandEntry, Program, installed_version

COMMANDS = (
    CommandEntry("generate", "synth.commands.image_generate", "Draw one picture into a file."),
    CommandEntry("draw", "synth.commands.image_draw", "Draw a list of pictures into a folder."),
    CommandEntry("usage", "synth.commands.image_usage", "What generated pictures took and cost."),
    CommandEntry("worker", "synth.commands.image_worker", "Draw what rows of imagen.jobs ask for."),
    CommandEntry("init-db", "synth.commands.image_init_db", "Make the tables of pictures."),
)

PROGRAM = Program(
    name="image-synth",
    help="Draw pictures from prompts.",
    version=installed_version,
    commands=COMMANDS,
    elsewhere={"speak": "voice-synth speak", "enqueue": "job-runner enqueue"},
    examples=('image-synth generate "A lighthouse in the fog." --out lighthouse.png',),
)


def main() -> NoReturn:
    """Run the command line."""
    PROGRAM.main()


if __name__ == "__main__":
    main()
