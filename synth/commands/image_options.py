"""Options of `image-synth`, named so that signatures stay readable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PromptArgument = Annotated[
    str,
    typer.Argument(metavar="PROMPT", help="What to draw; - reads standard input.", show_default=False),
]
OutOption = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where it goes, as .png.")]
BackendOption = Annotated[
    str | None,
    typer.Option("--backend", metavar="NAME", help="Who draws; else IMAGEN_BACKEND.", show_default=False),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help="A style: photo, illustration, storyboard, cinematic, diagram or texture.",
        show_default=False,
    ),
]
WidthOption = Annotated[int, typer.Option("--width", help="Pixels, 64 to 4096, a multiple of 8.")]
HeightOption = Annotated[int, typer.Option("--height", help="Pixels, 64 to 4096, a multiple of 8.")]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", help="The same seed draws the same; else a new one.", show_default=False),
]
ThemeOption = Annotated[
    str, typer.Option("--theme", metavar="NAME", help="The look of a card.", show_default=False)
]
SyncOption = Annotated[bool, typer.Option("--sync", help="Also into the bucket and the table imagen.images.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Over a file that is there.")]
