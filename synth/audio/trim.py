"""Cut the silence a model leaves around speech, and join pieces with pauses of known length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.loudness_meter import amplitude
from synth.audio.spectrum import Samples

FRAME_S: Final = 0.020
LEAD_S: Final = 0.060  # kept before the first sound
TRAIL_S: Final = 0.120  # kept after the last: speech decays
FADE_S: Final = 0.008
_HELD_S: Final = 0.020  # of what is kept after the last sound: it may still be a sound
_DYING_DB: Final = -40.0  # where the rest of it ends: a hum that goes on dies away instead of being cut
_UNDER_PEAK_DB: Final = -40.0
_FLOOR_DB: Final = -60.0
_LARGEST_OFFSET: Final = 0.002  # of a constant that is not worth removing


def _none() -> NDArray[np.float32]:
    return np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Speech with short margins, faded at both ends, and what was there before."""

    samples: Samples
    active: NDArray[np.bool_]  # (frames of 20 ms,) of the untrimmed signal: is there sound?
    lead_s: float  # silence before and after, as the engine left it
    trail_s: float
    cut_s: float = 0.0  # what was taken off before; negative where silence was added
    powers: NDArray[np.float32] = field(default_factory=_none)  # mean square of each of those frames


def trim(signal: Samples, sample_rate: int) -> Trimmed:
    """Exactly LEAD_S before the first and TRAIL_S after the last sounding frame; silence becomes empty.

    What goes on under the threshold after the last of them, such as the hum of an m, dies away within
    TRAIL_S: cut there, a limiter that lowers the peaks by 12 dB would make a loud end of it.
    """
    signal = without_offset(signal)
    powers = frame_powers(signal, sample_rate)
    active = _louder(powers, signal)
    where = np.flatnonzero(active)
    if not len(where):
        return Trimmed(signal[:0], active, len(signal) / sample_rate, 0.0, powers=powers)
    frame = round(FRAME_S * sample_rate)
    begin, end = int(where[0]) * frame, min((int(where[-1]) + 1) * frame, len(signal))
    first, last = begin - round(LEAD_S * sample_rate), end + round(TRAIL_S * sample_rate)
    kept = faded(signal[max(first, 0) : last], sample_rate)
    margin = kept[end - max(first, 0) :]
    margin *= _dying(sample_rate)[: len(margin)]
    return Trimmed(
        samples=np.pad(kept, (max(-first, 0), max(last - len(signal), 0))),
        active=active,
        lead_s=begin / sample_rate,
        trail_s=(len(signal) - end) / sample_rate,
        cut_s=first / sample_rate,
        powers=powers,
    )


def sounding_frames(signal: Samples, sample_rate: int) -> NDArray[np.bool_]:
    """Which frames of 20 ms are louder than 40 dB under the peak (and than -60 dBFS)."""
    return _louder(frame_powers(signal, sample_rate), signal)


def frame_powers(signal: Samples, sample_rate: int) -> NDArray[np.float32]:
    """(frames of 20 ms,) mean square of each, full scale 1.0; the last is filled up with silence."""
    frame = round(FRAME_S * sample_rate)
    whole = len(signal) // frame
    frames = signal[: whole * frame].reshape(whole, frame)
    powers: NDArray[np.float32] = np.einsum("ij,ij->i", frames, frames) / np.float32(frame)
    if whole * frame == len(signal):
        return powers
    rest = signal[whole * frame :]
    return np.append(powers, np.float32(np.dot(rest, rest) / frame))


def _louder(powers: NDArray[np.float32], signal: Samples) -> NDArray[np.bool_]:
    peak = float(max(signal.max(initial=0.0), -signal.min(initial=0.0)))
    threshold = max(peak * amplitude(_UNDER_PEAK_DB), amplitude(_FLOOR_DB))
    sounding: NDArray[np.bool_] = powers > threshold**2
    return sounding


