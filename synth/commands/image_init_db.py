"""`image-synth init-db`: the tables of pictures."""

from __future__ import annotations

from typing import Annotated

import typer

from lib.cli.output import emit_json, say

EXAMPLES = ("image-synth init-db",)


def command(
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make the tables of pictures, or bring them up to date."""
    from synth.imagen.wiring import init_database

    place, version = init_database()
    if json_:
        emit_json({"database": place, "schema": "imagen", "version": version})
    else:
        say(f"The tables of pictures in {place} are of version {version}.")
