"""Options and arguments that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value on stdout.")]
RedisUrlOption = Annotated[
    str | None,
    typer.Option(
        "--redis-url",
        metavar="URL",
        help="The Redis server; else REDIS_URL, else the embedded server.",
        show_default=False,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Follow the jobs to their end.")]
JobFileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A job file (YAML) or a beatsheet (JSON); - reads standard input.",
        show_default=False,
    ),
]
VoiceOption = Annotated[
    str | None,
    typer.Option("--voice", metavar="NAME", help="Voice of beats that name nobody.", show_default=False),
]
SpeakerOption = Annotated[
    str | None,
    typer.Option("--speaker", metavar="NAME", help="Or a speaker of the engine.", show_default=False),
]
RequestIdsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="REQUEST_ID",
        help="Ids of jobs; topic/ stands for all jobs of a topic.",
        show_default=False,
    ),
]
OfFileOption = Annotated[
    Path | None,
    typer.Option(
        "--file", "-f", metavar="FILE", help="The jobs of this job file or beatsheet.", show_default=False
    ),
]
VoicesDirOption = Annotated[
    Path | None,
    typer.Option(
        "--voices-dir", metavar="DIR", help="Folder of voices; else VOICES_DIR.", show_default=False
    ),
]
