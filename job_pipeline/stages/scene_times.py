"""When each scene is heard: scenes are cut by their words, and captions say when words are spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

_MOMENT: Final = r"(\d+):(\d\d):(\d\d)[,.](\d{3})"
_TIMES: Final = re.compile(rf"{_MOMENT}\s*-->\s*{_MOMENT}")
_NEAR: Final = 0.2  # of a cue's letters: a scene that begins so near to its begin or end begins there
_SHORTEST_S: Final = 0.2  # of a scene, whatever the captions say


@dataclass(frozen=True, slots=True)
class SpokenCue:
    """A caption: seconds of the voice-over, and how many letters it has."""

    start: float
    end: float
    letters: int


def cues_in(text: str) -> list[SpokenCue]:
    """The captions of a SubRip file, in order; what cannot be read as one is passed over."""
    found = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        times = _TIMES.search(block)
        if times is not None:
            start, end = (_seconds(times.groups()[at : at + 4]) for at in (0, 4))
            found.append(SpokenCue(start, end, letters_of(block[times.end() :])))
    return found


def _seconds(groups: Sequence[str]) -> float:
    hours, minutes, seconds, thousandths = map(int, groups)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def letters_of(text: str) -> int:
    """Letters and digits of a text: blanks and signs differ between a script and its captions."""
    return len(re.findall(r"[^\W_]", text))


def scene_starts(
    scenes: Sequence[Mapping[str, Any]], beats: Sequence[Mapping[str, Any]], cues: Sequence[SpokenCue]
) -> list[float]:
    """When each scene begins, in seconds of the voice-over, rising; the first at 0.

    `scenes` have `beat` and `narration`; `beats` have `id`, `start` and `end`. A pause between beats belongs
    to the scene before it.
    """
    starts = list[float]()
    for beat in beats:
        mine = [letters_of(scene["narration"]) for scene in scenes if scene["beat"] == beat["id"]]
        spoken = [cue for cue in cues if beat["start"] - 0.05 <= cue.start < beat["end"]]
        starts += _within(mine, beat, spoken)
    rising = [0.0]
    for start in starts[1:]:
        rising.append(round(max(start, rising[-1] + _SHORTEST_S), 3))
    return rising


def _within(letters: Sequence[int], beat: Mapping[str, Any], cues: Sequence[SpokenCue]) -> Iterator[float]:
    """When scenes of one beat begin that have so many letters each."""
    total = max(sum(letters), 1)
    known = cues or [SpokenCue(beat["start"], beat["end"], total)]
    heard = max(sum(cue.letters for cue in known), 1)
    for before in [0, *accumulate(letters)][: len(letters)]:
        yield beat["start"] if not before else _moment(known, before / total * heard)


def _moment(cues: Sequence[SpokenCue], letters: float) -> float:
    """When so many letters of these captions have been said."""
    past = 0.0
    for number, cue in enumerate(cues):
        share = (letters - past) / max(cue.letters, 1)
        if share <= _NEAR:
            return cue.start
        if share < 1 - _NEAR or number == len(cues) - 1:
            return cue.start + (cue.end - cue.start) * min(share, 1.0)
        if share <= 1 + _NEAR:
            return cues[number + 1].start
        past += cue.letters
    return cues[-1].end
