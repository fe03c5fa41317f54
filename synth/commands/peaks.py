"""`voice-synth peaks`: the waveform of an audio file, for players."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from lib.child import when_parent_exits
from lib.cli.options import JsonOption
from lib.cli.output import emit_json, say
from lib.errors import BadConfiguration
from lib.files import write_whole
from lib.foreign import parse_json
from lib.jobspec.names import PEAKS_SUFFIX
from synth.commands import options as o

EXAMPLES = ("voice-synth peaks voiceover.mp3", "voice-synth peaks voiceover.mp3 --out wave.json")


def command(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Audio: WAV, FLAC, MP3, Ogg or Opus.", show_default=False),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help=f"Where it goes; else beside the audio, as NAME.{PEAKS_SUFFIX}.",
            show_default=False,
        ),
    ] = None,
    exit_with_parent: o.ExitWithParentOption = False,
    json: JsonOption = False,
) -> None:
    """Write the waveform of an audio file: the lowest and highest level of each part, as players draw it.

    The format is that of audiowaveform, version 2. A long file has longer parts, 15,000 at most.
    """
    if exit_with_parent:
        when_parent_exits(lambda: os.kill(os.getpid(), signal.SIGTERM))
    from synth.audio.peaks import peaks_of_file

    data = peaks_of_file(file)
    place = file.with_suffix(f".{PEAKS_SUFFIX}") if out is None else out
    try:
        write_whole(place, data, sync=False)
    except OSError as error:
        raise BadConfiguration(f"The waveform {place} cannot be written: {error.strerror}.") from None
    if json:
        emit_json({"file": str(place), "parts": parse_json(data)["length"]})
    else:
        say(str(place))
