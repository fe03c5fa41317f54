"""Cuts a video into pieces that are encoded by themselves, each known by what it shows.

A piece is known by what is in it and not by where it stands: where a line gets longer, the pieces behind it
only move. A scene's length in frames depends on where it begins, by one frame; so the last piece of each
scene may have a spare frame, a key frame that is left out where it is not wanted.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from synth.video.cue_files import VideoCue
from synth.video.moves import KenBurns
from synth.video.timeline import Timeline

#: Frames of a piece: long enough for its key frame not to count, short enough for two cores to share a scene.
LONGEST_PIECE: Final = 240
_NO_FRAME: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture with its move. `seconds` is how long it is seen, its way out included."""

    picture: Path
    sha256: str
    fit: str
    move: KenBurns
    seconds: float


@dataclass(frozen=True, slots=True)
class ShownCaption:
    """A caption from frame `first` to before `last`, with the word that is said (by number) or None."""

    first: int
    last: int
    text: str
    word: int | None = None


@dataclass(frozen=True, slots=True)
class FilmPiece:
    """Frames that are encoded together.

    `first` is its first frame, counted from its scene's begin; `frames` are encoded, `used` of them shown.
    `under` is the picture that `shot` comes in over, seen since `under_seconds` at the scene's begin, and
    `fade` the frames that takes. Captions count from the scene's begin too.
    """

    scene: int
    first: int
    frames: int
    used: int
    shot: Shot
    captions: tuple[ShownCaption, ...] = ()
    under: Shot | None = None
    under_seconds: float = 0.0
    fade: int = 0

    def key(self, look: Mapping[str, Any], spare: bool) -> str:
        """What tells it from every other piece, 32 hexadecimal digits; `look` is what all have in common."""
        shown = asdict(self)
        for name in ("scene", "used"):
            del shown[name]
        for shot in (shown["shot"], shown["under"]):
            if shot is not None:
                del shot["picture"]  # its bytes count, not its name
        text = json.dumps([shown, spare, dict(look)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class PlannedPiece:
    """A piece, its key, and whether its last frame is a spare one."""

    piece: FilmPiece
    key: str
    spare: bool


def cut_pieces(
    timeline: Timeline,
    seconds: float,
    sha256s: Mapping[Path, str],
    burned: Sequence[VideoCue],
    look: Mapping[str, Any],
    fonts: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[PlannedPiece]:
    """The pieces of the whole video in order, which lasts `seconds` as its narration does.

    `burned` are the captions that stand in the picture; `fonts` is what the letters of each text come from.
    """

    def plan(piece: FilmPiece, *, spare: bool = False) -> PlannedPiece:
        drawn = sorted({font for caption in piece.captions for font in fonts.get(caption.text, ())})
        return PlannedPiece(piece, piece.key({**look, "fonts": drawn}, spare), spare)

    planned = []
    scenes = _SceneTimes(timeline, seconds)
    for number, scene in enumerate(timeline.scenes):
        shot = scenes.shot(number, sha256s[scene.picture])
        captions = tuple(_captions(burned, timeline.fps, scenes.starts[number], scenes.most[number]))
        before = number - 1
        under = None if not scenes.fades[number] else timeline.scenes[before].picture
        if under is not None:
            below = scenes.shot(before, sha256s[under])
            fade = scenes.fades[number]
            piece = FilmPiece(
                number, 0, fade, fade, shot, _within(captions, 0, fade), below, scenes.lengths[before], fade
            )
            planned.append(plan(piece))
        for first, frames, used in scenes.bodies(number):
            spare = scenes.most[number] > scenes.least[number] and first + frames == scenes.most[number]
            piece = FilmPiece(number, first, frames, used, shot, _within(captions, first, first + frames))
            planned.append(plan(piece, spare=spare))
    return planned


class _SceneTimes:
    """When scenes begin and end, in seconds and in frames."""

    def __init__(self, timeline: Timeline, seconds: float) -> None:
        self._timeline, self._fps = timeline, timeline.fps
        self.starts = [scene.start for scene in timeline.scenes] + [seconds]
        pairs = list(zip(self.starts, self.starts[1:], strict=False))
        self.lengths = [round(end - start, 6) for start, end in pairs]
        exact = [length * self._fps for length in self.lengths]
        self.least = [math.floor(each + _NO_FRAME) for each in exact]
        self.most = [math.ceil(each - _NO_FRAME) for each in exact]
        firsts = [_frame(start, self._fps) for start in self.starts]
        self.frames = [
            min(max(last - first, least), most)
            for first, last, least, most in zip(firsts, firsts[1:], self.least, self.most, strict=False)
        ]
        if not any(self.frames):  # shorter than half a frame, and still a film
            self.frames[-1] = self.most[-1]
        self.fades = [0, *(self._fade(at) for at in range(1, len(self.lengths)))]

    def _fade(self, at: int) -> int:
        wanted = round(self._timeline.scenes[at].fade * self._fps)
        return max(min(wanted, self.least[at] // 2, self.least[at - 1] // 2), 0)

    def shot(self, at: int, sha256: str) -> Shot:
        """Scene number `at` as it is seen, until the next one has come in."""
        scene = self._timeline.scenes[at]
        out = self.fades[at + 1] / self._fps if at + 1 < len(self.fades) else 0.0
        return Shot(scene.picture, sha256, scene.fit, scene.move, round(self.lengths[at] + out, 6))

    def bodies(self, at: int) -> Iterator[tuple[int, int, int]]:
        """First frame, frames and used frames of each piece after the scene has come in."""
        first, least, most, used = self.fades[at], self.least[at], self.most[at], self.frames[at]
        while least - first > LONGEST_PIECE:
            yield first, LONGEST_PIECE, LONGEST_PIECE
            first += LONGEST_PIECE
        if most > first and used > first:
            yield first, most - first, used - first


def total_frames(seconds: float, fps: int) -> int:
    """How many frames a video of that length has."""
    return max(_frame(seconds, fps), 1)


def _frame(seconds: float, fps: int) -> int:
    return math.floor(seconds * fps + 0.5)


def _captions(cues: Sequence[VideoCue], fps: int, start: float, frames: int) -> Iterator[ShownCaption]:
    """Those of one scene that begins at `start`, in its frames."""
    for cue in cues:
        if cue.end <= start or cue.start > start + frames / fps:
            continue
        for first_s, last_s, word in _states(cue):
            first = max(_frame(first_s - start, fps), 0)
            last = min(_frame(last_s - start, fps), frames)
            if first < last:
                yield ShownCaption(first, last, cue.text, word)


def _states(cue: VideoCue) -> Iterator[tuple[float, float, int | None]]:
    """From when to when it is shown with which word marked, by the word's number in the text."""
    if not cue.words:
        yield cue.start, cue.end, None
        return
    at, number = cue.start, 0
    for index, word in enumerate(cue.words):
        if word.start > at:
            yield at, word.start, None
        following = cue.words[index + 1].start if index + 1 < len(cue.words) else cue.end
        yield word.start, following, number
        at, number = following, number + len(word.text.split())


def _within(captions: Sequence[ShownCaption], first: int, last: int) -> tuple[ShownCaption, ...]:
    return tuple(
        ShownCaption(max(each.first, first), min(each.last, last), each.text, each.word)
        for each in captions
        if each.first < last and each.last > first
    )
