"""What an operator looks at before deciding: the files as they lie there now, and what was said before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lib.pipeline.context import measure_file
from lib.pipeline.failures import SeenSomethingElse, WrongState
from lib.pipeline.gates import approve_gate, look_again
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import Artifact, GateRow
from lib.pipeline.views import RunView, get_job_status


def approve_inspected(
    ledger: PipelineLedger,
    run: str,
    stage: str,
    *,
    folder: Path | None,
    operator: str,
    notes: str | None = None,
    seen: str | None = None,
    number: int | None = None,
) -> GateRow:
    """Approve what a stage made, after a look at its files in the run's `folder` (None: no look).

    A file that is not what the ledger says is noted there, so that the next approval is about what it is now.

    Raises:
        SeenSomethingElse: a file has changed or is gone; nothing was approved.
        And as `approve_gate`.
    """
    found = get_job_status(ledger, run)
    gate = next((g for g in reversed(found.gates) if g.task == stage and g.decision is None), None)
    if gate is None or folder is None:  # the refusal is in its words
        return approve_gate(ledger, run, stage, operator=operator, notes=notes, seen=seen, number=number)
    changed, gone = compare_files([file for file in found.artifacts if file.task == stage], folder)
    if gone:
        raise SeenSomethingElse(
            f"{', '.join(gone)} of {stage} cannot be read in {folder}; put it back, or make it anew with "
            f"`job-pipeline advance {run} --stage {stage}`; if it lies on another computer, approve there, "
            "or here with --elsewhere"
        )
    if changed:
        digest = look_again(ledger, run, stage, changed)
        names = ", ".join(file.path for file in changed)
        raise SeenSomethingElse(
            f"{names} of {stage} has changed since it was made; look again, then approve (it is {digest} now)"
        )
    return approve_gate(
        ledger, run, stage, operator=operator, notes=notes, seen=seen or gate.seen, number=number
    )


def compare_files(artifacts: Sequence[Artifact], folder: Path) -> tuple[list[Artifact], list[str]]:
    """Of files of the ledger those that are other ones now, as they are now; and the paths of those gone."""
    changed, gone = [], []
    for artifact in artifacts:
        try:
            size, sha256 = measure_file(folder / artifact.path)
        except OSError:
            gone.append(artifact.path)
            continue
        if sha256 != artifact.sha256:
            changed.append(replace(artifact, size=size, sha256=sha256))
    return changed, gone


def waiting_stage(ledger: PipelineLedger, run: str) -> str:
    """The stage of a run that waits for a decision, where it is one.

    Raises:
        UnknownRun: there is no such run.
        WrongState: none waits, or several do.
    """
    waiting = [gate.task for gate in get_job_status(ledger, run).gates if gate.decision is None]
    if len(waiting) == 1:
        return waiting[0]
    if waiting:
        raise WrongState(f"{', '.join(waiting)} of {run} wait for a decision; name the one that is meant")
    raise WrongState(f"no stage of {run} waits for a decision; `job-pipeline show {run}` says how it stands")


def note_of_rejection(ledger: PipelineLedger, run: str, stage: str | None) -> str:
    """The notes of a stage's newest rejection; without a stage, of the one that `advance` answers then.

    Raises:
        UnknownRun: there is no such run.
        WrongState: nothing was rejected, or nothing was noted.
    """
    found: RunView = get_job_status(ledger, run)
    if stage is None and found.rejected:
        stage = found.rejected[0].task
    rejected = [gate for gate in found.gates if gate.decision == "rejected" and stage in (None, gate.task)]
    if not rejected or not rejected[-1].notes:
        what = f"no rejection of {stage or 'a stage'} of {run} has notes"
        raise WrongState(f"{what}; say what is to be done otherwise with --note TEXT")
    return rejected[-1].notes
