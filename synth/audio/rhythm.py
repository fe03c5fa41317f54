"""Make the pauses inside a piece as long as they should be: an engine's own are long here and short there.

Only silence is touched: what an engine spoke through without a pause stays as it spoke it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.audio.levels import Samples
from synth.audio.trim import FRAME_S, faded, sounding_frames

_LEAST_S: Final = 0.06  # shorter silences are those before p, t and k
_FARTHEST: Final = (
    0.15  # between where a mark stands in the text and a silence in the sound, as parts of both
)
_NEAR_ENOUGH_S: Final = 0.02  # to what is wanted: not worth a cut


@dataclass(frozen=True, slots=True)
class Mark:
    """A pause that a reader makes inside a piece."""

    place: float  # what part of the piece's letters stands before it, 0 to 1
    seconds: float  # of silence; silences where no mark stands are at most the least of them


@dataclass(frozen=True, slots=True)
class PauseEdit:
    """Silence that was added (or taken out, where negative) at a moment of the original."""

    at_s: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Silence:
    first: int  # in frames
    frames: int
    place: float  # what part of the sounding frames lies before it

    @property
    def seconds(self) -> float:
        return self.frames * FRAME_S


def with_pauses(
    signal: Samples, sample_rate: int, marks: Sequence[Mark], longest_s: float
) -> tuple[Samples, tuple[PauseEdit, ...]]:
    """`signal` with the silence at each mark as long as the mark says, and no other over `longest_s`.

    Returns what was done too, in order, for whoever knows when words sound.
    """
    silences = _silences(signal, sample_rate)
    wanted = {index: marks[mark].seconds for index, mark in _matched(silences, marks)}
    parts: list[Samples] = []
    edits: list[PauseEdit] = []
    at = 0
    for index, silence in enumerate(silences):
        seconds = wanted.get(index, min(silence.seconds, longest_s)) - silence.seconds
        if abs(seconds) < _NEAR_ENOUGH_S:
            continue
        middle = round((silence.first + silence.frames / 2) * FRAME_S * sample_rate)
        taken = max(round(-seconds * sample_rate), 0)
        parts += [signal[at : middle - taken // 2], _quiet(seconds, sample_rate)]
        at = middle - taken // 2 + taken
        edits.append(PauseEdit(middle / sample_rate, seconds))
    if not edits:
        return signal, ()
    parts.append(signal[at:])
    return _joined(parts, sample_rate), tuple(edits)


@dataclass(frozen=True, slots=True)
class HeardPause:
    """A silence that stands for a mark. Seconds of the piece; `place` is the mark's."""

    place: float
    start_s: float
    end_s: float


def heard_pauses(signal: Samples, sample_rate: int, marks: Sequence[Mark]) -> tuple[HeardPause, ...]:
    """Which silences stand for which marks, in order; marks that were spoken through have none."""
    if not marks:
        return ()
    silences = _silences(signal, sample_rate)
    return tuple(
        HeardPause(
            marks[mark].place,
            silences[index].first * FRAME_S,
            (silences[index].first + silences[index].frames) * FRAME_S,
        )
        for index, mark in _matched(silences, marks)
    )


def moved(seconds: float, edits: Sequence[PauseEdit]) -> float:
    """When a moment of the original comes after the edits."""
    return seconds + sum(edit.seconds for edit in edits if edit.at_s <= seconds)


def _silences(signal: Samples, sample_rate: int) -> list[_Silence]:
    """The silences between sounds that are long enough to be pauses."""
    sounding = np.flatnonzero(sounding_frames(signal, sample_rate))
    gaps = np.diff(sounding) - 1
    least = round(_LEAST_S / FRAME_S)
    return [
        _Silence(int(sounding[index]) + 1, int(gaps[index]), (int(index) + 1) / len(sounding))
        for index in np.flatnonzero(gaps >= least)
    ]


def _matched(silences: Sequence[_Silence], marks: Sequence[Mark]) -> list[tuple[int, int]]:
    """Pairs of silence and mark, in order, that fit best together: long silences near their marks."""
    best: list[list[tuple[float, tuple[tuple[int, int], ...]]]] = [[(0.0, ())] * (len(marks) + 1)]
    for index, silence in enumerate(silences):
        row = [best[-1][0]]
        for number, mark in enumerate(marks):
            options = [best[-1][number + 1], row[number]]
            off = abs(silence.place - mark.place)
            if off <= _FARTHEST:
                before, pairs = best[-1][number]
                options.append(
                    (before + min(silence.seconds, 0.3) + _FARTHEST - off, (*pairs, (index, number)))
                )
            row.append(max(options, key=lambda option: option[0]))
        best.append(row)
    return list(best[-1][-1][1])


def _quiet(seconds: float, sample_rate: int) -> Samples:
    return np.zeros(max(round(seconds * sample_rate), 0), np.float32)


def _joined(parts: Sequence[Samples], sample_rate: int) -> Samples:
    """The parts after each other, each joint faded on both sides: no click."""
    last = len(parts) - 1
    faded_parts = [
        faded(part, sample_rate, start=index > 0, end=index < last) for index, part in enumerate(parts)
    ]
    return np.concatenate(faded_parts)
