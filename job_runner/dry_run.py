"""What a local run would do, job by job, without doing it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.cli import output
from lib.manifest import Inputs, OutFolder, finished_result
from lib.units import jobs_text


def tell(inputs: Sequence[Inputs], target: Path, manifest_sha256: str, *, force: bool, as_json: bool) -> None:
    """Each job's exact command, where in `target` its audio would lie, and whether it is there already."""
    rows = [_row(each, target, force=force) for each in inputs]
    if as_json:
        output.emit_json({"folder": str(target), "manifest_sha256": manifest_sha256, "jobs": rows})
        return
    for row in rows:
        output.say(shlex.join(row["argv"]))
        output.say(f"  -> {row['output']}  {'skipped: done already' if row['skip'] else 'would be spoken'}")
    skipped = sum(row["skip"] for row in rows)
    output.note(
        f"{jobs_text(len(rows))}: {len(rows) - skipped} would be spoken, {skipped} skipped. "
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
