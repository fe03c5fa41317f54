"""`image-synth draw`: a list of pictures into a folder."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lib.child import when_parent_exits
from lib.cli.options import JsonOption
from lib.cli.output import emit_json, say, warn
from lib.cli.progress import ProgressBar
from lib.cli.signals import signals_wait
from synth import wiring
from synth.commands import options as o

if TYPE_CHECKING:
    from synth.pictures.drawn_pictures import ListedPicture

EXAMPLES = ("image-synth draw orders.json --out-dir pictures",)


def command(
    orders: Annotated[
        Path,
        typer.Argument(
            metavar="ORDERS",
            help="What is to be drawn, in JSON: docs/reference/picture-orders.md.",
            show_default=False,
        ),
    ],
    out_dir: Annotated[Path, typer.Option("--out-dir", metavar="DIR", help="Where the pictures go.")],
    backend: Annotated[
        str | None,
        typer.Option("--backend", metavar="NAME", help="Who draws; else IMAGEN_BACKEND.", show_default=False),
    ] = None,
    exit_with_parent: o.ExitWithParentOption = False,
    json: JsonOption = False,
) -> None:
    """Draw a list of pictures, one after the other.

    What the folder has of an earlier time, from the same backend and of the same order, is not drawn again.
    """
    if exit_with_parent:
        when_parent_exits(lambda: os.kill(os.getpid(), signal.SIGTERM))
    name, drawn = _drawn(orders, out_dir, backend)
    costs = [each.cost_usd for each in drawn if each.drawn and each.cost_usd is not None]
    new = sum(each.drawn for each in drawn)
    if json:
        emit_json(
            {
                "folder": out_dir,
                "backend": name,
                "drawn": new,
                "kept": len(drawn) - new,
                "cost_usd": sum(costs) if costs else None,
                "pictures": [each.to_json() for each in drawn],
            }
        )
    else:
        say(f"{out_dir}  {len(drawn)} pictures by {name}, {new} of them drawn now")


def _drawn(orders: Path, out_dir: Path, backend: str | None) -> tuple[str, list[ListedPicture]]:
    """The backend's name, and the pictures."""
    from lib.picture_backends.names import configured
    from synth.pictures.drawn_pictures import Drawer, draw_pictures
    from synth.pictures.open_backend import open_backend
    from synth.pictures.order_file import read_orders
    from synth.pictures.recorded import RecordedDrawing
    from synth.pictures.usage import UsageLog

    listed = read_orders(orders)
    told = wiring.pictures(backend)
    opened = open_backend(told.backend, told.backends)
    try:
        with signals_wait() as ask, ProgressBar(len(listed), "pictures") as bar:

            def on_picture(done: int, total: int) -> None:
                ask()
                bar.reach(done, total=total)

            drawing = RecordedDrawing(UsageLog(told.data), warn)
            drawer = Drawer(opened, configured(told.backends)[told.backend], drawing)
            return told.backend, draw_pictures(listed, out_dir, drawer, on_picture)
    finally:
        opened.close()
