"""`voice-synth verify`: whether audio that exists says a text, and is sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lib.cli.options import JsonOption
from lib.cli.output import emit_json, say
from lib.errors import ExitStatus
from synth import wiring
from synth.commands import options as o
from synth.commands.textfile import given_text

if TYPE_CHECKING:
    from synth.given_audio import VerifiedAudio

EXAMPLES = (
    'voice-synth verify intro.wav --text "Welcome to the show."',
    "voice-synth verify chapter-01.mp3 --text-file chapter-01.txt --json",
)

AudioArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Audio: WAV, FLAC, MP3, Opus, Vorbis.")]
VerifiedTextOption = Annotated[
    str | None,
    typer.Option(
        "--text", metavar="TEXT", help="What it should say; - is standard input.", show_default=False
    ),
]
SpokenByOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="What spoke it, for its usual pace; else that of most voices.",
        show_default=False,
    ),
]


def command(
    file: AudioArgument,
    text: VerifiedTextOption = None,
    text_file: o.TextFileOption = None,
    language: o.LanguageOption = "English",
    engine: SpokenByOption = None,
    speed: o.SpeedOption = 1.0,
    json: JsonOption = False,
) -> int:
    """Hold audio that exists against a text: its signal, and what a recogniser hears of it.

    Exit status 1 when it FAILED; 0 when it PASSED, and when it is UNVERIFIED: the signal is in order, and
    nobody compared it with the text, because no recogniser is installed or VERIFY is never.
    """
    written = given_text(text, text_file, "voice-synth verify FILE --text")
    from synth.given_audio import verify_audio  # the audio packages take longer than a wrong command line

    found = verify_audio(file, written, wiring.verifier(), language=language, engine=engine, speed=speed)
    if json:
        emit_json(found.to_json())
    else:
        _show(found)
    return ExitStatus.JOB_FAILED if found.verdict == "FAILED" else ExitStatus.OK


def _show(found: VerifiedAudio) -> None:
    loudness = "" if found.loudness_lufs is None else f", {found.loudness_lufs:.1f} LUFS"
    say(f"{found.path}: {found.verdict} ({found.seconds:.1f} s, {found.sample_rate} Hz{loudness})")
    if not found.faults:
        say(f"  {found.why}")
    elif found.heard is not None and not found.heard.ok:
        say(f"  {found.heard.why}")
    for fault in found.faults:
        say(f"  {fault.check}: {fault.why}")
