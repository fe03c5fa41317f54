"""Visuals of a factory run: a picture for each scene of what was spoken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from job_pipeline.stages.film_options import film_options
from job_pipeline.stages.narration import Narration, NarrationBeat
from job_pipeline.stages.origin import files_of
from job_pipeline.stages.pictures import card_words, draw_pictures, part_openings, picture_name
from job_pipeline.stages.storyboard import scenes_of
from lib.pipeline.context import TaskContext

FOLDER: Final = "visuals"


def visuals(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Draw a picture for each scene: `visuals/scene_000.png` and on. Scenes are sentences of one beat.

    Raises:
        MissingPart: what draws is not installed.
        JobRunnerError: it does not answer, or refuses.
    """
    spoken = inputs["audio"]
    titles = {beat["id"]: beat["title"] for beat in spoken["beats"]}
    beats = tuple(NarrationBeat(id=beat["id"], text=beat["text"]) for beat in spoken["beats"])
    scenes = scenes_of(Narration(title=spoken["title"], beats=beats))
    options = film_options(context.config)
    width, height = options.picture_size
    planned = [
        {
            **scene,
            "picture": picture_name(FOLDER, scene["scene"]),
            "prompt": f"{scene['narration']} Plain illustration, soft light, no letters.",
            "card": card_words({**scene, "section": titles[scene["beat"]]}, opens, options, spoken["title"]),
            "width": width,
            "height": height,
            "chapter": titles[scene["beat"]],
        }
        for scene, opens in zip(scenes, part_openings(scenes, "beat"), strict=True)
    ]
    drawn = draw_pictures(context, FOLDER, planned, [scene["seconds"] for scene in scenes])
    moves = drawn["moves"]
    return {
        "scenes": [{**asset, "move": moves[asset["scene"] % len(moves)]} for asset in planned],
        "backend": drawn["backend"],
        "drawn": drawn["drawn"],
        "cost_usd": drawn["cost_usd"],
        "placeholder": drawn["placeholder"],
        "files": files_of(context),
    }
