"""Options that the commands of this program share."""

from __future__ import annotations

from typing import Annotated

import typer

EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="NAME", help="Engine of speakers; else VOICE_ENGINE.", show_default=False
    ),
]
