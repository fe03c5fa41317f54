"""`job-console openapi`: what REST offers."""

from __future__ import annotations

from typing import Annotated

import typer

from lib.cli import output

EXAMPLES = ("job-console openapi --json",)


def command(
    json_: Annotated[bool, typer.Option("--json", help="Print the whole OpenAPI document.")] = False,
) -> None:
    """List the routes below /api/v1; with --json as OpenAPI 3.1, as the console serves it itself."""
    from job_console.app import build_api

    document = build_api().openapi()
    if json_:
        output.emit_json(document)
        return
    table = output.Table([output.Column("method"), output.Column("route"), output.Column("what", wrap=True)])
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            table.row(method.upper(), path, about["description"].partition(". ")[0].partition(";")[0])
    table.show()
