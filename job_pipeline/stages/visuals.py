"""Visuals of a factory run: a picture for each beat that was spoken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from job_pipeline.stages.missing_part import placeholder
from job_pipeline.stages.origin import files_of
from lib.pipeline.context import TaskContext


def visuals(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """One picture for each beat: `visuals/scene_000.png` and on.

    Raises:
        MissingPart: nothing here makes pictures.
    """
    beats = inputs["audio"]["beats"]
    for number, beat in enumerate(beats):
        seconds = round(beat["end"] - beat["start"], 3)
        placeholder(
            context, f"visuals/scene_{number:03d}.png", "a picture of this beat", {"seconds": seconds}
        )
    return {"scenes": len(beats), "placeholder": True, "files": files_of(context)}
