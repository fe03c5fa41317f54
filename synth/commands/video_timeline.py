"""`video-synth timeline`: a timeline of what a narration leaves behind."""

from __future__ import annotations

import json as json_text
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lib.cli.options import JsonOption
from lib.cli.output import emit_json, say
from lib.errors import BadConfiguration
from lib.files import write_whole
from synth.commands.video_options import need_video

EXAMPLES = ("video-synth timeline --narration voice.mp3 --pictures cards --captions voice.srt -o t.json",)


class VideoShape(StrEnum):
    """Width to height."""

    WIDE = "16:9"
    TALL = "9:16"
    SQUARE = "1:1"


class CaptionsShown(StrEnum):
    """How captions are shown."""

    BURNED = "burned"
    SOFT = "soft"
    BOTH = "both"
    OFF = "off"


def command(
    narration: Annotated[Path, typer.Option("--narration", metavar="FILE", help="The narration's audio.")],
    pictures: Annotated[
        Path, typer.Option("--pictures", metavar="DIR", help="Its pictures, one for each scene.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the timeline goes.")],
    captions: Annotated[
        Path | None,
        typer.Option(
            "--captions", metavar="FILE", help="Captions: .srt, .vtt or .captions.json.", show_default=False
        ),
    ] = None,
    beats: Annotated[
        Path | None,
        typer.Option(
            "--beats",
            metavar="FILE",
            help="A beatsheet, or the .chapters.json beside an episode: a scene for each.",
            show_default=False,
        ),
    ] = None,
    show: Annotated[CaptionsShown, typer.Option("--show", help="How captions are shown.")] = (
        CaptionsShown.BURNED
    ),
    shape: Annotated[VideoShape, typer.Option("--shape", help="Width to height.")] = VideoShape.WIDE,
    music: Annotated[
        Path | None,
        typer.Option("--music", metavar="FILE", help="Music under the narration.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write a timeline: which picture is shown when, for assemble. It may be edited by hand.

    Without beats, scenes are about equally long and begin where a sentence begins.
    """
    need_video()
    from synth.video.drafted_timeline import DraftOrder, draft_timeline

    order = DraftOrder(narration, pictures, captions, beats, shape, show, music, out.parent)
    drafted = draft_timeline(order)
    text = json_text.dumps(drafted, ensure_ascii=False, indent=2) + "\n"
    try:
        write_whole(out, text.encode(), sync=False)
    except OSError as error:
        raise BadConfiguration(f"{out} cannot be written: {error.strerror or error}.") from None
    if json:
        emit_json(drafted)
    else:
        scenes = len(drafted["scenes"])
        say(f"{out}  {'1 scene' if scenes == 1 else f'{scenes} scenes'}")
