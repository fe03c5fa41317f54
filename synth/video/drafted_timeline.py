"""A timeline made of what a narration leaves behind: captions, the beats it has, and a folder of pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Final

from lib.errors import BadInput
from lib.files import NotPlain, read_plain
from lib.foreign import parse_json
from lib.jobspec.episode_names import title_trouble
from synth.video.cue_files import VideoCue, check_cues, read_cues
from synth.video.sound_files import seconds_of
from synth.video.timeline import FORMAT

_PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp")
_MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_BEATS: Final = 10_000
_ENDING: Final = re.compile(r"[.!?…。！？][\"'”’»)\]」』]*$")


@dataclass(frozen=True, slots=True)
class VideoBeat:
    """A part of the narration that gets one picture: when it starts, where that is known, or its text."""

    name: str
    start: float | None
    text: str


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """What a timeline is drafted of. `folder` is where it will stand: files in it are relative to that."""

    narration: Path
    pictures: Path
    captions: Path | None
    beats: Path | None
    shape: str
    show: str
    music: Path | None
    folder: Path


def draft_timeline(order: DraftOrder) -> dict[str, Any]:
    """The timeline as plain data.

    Raises:
        BadInput: something cannot be read, beats and pictures do not fit together, or captions are of another
            narration.
    """
    cues = () if order.captions is None else read_cues(order.captions)
    pictures = _pictures_in(order.pictures)
    seconds = seconds_of(order.narration, "narration")
    check_cues(cues, seconds)
    beats = None if order.beats is None else read_beats(order.beats)
    if beats is None:
        starts = _even_starts(cues, len(pictures), seconds)
        named = [("", picture) for picture in pictures]
    else:
        starts = _beat_starts(beats, cues, order)
        named = _matched(beats, pictures, order)
    scenes = []
    for (name, picture), start in zip(named, starts, strict=True):
        scene: dict[str, Any] = {"picture": _relative(picture, order.folder), "start": round(start, 3)}
        scenes.append({**scene, "chapter": name} if name else scene)
    found: dict[str, Any] = {
        "format": FORMAT,
        "shape": order.shape,
        "narration": _relative(order.narration, order.folder),
    }
    if order.captions is not None:
        found["captions"] = {"file": _relative(order.captions, order.folder), "show": order.show}
    if order.music is not None:
        found["music"] = {"file": _relative(order.music, order.folder)}
    return {**found, "scenes": scenes}


def read_beats(path: Path) -> list[VideoBeat]:
    """The beats of a beatsheet, or the chapters that `voice-synth join` writes beside an episode.

    Raises:
        BadInput: it cannot be read, or is neither.
    """
    try:
        data = read_plain(path, _MOST_BYTES, follow=True)
        value = parse_json(data)
    except FileNotFoundError:
        raise BadInput(f"The beats {path} are missing: there is no such file.") from None
    except NotPlain:
        raise BadInput(f"The beats {path} are no file; name a beatsheet or a .chapters.json.") from None
    except OSError as error:
        raise BadInput(f"The beats {path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise BadInput(f"The beats {path} are no JSON; name a beatsheet or a .chapters.json.") from None
    rows = value.get("beats") or value.get("chapters") if isinstance(value, Mapping) else None
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_BEATS:
        raise BadInput(f"{path} has no beats and no chapters; name a beatsheet or a .chapters.json.")
    return [_beat_of(row, at, path) for at, row in enumerate(rows)]


def _beat_of(row: object, at: int, path: Path) -> VideoBeat:
    if isinstance(row, Mapping):
        start, title = row.get("startTime"), row.get("title")
        if isinstance(start, int | float) and not isinstance(start, bool) and 0 <= start < 1e6:
            return VideoBeat(_shown(title), float(start), "")
        text = row.get("text") or row.get("narration")
        name = row.get("id")
        if isinstance(text, str) and isinstance(name, str):
            return VideoBeat(_shown(name), None, text)
    raise BadInput(f"Number {at + 1} of the beats in {path} has neither a text nor a start.")


def _shown(title: object) -> str:
    return title if isinstance(title, str) and title and title_trouble(title) is None else ""


def _pictures_in(folder: Path) -> list[Path]:
    """The pictures, in the order in which people count: 2 before 10."""
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in _PICTURES]
    except OSError as error:
        raise BadInput(f"The pictures in {folder} cannot be read: {error.strerror}.") from None
    found = [path for path in found if ".poster." not in path.name and not path.name.startswith(".")]
    if not found:
        raise BadInput(f"There is no picture in {folder}; put PNG, JPEG or WebP files there.")
    return sorted(found, key=lambda path: _counted(path.name))


def _counted(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts]


def _matched(
    beats: Sequence[VideoBeat], pictures: Sequence[Path], order: DraftOrder
) -> list[tuple[str, Path]]:
    """Each beat with its picture: the one of its name, where all have one, else in order."""
    by_name = {picture.stem: picture for picture in pictures}
    if all(beat.name in by_name for beat in beats):
        return [(beat.name, by_name[beat.name]) for beat in beats]
    if len(pictures) != len(beats):
        raise BadInput(
            f"{order.beats} has {len(beats)} beats, and {order.pictures} has {len(pictures)} pictures; "
            "give one for each beat, or name them as the beats are named."
        )
    return [(beat.name, picture) for beat, picture in zip(beats, pictures, strict=True)]


def _beat_starts(beats: Sequence[VideoBeat], cues: Sequence[VideoCue], order: DraftOrder) -> list[float]:
    if all(beat.start is not None for beat in beats):
        return _rising([beat.start or 0.0 for beat in beats], order)
    if not cues:
        raise BadInput("A beatsheet has no times; give the captions, too, or a .chapters.json as beats.")
    # Captions and beats say the same words: where so many letters of the beats are past, so many are of them.
    lengths = [_letters(beat.text) for beat in beats]
    spoken = [0, *accumulate(_letters(cue.text) for cue in cues)]
    share = spoken[-1] / max(sum(lengths), 1)
    starts = [0.0]
    for past in list(accumulate(lengths))[:-1]:
        at = min(range(len(cues)), key=lambda number: abs(spoken[number] - past * share))
        starts.append(cues[at].start)
    return _rising(starts, order)


def _rising(starts: list[float], order: DraftOrder) -> list[float]:
    starts = [0.0, *starts[1:]]
    for number, (before, after) in enumerate(pairwise(starts), start=2):
        if after <= before:
            raise BadInput(
                f"Beat {number} of {order.beats} starts no later than the one before; the captions are of "
                "another narration."
            )
    return starts


def _even_starts(cues: Sequence[VideoCue], count: int, seconds: float) -> list[float]:
    """Starts of that many scenes about equally long, each where a sentence begins if captions say where."""
    if len(cues) < count:
        return [seconds * number / count for number in range(count)]
    begins = [cue.start for before, cue in pairwise(cues) if _ENDING.search(before.text.strip())]
    if len(begins) < count - 1:
        begins = [cue.start for cue in cues[1:]]
    end, starts, first = cues[-1].end, [0.0], 0
    for number in range(1, count):
        last = len(begins) - (count - 1 - number)  # as many as the others still need are left
        wanted = end * number / count
        at = min(range(first, last), key=lambda index: abs(begins[index] - wanted))
        starts.append(begins[at])
        first = at + 1
    return starts


def _letters(text: str) -> int:
    return sum(char.isalnum() for char in text)


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder)
