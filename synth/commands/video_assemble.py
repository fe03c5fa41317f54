"""`video-synth assemble`: a timeline as an mp4."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lib.child import when_parent_exits
from lib.cli.options import JsonOption
from lib.cli.output import emit_json, say, warn
from lib.cli.signals import signals_wait
from lib.errors import UsageError
from lib.units import bytes_text, seconds_text
from synth.commands import options as o
from synth.commands.video_options import frames_bar, need_video

if TYPE_CHECKING:
    from synth.video.assemble import AssembledVideo

EXAMPLES = ("video-synth assemble timeline.json --out episode.mp4",)


PosterOption = Annotated[
    Path | None,
    typer.Option(
        "--poster", metavar="FILE", help="Its poster, .jpg or .png; else beside it.", show_default=False
    ),
]
WorkOption = Annotated[
    Path | None,
    typer.Option(
        "--work",
        metavar="DIR",
        help="Where finished pieces are kept; else a hidden folder beside it.",
        show_default=False,
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=64,
        help="How many pieces at once; else one for each core.",
        show_default=False,
    ),
]


def command(
    timeline: Annotated[
        Path,
        typer.Argument(
            metavar="TIMELINE",
            help="What to show when, in JSON or YAML: docs/reference/timeline.md.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the mp4 goes.")],
    poster: PosterOption = None,
    preview: Annotated[
        bool, typer.Option("--preview/--no-preview", help="Make a small one of 480 lines, too.")
    ] = True,
    work: WorkOption = None,
    workers: WorkersOption = None,
    exit_with_parent: o.ExitWithParentOption = False,
    json: JsonOption = False,
) -> None:
    """Make a video of pictures, narration, captions and music.

    Pieces of a video that was made before, or was interrupted, are used again where nothing of them changed.
    """
    _check_names(out, poster)
    need_video()
    if exit_with_parent:
        when_parent_exits(lambda: os.kill(os.getpid(), signal.SIGTERM))
    from synth.video.assemble import AssemblyOptions, assemble
    from synth.video.timeline import read_timeline

    options = AssemblyOptions(work, preview, poster, workers)
    with signals_wait() as ask, ExitStack() as screen:
        made = assemble(read_timeline(timeline), out, options, frames_bar(screen, ask))
    if json:
        emit_json(made.to_json())
    else:
        _tell(made)


def _check_names(out: Path, poster: Path | None) -> None:
    if out.suffix.lower() != ".mp4":
        raise UsageError(f"--out {out} must end in .mp4.")
    if poster is not None and poster.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise UsageError(f"--poster {poster} must end in .jpg or .png.")


def _tell(made: AssembledVideo) -> None:
    for warning in made.warnings:
        warn(warning)
    size = f"{made.timeline.width}x{made.timeline.height}"
    loud = "silent" if made.levels.lufs is None else f"{made.levels.lufs:.1f} LUFS"
    scenes = len(made.timeline.scenes)
    new = f"{made.scenes_made} of {scenes} scenes made"
    length = seconds_text(made.frames / made.timeline.fps)
    say(f"{made.video.file}  {length}  {size}  {loud}  {bytes_text(made.video.bytes)}  {new}")
    for each in made.beside.values():
        say(str(each.file))
