"""The programs that play audio on this machine: the first of them that is there does it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.child import exit_sentence
from lib.errors import JobFailed

_ANY: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class AudioPlayer:
    """One program, its options, and the formats it plays; empty for all of ours."""

    program: str
    options: tuple[str, ...] = ()
    formats: frozenset[str] = _ANY

    def plays(self, audio_format: str) -> bool:
        """Whether it can play a file of that format."""
        return not self.formats or audio_format in self.formats


_LIBSNDFILE: Final = frozenset({"wav", "flac", "mp3", "opus"})

#: In the order in which they are looked for. Each ends when the audio does, and shows no window.
PLAYERS: Final = (
    AudioPlayer("ffplay", ("-hide_banner", "-loglevel", "error", "-nodisp", "-autoexit")),
    AudioPlayer("mpv", ("--no-video", "--really-quiet")),
    AudioPlayer("cvlc", ("--quiet", "--play-and-exit")),
    AudioPlayer("pw-play", (), _LIBSNDFILE),
    AudioPlayer("paplay", (), frozenset({"wav", "flac"})),
    AudioPlayer("aplay", ("-q",), frozenset({"wav"})),
    AudioPlayer("afplay", (), frozenset({"wav", "flac", "mp3"})),
    AudioPlayer("play", ("-q",), frozenset({"wav", "flac", "mp3"})),  # of SoX
)


def player_for(audio_format: str) -> AudioPlayer | None:
    """The first player of this machine that plays the format; None where there is none."""
    found = (player for player in PLAYERS if player.plays(audio_format))
    return next((player for player in found if shutil.which(player.program)), None)


def play(player: AudioPlayer, file: Path) -> None:
    """Play the file to its end. What the player says goes to our stderr.

    Raises:
        JobFailed: the player failed; the sentence says where the file is.
        KeyboardInterrupt: it was interrupted, and so was the player.
    """
    done = subprocess.run(
        [player.program, *player.options, str(file.absolute())], stdout=sys.stderr, check=False
    )
    if done.returncode != 0:
        raise JobFailed(
            f"{player.program} could not play {file}: it ended with {exit_sentence(done.returncode)}. "
            "Open that file with another player."
        )
