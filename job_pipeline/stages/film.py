"""The film: pictures, narration and captions in one file; `render` of factory, `assemble` of video."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages import audio
from job_pipeline.stages.film_options import film_options
from job_pipeline.stages.missing_part import MissingPart, made_by, placeholder
from job_pipeline.stages.origin import files_of
from job_pipeline.stages.prose import first_words
from job_pipeline.stages.scene_times import cues_in, scene_starts
from lib.errors import JobFailed
from lib.files import read_plain
from lib.jobs.video_process import assemble
from lib.pipeline.context import TaskContext, measure_file

NAME: Final = "video.mp4"
POSTER: Final = "poster.jpg"
PREVIEW: Final = "video.preview.mp4"
TIMELINE: Final = "timeline.json"
_MOST_CAPTIONS: Final = 64 << 20
_LONGEST_TITLE: Final = 60
_FADE_S: Final = 0.3  # two cards over each other are hard to read


def assembled(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """The film of a `video` run: the pictures of its assets, cut as its storyboard says. As `_film`."""
    planned = {asset["scene"]: asset for asset in inputs["assets"]["assets"]}
    scenes = [
        {**scene, "picture": planned[scene["scene"]]["picture"], "move": planned[scene["scene"]]["motion"]}
        for scene in inputs["storyboard"]["scenes"]
    ]
    return _film(scenes, inputs["storyboard"]["title"], inputs, context)


def rendered(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """The film of a `factory` run, of its visuals. As `_film`."""
    return _film(inputs["visuals"]["scenes"], inputs["audio"]["title"], inputs, context)


def _film(
    scenes: Sequence[Mapping[str, Any]], title: str, inputs: Mapping[str, Any], context: TaskContext
) -> dict[str, Any]:
    """Put what was made into one file: `video.mp4`; beside it its poster, its preview and the timeline.

    Scenes that were made before and are as they were are taken as they are.

    Raises:
        MissingPart: what makes films is not installed.
        JobRunnerError: something that goes into it cannot be used.
    """
    spoken = inputs["audio"]
    try:
        pictures = inputs.get("assets") or inputs.get("visuals") or {}
        if pictures.get("placeholder"):
            raise MissingPart("There are no pictures: placeholders stand for them.")
        timeline = _timeline(scenes, title, spoken, context)
        made = _assembled(timeline, context)
    except MissingPart as missing:
        context.artifacts.clear()
        what = "the film with narration, captions and pictures"
        placeholder(context, NAME, what, missing, {"seconds": spoken["seconds"]})
        return {"seconds": spoken["seconds"], "placeholder": True, "files": files_of(context)}
    size = {"width": made["width"], "height": made["height"]}
    measures = {"seconds": made["seconds"], "scenes": made["scenes"], **size}
    context.record(NAME, type="video/mp4", measures=measures)
    context.record(PREVIEW, type="video/mp4", measures={"seconds": made["seconds"]})
    context.record(POSTER, type="image/jpeg", measures=size)
    kept = ("seconds", "audio_seconds", "scenes", "scenes_made", "captions", "chapters", "loudness_lufs")
    return {
        **{name: made[name] for name in kept},
        "pictures": _sha256s(scenes, context.folder),
        "warnings": made["warnings"],
        "placeholder": False,
        "files": files_of(context),
    }


def _timeline(
    scenes: Sequence[Mapping[str, Any]], title: str, spoken: Mapping[str, Any], context: TaskContext
) -> dict[str, Any]:
    """What `video-synth assemble` is told; files are relative to the run's folder."""
    options = film_options(context.config)
    captions = read_plain(context.folder / audio.CAPTIONS, _MOST_CAPTIONS).decode("utf-8", "replace")
    starts = scene_starts(scenes, spoken["beats"], cues_in(captions))
    if len(starts) != len(scenes) or starts[-1] >= spoken["seconds"]:
        raise JobFailed(
            f"the scenes of {context.run} are not those of its voice-over; run the stage before it anew"
        )
    rows = [
        {"picture": scene["picture"], "start": start, "move": scene["move"], **chapter}
        for scene, start, chapter in zip(scenes, starts, _chapters(scenes), strict=True)
    ]
    return {
        "format": 1,
        "size": [options.width, options.height],
        "fps": options.fps,
        "fade": _FADE_S,
        "title": first_words(title, _LONGEST_TITLE),
        "narration": audio.VOICEOVER,
        "captions": {"file": audio.CAPTIONS, "show": options.captions},
        "scenes": rows,
    }


def _chapters(scenes: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """The chapter that begins at each scene: a new section, or a new beat that has a title."""
    before = ""
    for scene in scenes:
        name = str(scene.get("section") or scene.get("chapter") or "")
        yield {"chapter": first_words(name, _LONGEST_TITLE)} if name and name != before else {}
        before = name


def _assembled(timeline: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    data = json.dumps(timeline, ensure_ascii=False, indent=2) + "\n"
    measures = {"scenes": len(timeline["scenes"])}
    file = context.write(TIMELINE, data, type="application/json", measures=measures)
    options = ["--poster", str(context.folder / POSTER)]
    return made_by(context, "video-synth assemble", assemble(file, context.folder / NAME, options))


def _sha256s(scenes: Sequence[Mapping[str, Any]], folder: Path) -> dict[str, str]:
    """The pictures as they are in the film: they may have been edited since they were drawn."""
    return {scene["picture"]: measure_file(folder / scene["picture"])[1] for scene in scenes}
