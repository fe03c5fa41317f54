"""`video-synth animate`: pictures as silent clips."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lib.child import when_parent_exits
from lib.cli.options import JsonOption
from lib.cli.output import emit_json, say
from lib.cli.signals import signals_wait
from lib.units import seconds_text
from synth.commands import options as o
from synth.commands.video_options import frames_bar, need_video

EXAMPLES = ("video-synth animate clips.json --out-dir clips",)


def command(
    clips: Annotated[
        Path,
        typer.Argument(
            metavar="CLIPS",
            help="Which pictures, for how long: docs/reference/picture-orders.md.",
            show_default=False,
        ),
    ],
    out_dir: Annotated[Path, typer.Option("--out-dir", metavar="DIR", help="Where the clips go.")],
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=64,
            help="How many clips at once; else one for each core.",
            show_default=False,
        ),
    ] = None,
    exit_with_parent: o.ExitWithParentOption = False,
    json: JsonOption = False,
) -> None:
    """Make a silent clip of each picture of a list, with a slow move.

    Clips that the folder has of an earlier time and that still fit are not made again.
    """
    need_video()
    if exit_with_parent:
        when_parent_exits(lambda: os.kill(os.getpid(), signal.SIGTERM))
    from synth.video.clip_file import read_clips
    from synth.video.clips import make_clips

    with signals_wait() as ask, ExitStack() as screen:
        made = make_clips(read_clips(clips), out_dir, workers, frames_bar(screen, ask))
    new, seconds = sum(each.made for each in made), sum(each.seconds for each in made)
    if json:
        emit_json(
            {
                "folder": out_dir,
                "made": new,
                "kept": len(made) - new,
                "clips": [asdict(each) for each in made],
            }
        )
    else:
        say(f"{out_dir}  {len(made)} clips, {seconds_text(seconds)}, {new} of them made now")
