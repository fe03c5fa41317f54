"""`voice-synth caption`: the captions of a spoken job, rendered again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lib.cli.options import JsonOption
from lib.cli.output import emit_json, say

EXAMPLES = (
    "voice-synth caption topic/beat-001/result.json --max-chars 32",
    "voice-synth caption topic/*.captions.json --format vtt",
)


class CaptionFormat(StrEnum):
    """What captions are written as."""

    srt = "srt"
    vtt = "vtt"
    json = "json"


RecordsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="RESULT_JSON", help="Records of spoken jobs, or files .captions.json."),
]
CaptionFormatOption = Annotated[
    list[CaptionFormat] | None,
    typer.Option("--format", help="Only this format; may be repeated.", show_default=False),
]
MaxCharsOption = Annotated[
    int, typer.Option("--max-chars", metavar="N", min=12, max=200, help="The longest line.")
]
CaptionFolderOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write them there; else beside the audio.", show_default=False),
]


def command(
    records: RecordsArgument,
    caption_format: CaptionFormatOption = None,
    max_chars: MaxCharsOption = 42,
    out: CaptionFolderOption = None,
    json: JsonOption = False,
) -> None:
    """Write the captions of spoken jobs again: in other formats, or with other lines.

    The times are those of the record; where narrower lines need more cues, these are estimated.
    """
    from synth.caption_files import caption_again

    suffixes = [
        "captions.json" if each is CaptionFormat.json else each.value
        for each in dict.fromkeys(caption_format or CaptionFormat)
    ]
    made = caption_again(records, suffixes, max_chars, out)
    if json:
        emit_json({"files": [file.to_json() for file in made]})
        return
    for file in made:
        say(f"{file.path}  {file.cues} cue{'' if file.cues == 1 else 's'}")
