"""The program that makes videos: `video-synth`."""

from __future__ import annotations

from typing import NoReturn

from lib.cli.program import CommandEntry, Program, installed_version

COMMANDS = (
    CommandEntry(
        "timeline", "synth.commands.video_timeline", "Write a timeline from captions, beats and pictures."
    ),
    CommandEntry(
        "assemble", "synth.commands.video_assemble", "Make an mp4 of pictures, narration and captions."
    ),
    CommandEntry("animate", "synth.commands.video_animate", "Make a silent clip of each picture of a list."),
    CommandEntry("accept", "synth.commands.video_accept", "Check a finished video, and say what is wrong."),
)

#: What people look for here, and where it is.
ELSEWHERE = {
    "speak": "voice-synth speak",
    "join": "voice-synth join",
    "generate": "image-synth generate",
    "caption": "voice-synth caption",
}

PROGRAM = Program(
    name="video-synth",
    help="Turn pictures and narration into finished videos.",
    version=installed_version,
    commands=COMMANDS,
    elsewhere=ELSEWHERE,
    examples=("video-synth assemble timeline.json --out episode.mp4", "video-synth accept episode.mp4"),
)


def main() -> NoReturn:
    """Run the command line."""
    PROGRAM.main()


if __name__ == "__main__":
    main()
