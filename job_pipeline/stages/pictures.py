"""The pictures of a run: `image-synth draw`, with the words of a card for what sets type and does not draw."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages.film_options import film_options
from job_pipeline.stages.instruction import notes_of
from job_pipeline.stages.missing_part import MissingPart, made_by, placeholder
from job_pipeline.stages.prose import first_words
from lib.files import write_whole
from lib.jobs.picture_process import draw
from lib.pipeline.context import TaskContext

_MOST_PROMPT: Final = 2000
_LONGEST_CARD: Final = 240
_SCENE: Final = re.compile(r"\bscene[ _]?(\d{1,5})\b", re.I)


def picture_name(folder: str, scene: int) -> str:
    """`assets/scene_000.png`."""
    return f"{folder}/scene_{scene:03d}.png"


def draw_pictures(
    context: TaskContext, folder: str, assets: Sequence[Mapping[str, Any]], seconds: Sequence[float]
) -> dict[str, Any]:
    """Draw a picture for each asset into a folder of the run, each an artifact with its `seconds`.

    An asset has `scene`, `prompt`, `card`, `width` and `height`. Pictures that are there, drawn for the same
    order, are kept; a note draws the scenes that it names (scene 3) anew with another seed, else all of them.

    Raises:
        MissingPart: what draws is not installed, and placeholders will not do.
        JobRunnerError: what draws does not answer, or refuses.
    """
    options = film_options(context.config)
    names = [picture_name(folder, asset["scene"]) for asset in assets]
    rows = [
        {
            "file": Path(name).name,
            "prompt": first_words(asset["prompt"], _MOST_PROMPT),
            "card": asset["card"],
            "width": asset["width"],
            "height": asset["height"],
            "seed": _seed(asset["scene"], notes_of(context)),
            "theme": options.theme,
        }
        for name, asset in zip(names, assets, strict=True)
    ]
    try:
        answer = _drawn(context, folder, rows, options.pictures)
    except MissingPart as missing:
        for name, length in zip(names, seconds, strict=True):
            placeholder(context, name, "a picture of this scene", missing, {"seconds": length})
        return {"backend": "", "placeholder": True, "drawn": 0, "cost_usd": None, "pictures": []}
    remove_others(context.folder / folder, {Path(name).name for name in names}, ".png")
    for name, made, length in zip(names, answer["pictures"], seconds, strict=True):
        size = {"width": made["width"], "height": made["height"]}
        context.record(name, type="image/png", measures={"seconds": length, **size})
    kept = ("seed", "model", "cost_usd", "sha256", "drawn")
    return {
        "backend": answer["backend"],
        "placeholder": False,
        "drawn": answer["drawn"],
        "cost_usd": answer["cost_usd"],
        "pictures": [
            {"path": name, **{key: made[key] for key in kept}}
            for name, made in zip(names, answer["pictures"], strict=True)
        ],
    }


def _seed(scene: int, notes: Sequence[str]) -> int:
    """How many notes ask for another picture of this scene."""
    named = [{int(number) for number in _SCENE.findall(note)} for note in notes]
    return sum(1 for scenes in named if not scenes or scene in scenes)


def _drawn(
    context: TaskContext, folder: str, rows: Sequence[Mapping[str, Any]], backend: str
) -> dict[str, Any]:
    context.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".draw-", dir=context.folder) as scratch:
        orders = Path(scratch) / "orders.json"
        write_whole(orders, json.dumps({"format": 1, "pictures": rows}).encode(), sync=False)
        chosen = [f"--backend={backend}"] if backend else []
        return made_by(context, "image-synth draw", draw(orders, context.folder / folder, chosen))


def remove_others(folder: Path, kept: set[str], suffix: str) -> None:
    """Remove files of scenes that there are no more. Other files in the folder are somebody's, and stay."""
    for path in folder.iterdir():
        if re.fullmatch(rf"scene_\d{{3,}}\{suffix}", path.name) and path.name not in kept:
            path.unlink(missing_ok=True)


def card_words(scene: Mapping[str, Any], title: str, scenes: int) -> str:
    """What a card of this scene says: the part of the film that it is in, and what is told there."""
    over = scene.get("section") or title
    return f"{over}\n\n{first_words(scene['narration'], _LONGEST_CARD)}"