@dataclass(frozen=True, slots=True)
class Joint:
    """One piece in the whole. `start` is the sample at which it begins, what is cut off of it included."""

    start: int
    parts: tuple[Samples, ...]  # the silence before, what is heard of it, the silence after


class Joiner:
    """Puts trimmed pieces after each other, one at a time; `pauses_s[i]` is the silence heard after piece i.

    The margins that trimming kept count as part of the pause, so that what is asked for is what is heard;
    they are cut where less is asked for. `lead_s` is asked for before all, the last pause after all; there
    the margins stay. Ends are faded already, so joints are silent: no click.
    """

    def __init__(self, pauses_s: Sequence[float], sample_rate: int, *, lead_s: float = 0.0) -> None:
        self._rate, self._at = sample_rate, 0
        self._places = _places(pauses_s, sample_rate, lead_s)

    def add(self, piece: Samples) -> Joint:
        """The next piece in its place; at most as many as there are pauses."""
        place = next(self._places)
        start = self._at + place.silence_before - place.cut_before
        joint = Joint(start, place.around(piece, self._rate))
        self._at += sum(map(len, joint.parts))
        return joint


@dataclass(frozen=True, slots=True)
class _Place:
    """Of one piece, in samples: silence around it, and how much of its margins goes."""

    silence_before: int
    silence_after: int
    cut_before: int
    cut_after: int

    def around(self, piece: Samples, sample_rate: int) -> tuple[Samples, ...]:
        kept = piece[self.cut_before : len(piece) - self.cut_after]
        cut = faded(kept, sample_rate, start=self.cut_before > 0, end=self.cut_after > 0)
        return np.zeros(self.silence_before, np.float32), cut, np.zeros(self.silence_after, np.float32)


def _places(pauses_s: Sequence[float], sample_rate: int, lead_s: float) -> Iterator[_Place]:
    cut_before, last = 0, len(pauses_s) - 1
    for index, pause_s in enumerate(pauses_s):
        before = max(lead_s - LEAD_S, 0.0) if index == 0 else 0.0
        over_s = LEAD_S + TRAIL_S - pause_s  # of the margins around this pause
        if index == last:
            after, cut_after, next_cut = max(pause_s - TRAIL_S, 0.0), 0.0, 0.0
        else:
            after, share = max(-over_s, 0.0), max(over_s, 0.0) / (LEAD_S + TRAIL_S)
            cut_after, next_cut = share * TRAIL_S, share * LEAD_S
        yield _Place(
            round(before * sample_rate),
            round(after * sample_rate),
            cut_before,
            round(cut_after * sample_rate),
        )
        cut_before = round(next_cut * sample_rate)


def without_offset(signal: Samples) -> Samples:
    """The signal around zero, where a constant lies in it that is worth removing."""
    if not len(signal):
        return signal
    offset = float(signal.mean())
    return signal - np.float32(offset) if abs(offset) > _LARGEST_OFFSET else signal


def faded(signal: Samples, sample_rate: int, *, start: bool = True, end: bool = True) -> Samples:
    """A copy that begins and ends in silence."""
    length = min(round(FADE_S * sample_rate), len(signal) // 2)
    changed = signal.copy()
    if length:
        curve = _raised_cosine(length)
        if start:
            changed[:length] *= curve
        if end:
            changed[-length:] *= curve[::-1]
    return changed


@lru_cache(maxsize=16)
def _dying(sample_rate: int) -> Samples:
    """The gain over TRAIL_S: straight down in decibels, as sounds die away in a room."""
    seconds = np.arange(round(TRAIL_S * sample_rate)) / sample_rate
    gain_db = _DYING_DB * np.maximum(seconds - _HELD_S, 0.0) / (TRAIL_S - _HELD_S)
    curve: Samples = np.power(10.0, gain_db / 20).astype(np.float32)
    return curve


@lru_cache(maxsize=16)
def _raised_cosine(length: int) -> Samples:
    curve: Samples = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)).astype(np.float32)
    return curve
