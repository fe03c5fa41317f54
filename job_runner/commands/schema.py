"""`job-runner schema`: the JSON Schema of job files."""

from __future__ import annotations

from lib.cli import output
from lib.cli.options import JsonOption
from lib.jobspec import job_file_schema

EXAMPLES = ("job-runner schema > jobs.schema.json",)


def command(json_: JsonOption = False) -> None:
    """Print the JSON Schema of job files, for editors and other programs; always JSON.

    Save it and name it in a file's first line: # yaml-language-server: $schema=jobs.schema.json
    """
    output.emit_json(job_file_schema())
