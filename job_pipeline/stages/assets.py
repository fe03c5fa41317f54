"""The asset plan, and its pictures: what is shown for each scene, and how it moves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from job_pipeline.stages import wiring
from job_pipeline.stages.film_options import FilmOptions, film_options
from job_pipeline.stages.instruction import asked, notes_of, told
from job_pipeline.stages.kept_texts import kept_texts, with_kept
from job_pipeline.stages.language_model import LanguageModel
from job_pipeline.stages.origin import LLM, NO_MODEL, TEMPLATE, files_of
from job_pipeline.stages.pictures import card_words, draw_pictures, part_openings, picture_name
from job_pipeline.stages.storyboard import scene_texts
from job_pipeline.stages.storyboard_file import board_at
from lib.pipeline.context import TaskContext

NAME: Final = "asset_plan.json"
FOLDER: Final = "assets"
_AT_ONCE: Final = 40
_ORDER: Final = (
    "You write prompts for an image model. You get scenes with their pictures. Answer with one JSON object: "
    '{"scenes": [{"scene": 0, "prompt": "..."}]}, with every scene once. A prompt says in English what is '
    "seen, its light and its style, the same style in all."
)


def assets(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Plan a picture for each scene, and draw it: `asset_plan.json`, `assets/scene_000.png` and on.

    Raises:
        BadInput, TryAgain: storyboard.json was edited and cannot be used, as `board_at`.
        JobRunnerError: the language model's, as `LanguageModel.ask`, or that of what draws.
    """
    board = board_at(context.folder, inputs["storyboard"])
    scenes, options = board["scenes"], film_options(context.config)
    notes = notes_of(context)
    model = wiring.language_model()
    if model is not None:
        source, how, left = LLM, f"the model {model.model} wrote the prompts", ""
        kept = kept_texts(context.folder / NAME, "assets", "shows", "prompt", notes)
        prompts = with_kept(scenes, "picture", kept, lambda new: _by_model(model, new, notes))
    else:
        source, left = TEMPLATE, "a template repeats the storyboard; only a language model changes prompts"
        how = f"{NO_MODEL}, so the prompts are the pictures of the storyboard, with one style for all"
        prompts = [f"{scene['picture']} Plain illustration, soft light, no letters." for scene in scenes]
    planned = [
        _asset(scene, prompt, card_words(scene, opens, options, board["title"]), options)
        for scene, prompt, opens in zip(scenes, prompts, part_openings(scenes, "section"), strict=True)
    ]
    drawn = draw_pictures(context, FOLDER, planned, [scene["seconds"] for scene in scenes])
    moves = drawn["moves"]
    plan = {
        "format": 1,
        "source": source,
        "note": how,
        "notes": list(notes),
        "backend": drawn["backend"],
        "cost_usd": drawn["cost_usd"],
        "assets": [{**asset, "motion": moves[asset["scene"] % len(moves)]} for asset in planned],
    }
    data = json.dumps(plan, ensure_ascii=False, indent=2) + "\n"
    context.write(NAME, data, type="application/json", measures={"assets": len(scenes)})
    return {
        **plan,
        "attempt": context.attempt,  # pictures may be edited at the gate: what follows has to look anew
        "drawn": drawn["drawn"],
        "placeholder": drawn["placeholder"],
        "files": files_of(context),
        **told(notes, f"{drawn['drawn']} pictures were drawn anew", left),
    }


def _asset(scene: Mapping[str, Any], prompt: str, card: str, options: FilmOptions) -> dict[str, Any]:
    number = scene["scene"]
    width, height = options.picture_size
    return {
        "scene": number,
        "kind": "still",
        "picture": picture_name(FOLDER, number),
        "narration": scene["narration"],
        "shows": scene["picture"],
        "prompt": prompt,
        "card": card,
        "width": width,
        "height": height,
        "seconds": scene["seconds"],
    }


def _by_model(model: LanguageModel, scenes: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> list[str]:
    prompts = list[str]()
    for start in range(0, len(scenes), _AT_ONCE):
        some = scenes[start : start + _AT_ONCE]
        lines = "\n".join(f"{scene['scene']}: {scene['picture']}" for scene in some)
        reader = scene_texts("prompt", [scene["scene"] for scene in some])
        prompts += model.ask(_ORDER, f"The scenes:\n{lines}{asked(notes)}", reader)
    return prompts
