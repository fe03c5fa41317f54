"""`voice-synth page`: pages to listen to, beside their audio."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from lib.child import when_parent_exits
from lib.cli.options import JsonOption
from lib.cli.output import emit_json, error, say
from lib.cli.signals import signals_wait
from lib.errors import BadConfiguration, BadInput, ExitStatus
from lib.units import bytes_text
from synth.commands import options as o

EXAMPLES = ("voice-synth page pages.json",)


def command(
    pages: Annotated[
        Path,
        typer.Argument(
            metavar="PAGES", help="What to show, in JSON: docs/reference/pages.md.", show_default=False
        ),
    ],
    exit_with_parent: o.ExitWithParentOption = False,
    json: JsonOption = False,
) -> int:
    """Make pages to listen to: each one file of HTML with texts, waveforms and a player.

    A page that cannot be written is said in one line, and the others are made; exit status 78 then.
    """
    from synth.page.document import write_page
    from synth.page.page_list import read_pages

    if exit_with_parent:
        when_parent_exits(lambda: os.kill(os.getpid(), signal.SIGTERM))
    made: list[dict[str, Any]] = []
    with signals_wait() as ask:
        for page in read_pages(pages):
            ask()
            row: dict[str, Any] = {"file": str(page.file), "title": page.title, "beats": len(page.beats)}
            try:
                made.append({**row, "bytes": write_page(page), "problem": None})
            except (BadInput, BadConfiguration) as trouble:
                made.append({**row, "bytes": None, "problem": trouble.message})
    failed = [row["problem"] for row in made if row["problem"] is not None]
    if json:
        emit_json({"pages": made})
    else:
        for problem in failed:
            error(problem)
        for row in made:
            if row["problem"] is None:
                say(f"{row['file']}  {row['beats']} beats  {bytes_text(row['bytes'])}")
    return ExitStatus.BAD_CONFIGURATION if failed else ExitStatus.OK
