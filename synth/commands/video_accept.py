"""`video-synth accept`: whether a finished video may go out."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from lib.child import when_parent_exits
from lib.cli.options import JsonOption
from lib.cli.output import emit_json, say, say_state
from lib.errors import ExitStatus, UsageError
from synth.commands import options as o
from synth.commands.video_options import need_video

EXAMPLES = ("video-synth accept episode.mp4 --narration voiceover.mp3",)


NarrationOption = Annotated[
    Path | None,
    typer.Option(
        "--narration",
        metavar="FILE",
        help="The narration it is made of; with it, pauses that were spoken are no fault.",
        show_default=False,
    ),
]
CaptionsFileOption = Annotated[
    Path | None,
    typer.Option(
        "--captions",
        metavar="FILE",
        help="Its captions; else its own track, else the .srt beside it.",
        show_default=False,
    ),
]


def command(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The mp4 to check.", show_default=False)],
    narration: NarrationOption = None,
    captions: CaptionsFileOption = None,
    no_captions: Annotated[bool, typer.Option("--no-captions", help="It has none, and needs none.")] = False,
    loudness: Annotated[
        float,
        typer.Option("--loudness", metavar="LUFS", min=-40.0, max=-8.0, help="How loud it is to be."),
    ] = -14.0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Where the results go; else acceptance_results.json beside it.",
            show_default=False,
        ),
    ] = None,
    exit_with_parent: o.ExitWithParentOption = False,
    json: JsonOption = False,
) -> int:
    """Check a video: streams, length, black frames, silence, clipping, loudness, captions.

    Exit status 1 where a check fails; the results are written all the same.
    """
    if no_captions and captions is not None:
        raise UsageError("--no-captions stands beside --captions; give one of the two.")
    need_video()
    if exit_with_parent:
        when_parent_exits(lambda: os.kill(os.getpid(), signal.SIGTERM))
    from synth.video.acceptance import AcceptanceTerms, accept, write_results

    results = accept(video, AcceptanceTerms(narration, captions, not no_captions, loudness))
    write_results(results, out or video.with_name("acceptance_results.json"))
    if json:
        emit_json(results.to_json())
    else:
        width = max(len(check.name) for check in results.checks)
        for check in results.checks:
            say_state(
                "done" if check.passed else "failed", f"{check.name.ljust(width)}  {check.sentence}", pad=8
            )
        say(f"{video}: {'accepted' if results.passed else 'not accepted'}")
    return ExitStatus.OK if results.passed else ExitStatus.JOB_FAILED
