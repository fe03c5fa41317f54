"""Options and arguments that several commands of `job-pipeline` share."""

from __future__ import annotations

from typing import Annotated

import typer

from lib.errors import UsageError


def checked_text(words: str | None) -> str | None:
    """What was typed, if it is text; a callback of options.

    Raises:
        UsageError: it is not in UTF-8: Python passes such bytes on as halves of characters.
    """
    if words is not None and any("\ud800" <= letter <= "\udfff" for letter in words):
        raise UsageError(f"{words!r} is not UTF-8; type it as UTF-8")
    return words


DagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--dag",
        metavar="MODULE:OBJECT",
        help="A pipeline; may be repeated. Else JOB_PIPELINE_DAG, else the shipped ones.",
        show_default=False,
    ),
]
OfDagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--dag",
        metavar="MODULE:OBJECT",
        help="Only of this pipeline, or of a stored one by its name; may be repeated.",
        show_default=False,
    ),
]
CheckedDagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--dag",
        metavar="MODULE:OBJECT",
        help="Refuse to begin where this pipeline cannot be loaded. Every pipeline is looked after.",
        show_default=False,
    ),
]
OneDagOption = Annotated[
    str | None,
    typer.Option(
        "--dag",
        metavar="MODULE:OBJECT",
        help="The pipeline, or the name of a stored one. Else JOB_PIPELINE_DAG.",
        show_default=False,
    ),
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="The id of a run.", show_default=False, callback=checked_text)
]
StageArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[STAGE]",
        help="Its stage; may be left out where one waits.",
        show_default=False,
        callback=checked_text,
    ),
]
RunOption = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help="Only of this run.", show_default=False, callback=checked_text),
]
OperatorOption = Annotated[
    str | None,
    typer.Option("--operator", metavar="NAME", help="Who decides; else your login name.", show_default=False),
]
NotesOption = Annotated[
    str | None,
    typer.Option(
        "--notes", metavar="TEXT", help="Why, for the record.", show_default=False, callback=checked_text
    ),
]
SeenOption = Annotated[
    str | None,
    typer.Option(
        "--seen",
        metavar="DIGEST",
        help="Decide only about this, the digest that `gates` shows; else about what is there now.",
        show_default=False,
    ),
]
RunIdOption = Annotated[
    str | None,
    typer.Option(
        "--run-id",
        metavar="ID",
        help="The run's id; else one is made.",
        show_default=False,
        callback=checked_text,
    ),
]
UriOption = Annotated[
    str | None,
    typer.Option(
        "--uri",
        metavar="URI",
        help='What it is about: inputs["uri"].',
        show_default=False,
        callback=checked_text,
    ),
]
InputsOption = Annotated[
    str | None,
    typer.Option(
        "--inputs",
        metavar="JSON",
        help="An object, or @FILE that holds one.",
        show_default=False,
        callback=checked_text,
    ),
]
MetadataOption = Annotated[
    str | None,
    typer.Option(
        "--metadata",
        metavar="JSON",
        help="An object that stays with the run.",
        show_default=False,
        callback=checked_text,
    ),
]
SlugOption = Annotated[
    str | None,
    typer.Option(
        "--slug", metavar="NAME", help="A short name for people.", show_default=False, callback=checked_text
    ),
]
IntentOption = Annotated[
    str | None,
    typer.Option(
        "--intent",
        metavar="TEXT",
        help="What it is for, in a sentence.",
        show_default=False,
        callback=checked_text,
    ),
]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The operator's file for this run, frozen with it; else conf/operator.yaml.",
        show_default=False,
    ),
]
ApproveOption = Annotated[bool, typer.Option("--approve", help="Approve at every gate; nobody is asked.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
JsonLinesOption = Annotated[
    bool, typer.Option("--json", help="Print the log on stdout, a JSON value on each line.")
]
