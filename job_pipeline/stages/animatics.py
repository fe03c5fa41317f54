"""Animatics: each scene's picture as a short silent film of about its length."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages.film_options import film_options
from job_pipeline.stages.missing_part import MissingPart, made_by, placeholder
from job_pipeline.stages.origin import files_of
from job_pipeline.stages.pictures import remove_others
from lib.files import write_whole
from lib.jobs.video_process import animate
from lib.pipeline.context import TaskContext

FOLDER: Final = "animatics"


def animatics(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """One film for each scene of the asset plan: `animatics/scene_000.mp4` and on.

    Raises:
        MissingPart: what makes films is not installed.
        JobRunnerError: a picture cannot be used.
    """
    scenes = inputs["assets"]["assets"]
    names = [f"{FOLDER}/scene_{scene['scene']:03d}.mp4" for scene in scenes]
    try:
        if inputs["assets"]["placeholder"]:
            raise MissingPart("There are no pictures: placeholders stand for them.")
        clips = _made(context, names, scenes)
    except MissingPart as missing:
        for name, scene in zip(names, scenes, strict=True):
            placeholder(context, name, "a film of this scene", missing, {"seconds": scene["seconds"]})
        return {"scenes": len(scenes), "made": 0, "placeholder": True, "files": files_of(context)}
    remove_others(context.folder / FOLDER, {Path(name).name for name in names}, ".mp4")
    for name, clip in zip(names, clips["clips"], strict=True):
        context.record(name, type="video/mp4", measures={"seconds": clip["seconds"]})
    return {
        "scenes": len(scenes),
        "made": clips["made"],
        "placeholder": False,
        "files": files_of(context),
    }


def _made(context: TaskContext, names: Sequence[str], scenes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    options = film_options(context.config)
    rows = [
        {
            "file": Path(name).name,
            "picture": str(context.folder.resolve() / scene["picture"]),
            "seconds": max(scene["seconds"], 0.2),
            "move": scene["motion"],
        }
        for name, scene in zip(names, scenes, strict=True)
    ]
    wanted = {"format": 1, "size": list(options.draft_size), "fps": options.fps, "clips": rows}
    with tempfile.TemporaryDirectory(prefix=".clips-", dir=context.folder) as scratch:
        clips = Path(scratch) / "clips.json"
        write_whole(clips, json.dumps(wanted).encode(), sync=False)
        return made_by(context, "video-synth animate", animate(clips, context.folder / FOLDER))
