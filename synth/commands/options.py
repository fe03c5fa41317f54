"""Options of this program's commands, named so that signatures stay readable."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Profile(StrEnum):
    """How much care a job is worth; engines map it to model size and sampling."""

    fast = "fast"
    balanced = "balanced"
    quality = "quality"


class AudioFormat(StrEnum):
    """Containers that can be written."""

    wav = "wav"
    flac = "flac"
    mp3 = "mp3"
    opus = "opus"


EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="NAME", help="Engine of speakers; else VOICE_ENGINE.", show_default=False
    ),
]
PronounceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pronounce",
        metavar="WORD=SAYING",
        help="How a word is said, in other words or as /phonemes/; may be repeated.",
        show_default=False,
    ),
]
LexiconOption = Annotated[
    Path | None,
    typer.Option(
        "--lexicon", metavar="FILE", help="A file of such words, a line for each.", show_default=False
    ),
]
SpeedOption = Annotated[
    float, typer.Option("--speed", min=0.5, max=2.0, help="1.1 is a tenth quicker; if the engine can.")
]
PausesOption = Annotated[
    str | None,
    typer.Option(
        "--pauses",
        metavar="SECONDS",
        help="Silence after a clause, a sentence and a paragraph, as 0.2,0.45,0.9; else VOICE_PAUSES.",
        show_default=False,
    ),
]
TextArgument = Annotated[
    str | None,
    typer.Argument(metavar="TEXT", help="The text itself; - reads standard input.", show_default=False),
]
TextFileOption = Annotated[
    Path | None,
    typer.Option("--text-file", metavar="FILE", help="Or a file that holds it, UTF-8.", show_default=False),
]
TextOption = Annotated[
    str | None, typer.Option("--text", metavar="TEXT", help="The same as TEXT.", show_default=False)
]
LinesOption = Annotated[
    bool, typer.Option("--lines", help="Each line is a text; print a JSON object for each.")
]
OutOption = Annotated[
    Path, typer.Option("--out-exact", metavar="PATH", help="Where the audio goes, without its suffix.")
]
RecordOption = Annotated[
    Path | None,
    typer.Option("--json-result", metavar="FILE", help="Write the record here.", show_default=False),
]
VoiceOption = Annotated[
    str | None, typer.Option("--voice", metavar="NAME", help="A voice of the registry.", show_default=False)
]
SpeakerOption = Annotated[
    str | None,
    typer.Option(
        "--speaker", metavar="NAME", help="A speaker of the engine; else its first.", show_default=False
    ),
]
LanguageOption = Annotated[str, typer.Option("--language", metavar="NAME", help="The language.")]
ProfileOption = Annotated[Profile, typer.Option("--profile", help="Speed against care.")]
VariantsOption = Annotated[int, typer.Option("--variants", min=1, max=16, help="How many takes.")]
SelectBestOption = Annotated[
    bool, typer.Option("--select-best", help="Choose the take with the best measures.")
]
ChunkOption = Annotated[bool, typer.Option("--chunk", help="Allow long texts.")]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Fix the takes.", show_default=False)]
FormatOption = Annotated[AudioFormat, typer.Option("--format", help="The file format.")]
LoudnessOption = Annotated[
    str, typer.Option("--loudness", metavar="LUFS", help="-16, -19, -23 or another level, or off.")
]
SampleRateOption = Annotated[
    int | None,
    typer.Option("--sample-rate", metavar="HZ", help="48000, say; else the engine's.", show_default=False),
]
TitleOption = Annotated[
    str | None,
    typer.Option(
        "--title", metavar="TEXT", help="Title in the file's tags; else its name.", show_default=False
    ),
]
AlbumOption = Annotated[
    str, typer.Option("--album", metavar="TEXT", help="Album in the file's tags.", show_default=False)
]
CaptionsOption = Annotated[
    bool, typer.Option("--captions", help="Write captions (SRT, VTT, JSON) beside the audio.")
]
PeaksOption = Annotated[
    bool, typer.Option("--peaks", help="Write the waveform for players beside the audio.")
]
SpoolOption = Annotated[
    Path, typer.Option("--spool", metavar="DIR", help="The spool folder; made if missing.")
]
ExitWithParentOption = Annotated[
    bool, typer.Option("--exit-with-parent", help="Stop when standard input ends.")
]
GraceOption = Annotated[
    float, typer.Option("--grace", metavar="SECONDS", min=0.0, help="After SIGTERM, for the job at hand.")
]
JsonLinesOption = Annotated[
    bool, typer.Option("--json", help="Print a JSON value on stdout for each job that ended.")
]
OnceOption = Annotated[bool, typer.Option("--once", help="Stop when the inbox is empty.")]
