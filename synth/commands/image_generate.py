"""`image-synth generate`: one picture into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lib.cli.output import say
from lib.errors import ExitStatus
from synth import wiring
from synth.pictures.names import USUAL

EXAMPLES = ('image-synth generate "A lighthouse in the fog." --out lighthouse.png',)


def command(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What is to be drawn.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the picture goes.")] = Path(
        "picture.png"
    ),
    backend: Annotated[str, typer.Option("--backend", metavar="NAME", help="Who draws it.")] = USUAL,
    width: Annotated[int, typer.Option("--width", help="Pixels, a multiple of 8.")] = 1024,
    height: Annotated[int, typer.Option("--height", help="Pixels, a multiple of 8.")] = 1024,
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same again.")] = 0,
    theme: Annotated[
        str, typer.Option("--theme", metavar="NAME", help="The look of a card.", show_default=False)
    ] = "",
) -> int:
    """Draw one picture into a file."""
    from lib.files import write_whole
    from synth.pictures.backend import PictureOrder
    from synth.pictures.names import open_backend

    drawer = open_backend(backend, wiring.pictures(backend).backends)
    picture = drawer.draw(PictureOrder(prompt, width, height, seed, theme))
    write_whole(out, picture.png, sync=True)
    say(f"{out}  {picture.width} x {picture.height}")
    return ExitStatus.OK
