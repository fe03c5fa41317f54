"""`job-runner run`: a job file to audio on this machine, without a queue."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from job_runner.commands.execute_manifest import EngineOption, ForceOption, JobsOption, surroundings
from job_runner.execution_session import Surroundings, execute
from lib.cli import output
from lib.cli.options import DryRunOption, JobFileArgument, JsonOption, VoicesDirOption
from lib.jobspec import JobSpec, load_job_file
from lib.manifest import Inputs, Order, OutFolder, check_inputs, compile_manifest, finished_result

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Where audio goes; else outputs/<name of YAML>.",
        show_default=False,
    ),
]


def command(
    path: JobFileArgument,
    out: OutOption = None,
    dry_run: DryRunOption = False,
    jobs: JobsOption = None,
    force: ForceOption = False,
    voices_dir: VoicesDirOption = None,
    engine: EngineOption = None,
    json_: JsonOption = False,
) -> int:
    """Compile a job file and speak it here, no Redis needed: compile and execute-manifest in one.

    The audio goes to outputs/<name of the YAML file>/ in the current folder, unless --out names another.
    Run again, it does what is new or changed. --dry-run checks everything and prints each command.
    """
    specs = load_job_file(path).specs
    around = surroundings(voices_dir, engine)
    target = out or Path("outputs") / path.stem
    if dry_run:
        _dry_run(specs, target, around, force=force, as_json=json_)
        return 0
    orders = [Order(spec) for spec in specs]
    check_inputs(orders, around.registry(), around.engine)  # before anything is written
    compiled = compile_manifest(specs, target)
    return execute(compiled.path, around, workers=jobs, force=force, as_json=json_)


def _dry_run(
    specs: tuple[JobSpec, ...], target: Path, around: Surroundings, *, force: bool, as_json: bool
) -> None:
    """Everything but the speaking, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="job-runner-") as scratch:
        compiled = compile_manifest(specs, Path(scratch))
        checked = check_inputs(compiled.orders, around.registry(), around.engine)
    rows = [_row(inputs, target, force=force) for inputs in checked]
    if as_json:
        output.emit_json({"folder": str(target), "manifest_sha256": compiled.sha256, "jobs": rows})
        return
    for row in rows:
        output.say(shlex.join(row["argv"]))
        output.say(f"  -> {row['output']}  {'skipped: done already' if row['skip'] else 'would be spoken'}")
    skipped = sum(row["skip"] for row in rows)
    output.note(
        f"{len(rows)} jobs: {len(rows) - skipped} would be spoken, {skipped} skipped. "
        f"Paths are relative to {target}. Nothing was written."
    )


def _row(inputs: Inputs, target: Path, *, force: bool) -> dict[str, Any]:
    order = inputs.order
    done = not force and finished_result(OutFolder(target), inputs) is not None
    return {
        "request_id": order.spec.request_id,
        "argv": order.argv(),
        "output": str(target / order.audio_path()),
        "skip": done,
    }
