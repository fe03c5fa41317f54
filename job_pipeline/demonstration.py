"""The runs of `job-pipeline demo`: three of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from job_pipeline.new_runs import start_run
from job_pipeline.samples import sample_inputs
from job_pipeline.wiring import PipelineRoom
from lib.pipeline.runs import NewRun

#: What the three runs are about.
_TEXTS: Final = (
    "The sea comes back twice a day.\nNobody has to call it.",
    "A drop falls on the roof.\nIt wants to go to the sea.\nThe roof is in its way.",
    "The moon pulls.\nThe water follows, a little late.",
)


def start_demonstration(room: PipelineRoom, dag: str) -> list[str]:
    """Start the runs; their ids. Raises: as `start_run`."""
    return [start_run(room, dag, NewRun(inputs=inputs)).started.id for inputs in _inputs(dag)]


def _inputs(dag: str) -> list[Mapping[str, Any]]:
    if dag == "demo":
        return [{"text": text} for text in _TEXTS]
    return [{**sample_inputs(), "title": f"Demo {number}"} for number in range(1, len(_TEXTS) + 1)]
