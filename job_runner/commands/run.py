"""`job-runner run`: a job file to audio on this machine, without a queue."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from job_runner.commands.execute_manifest import EngineOption, ForceOption, JobsOption, surroundings
from job_runner.display.doubts import warn_of_doubts
from job_runner.dry_run import tell
from job_runner.execution.session import Surroundings, execute
from job_runner.listen.pages import pages_of_run
from lib.cli import output
from lib.cli.options import (
    DryRunOption,
    JobFileArgument,
    JsonOption,
    SpeakerOption,
    VoiceOption,
    VoicesDirOption,
)
from lib.errors import UsageError
from lib.jobs.plan import RegistryCheck, load_speakable
from lib.jobspec import JobSpec
from lib.manifest import check_inputs, compile_manifest
from lib.picture_backends.readiness import cannot_draw

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Where audio goes; else outputs/<name of FILE>.",
        show_default=False,
    ),
]


EXAMPLES = (
    "job-runner run jobs.yaml",
    "job-runner run jobs.yaml --out audio --jobs 2",
)


def command(
    path: JobFileArgument,
    out: OutOption = None,
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    dry_run: DryRunOption = False,
    jobs: JobsOption = None,
    force: ForceOption = False,
    voices_dir: VoicesDirOption = None,
    engine: EngineOption = None,
    json_: JsonOption = False,
) -> int:
    """Compile a job file and speak it here, no Redis needed: compile and execute-manifest in one.

    The audio goes to outputs/<name of the file>/ in the current folder, unless --out names another.
    Run again, it does what is new or changed. Each topic gets a page to listen to beside its audio.
    --dry-run checks everything and prints each command.
    """
    if out is None and path == Path("-"):
        raise UsageError("Jobs from standard input have no name; say where their audio goes with --out DIR.")
    around = surroundings(voices_dir, engine)
    check = RegistryCheck(around.registry(), around.engine, backends=around.backends)
    file = load_speakable(path, check, voice=voice, speaker=speaker)
    warn_of_doubts(file)
    specs = file.specs
    for lacking in cannot_draw({spec.drawn_by for spec in specs if spec.is_picture}, around.backends, None):
        output.warn(lacking)
    target = out or Path("outputs") / path.stem
    if dry_run:
        _dry_run(specs, target, around, force=force, as_json=json_)
        return 0
    compiled = compile_manifest(specs, target)
    return execute(compiled.path, around, workers=jobs, force=force, as_json=json_, pages_of=pages_of_run)


def _dry_run(
    specs: tuple[JobSpec, ...], target: Path, around: Surroundings, *, force: bool, as_json: bool
) -> None:
    """Everything but the speaking, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="job-runner-") as scratch:
        compiled = compile_manifest(specs, Path(scratch))
        checked = check_inputs(compiled.orders, around.registry(), around.engine, around.pauses)
    tell(checked, target, compiled.sha256, force=force, as_json=as_json)
