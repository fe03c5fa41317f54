"""`job-runner config`: what is set, and by what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption
from lib.cli.program import CommandEntry

COMMANDS = (CommandEntry("show", "job_runner.commands.config:show", "Print every setting and its value."),)


EXAMPLES = ("job-runner config show --sources",)


def show(
    sources: Annotated[bool, typer.Option("--sources", help="Say where each value came from.")] = False,
    json_: JsonOption = False,
) -> None:
    """Print every setting and its value. Secrets and passwords stay hidden."""
    settings = wiring.settings()
    shown = settings.shown()
    if json_:
        output.emit_json(
            {
                name: {"value": value, **({"source": settings.sources[name]} if sources else {})}
                for name, value in shown.items()
            }
        )
        return
    columns = [output.Column("setting"), output.Column("value", wrap=True)]
    if sources:
        columns.append(output.Column("source", wrap=True))
    table = output.Table(columns)
    for name, value in shown.items():
        table.row(name, value, *([_from_here(settings.sources[name])] if sources else []))
    table.show()


def _from_here(source: str) -> str:
    """The source as somebody in this folder would name it: a file's name, not the way to it from the root."""
    for folder, short in ((Path.cwd(), ""), (Path.home(), "~/")):
        if source.startswith(f"{folder}/"):
            return short + source.removeprefix(f"{folder}/")
    return source
