"""Animatics: each scene's picture as a short film of its length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from job_pipeline.stages.missing_part import placeholder
from job_pipeline.stages.origin import files_of
from lib.pipeline.context import TaskContext


def animatics(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """One film for each scene of the asset plan: `animatics/scene_000.mp4` and on.

    Raises:
        MissingPart: nothing here makes pictures and films.
    """
    scenes = inputs["assets"]["assets"]
    for scene in scenes:
        path = f"animatics/scene_{scene['scene']:03d}.mp4"
        placeholder(context, path, "a film of this scene", {"seconds": scene["seconds"]})
    return {"scenes": len(scenes), "placeholder": True, "files": files_of(context)}
