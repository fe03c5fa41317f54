"""The pictures of a run: `image-synth draw`, with the words of a card for what sets type."""

from __future__ import annotations

import json
import re
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages.film_options import FilmOptions, film_options
from job_pipeline.stages.instruction import notes_of
from job_pipeline.stages.missing_part import MissingPart, made_by, placeholder
from job_pipeline.stages.prose import count_words, first_words, sentences
from lib.files import write_whole
from lib.jobs.picture_process import draw
from lib.pipeline.context import TaskContext

_MOST_PROMPT: Final = 2000
_LONGEST_CARD: Final = 240
#: Names of moves in a timeline. A move to the side would cut words near the edges of a card.
_MOVES: Final = ("in", "right", "out", "left")
_MOVES_OF_CARDS: Final = ("in", "out")
_LONGEST_HEADLINE: Final = 64
_LONGEST_LABEL: Final = 60
_LEAST_WORDS: Final = 3
_CLAUSE: Final = re.compile(r"[,;:–—،、，；：](?=\s|$)|[、，；：]|\s[-–—]\s")
#: How a note names a scene: by its file, which counts from 0, or as people count and cards do.
_SCENE: Final = re.compile(r"\bscene_(\d{3,5})|\bscene (\d{1,5})\b", re.I)


def picture_name(folder: str, scene: int) -> str:
    """`assets/scene_000.png`."""
    return f"{folder}/scene_{scene:03d}.png"


def draw_pictures(
    context: TaskContext, folder: str, assets: Sequence[Mapping[str, Any]], seconds: Sequence[float]
) -> dict[str, Any]:
    """Draw a picture for each asset into a folder of the run, each an artifact with its `seconds`.

    An asset has `scene`, `narration`, `prompt`, `card`, `width` and `height`. What is there, drawn for the
    same order, is kept; a note draws the scenes that it names (scene 3) anew with another seed, else all.

    Raises:
        MissingPart: what draws is not installed, and placeholders will not do.
        JobRunnerError: what draws does not answer, or refuses.
    """
    options = film_options(context.config)
    names = [picture_name(folder, asset["scene"]) for asset in assets]
    try:
        answer = _drawn(context, folder, assets, options)
    except MissingPart as missing:
        for name, length in zip(names, seconds, strict=True):
            placeholder(context, name, "a picture of this scene", missing, {"seconds": length})
        return {
            "backend": "",
            "placeholder": True,
            "drawn": 0,
            "cost_usd": None,
            "moves": _MOVES,
            "pictures": [],
        }
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
        "moves": _MOVES_OF_CARDS if answer["pictures"][0]["model"] == "card" else _MOVES,
        "pictures": [
            {"path": name, **{key: made[key] for key in kept}}
            for name, made in zip(names, answer["pictures"], strict=True)
        ],
    }


def _seed(asset: Mapping[str, Any], notes: Sequence[str]) -> int:
    """Of the scene's words, so that a scene that moves keeps its picture; a note about it adds one."""
    number = asset["scene"]
    named = [{int(name or int(said) - 1) for name, said in _SCENE.findall(note)} for note in notes]
    again = sum(1 for scenes in named if not scenes or number in scenes)
    return (zlib.crc32(asset["narration"].encode()) >> 1) + again


def _drawn(
    context: TaskContext, folder: str, assets: Sequence[Mapping[str, Any]], options: FilmOptions
) -> dict[str, Any]:
    notes = notes_of(context)
    rows = [
        {
            "file": Path(picture_name(folder, asset["scene"])).name,
            "prompt": first_words(asset["prompt"], _MOST_PROMPT),
            "card": asset["card"],
            "width": asset["width"],
            "height": asset["height"],
            "seed": _seed(asset, notes),
            "theme": options.theme,
        }
        for asset in assets
    ]
    context.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".draw-", dir=context.folder) as scratch:
        orders = Path(scratch) / "orders.json"
        write_whole(orders, json.dumps({"format": 1, "pictures": rows}).encode(), sync=False)
        chosen = [f"--backend={options.pictures}"] if options.pictures else []
        return made_by(context, "image-synth draw", draw(orders, context.folder / folder, chosen))


def remove_others(folder: Path, kept: set[str], suffix: str) -> None:
    """Remove files of scenes that there are no more. Other files in the folder are somebody's, and stay."""
    for path in folder.iterdir():
        if re.fullmatch(rf"scene_\d{{3,}}\{suffix}", path.name) and path.name not in kept:
            path.unlink(missing_ok=True)


def part_openings(scenes: Sequence[Mapping[str, Any]], key: str) -> list[bool]:
    """Which scenes begin something: whose `key` is another one than that of the scene before."""
    return [not number or scenes[number - 1][key] != scene[key] for number, scene in enumerate(scenes)]


def card_words(scene: Mapping[str, Any], opens: bool, options: FilmOptions, film: str = "") -> str:
    """What a card of this scene says, as image-synth reads it: `[The lamp] A light`, `[A light]`.

    A scene that `opens` a part of the film has that part's name, large; those that follow have it small above
    an empty ground, for captions in the picture say the rest: nobody reads a sentence twice at once.
    Where no captions stand in the picture the card has all that is said. A film without names has headlines.
    """
    said = " ".join(scene["narration"].split())
    part = str(scene.get("section") or "")
    if said.startswith(part.rstrip("….")):
        part = ""  # no name, but the first words themselves
    name = part or film
    if options.captions not in ("burned", "both"):
        return f"[{_label(name)}] {_plain(first_words(said, _LONGEST_CARD))}"
    if not name:
        return f"[] {_plain(first_words(_headline(said), _LONGEST_HEADLINE))}"
    if not opens or (not part and scene["scene"]):
        return f"[{_label(name)}]"
    above = film if part and film != part else ""
    return f"[{_label(above)}] {_plain(first_words(name, _LONGEST_HEADLINE))}"


def _label(text: str) -> str:
    """Words that may stand in the brackets of a card's label."""
    return _plain(first_words(text, _LONGEST_LABEL)).translate({ord("["): "(", ord("]"): ")"})


def _headline(said: str) -> str:
    """The first clause of what is said, if that is more than a word or two; else the first sentence."""
    first = sentences(said)[0]
    for clause in _CLAUSE.finditer(first):
        before = first[: clause.start()]
        if count_words(before) >= _LEAST_WORDS:
            return before
    return first.rstrip(".。")


def _plain(text: str) -> str:
    """Without what parts the words of a card."""
    return text.replace("|", "\\|").replace("\n", " ")
