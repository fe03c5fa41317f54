"""`job-runner compile`: stage a job file as a folder that can be moved and executed anywhere."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from lib.cli import output
from lib.cli.options import JobFileArgument, JsonOption, SpeakerOption, VoiceOption
from lib.jobspec import load_job_file
from lib.manifest import compile_manifest

EXAMPLES = ("job-runner compile jobs.yaml --out staged",)


def command(
    path: JobFileArgument,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIR", help="The folder to stage into.", show_default=False),
    ],
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    json_: JsonOption = False,
) -> None:
    """Write each job's text and a manifest: the same input gives the same bytes on any machine.

    A crash leaves the old manifest with its texts, or the new one. Voices are not looked at, since they may
    live elsewhere; execute-manifest checks them before it speaks.
    """
    compiled = compile_manifest(load_job_file(path, voice=voice, speaker=speaker).specs, out)
    if json_:
        output.emit_json(
            {
                "manifest": str(compiled.path),
                "sha256": compiled.sha256,
                "jobs": len(compiled.orders),
                "texts": {
                    "written": compiled.written,
                    "unchanged": compiled.unchanged,
                    "removed": compiled.removed,
                },
            }
        )
        return
    output.say(str(compiled.path))
    removed = f", {compiled.removed} removed" if compiled.removed else ""
    output.note(
        f"compiled {_count(len(compiled.orders), 'job')}: {_count(compiled.written, 'text')} written, "
        f"{compiled.unchanged} unchanged{removed}. "
        f"Speak with: job-runner execute-manifest {shlex.quote(str(compiled.path))}"
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
