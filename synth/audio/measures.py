"""What can be said of speech from its samples alone. What of it is a fault, `synth.verify` says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.spectrum import Samples
from synth.audio.trim import FRAME_S, Trimmed

#: A piece of fewer sounds says nothing of a rate: every utterance is drawn out, however short.
LEAST_SOUNDS: Final = 9
_ONSET_S: Final = 0.005
_END_S: Final = 0.060
_SILENCE_DB: Final = -120.0
_PLATEAU: Final = 1 - 1e-4  # of the peak; a sine of 150 Hz at 24 kHz has two samples there at most
_LEAST_PLATEAU: Final = 3  # samples in a row
_SPOKEN_DB: Final = 18.0  # under the level of speech; what goes on there for long is none
_EVEN_S: Final = 1.0
_EVEN_DB: Final = 2.0  # standard deviation of the level of frames; that of noise is 0.3, of speech over 5


@dataclass(frozen=True, slots=True)
class PieceMeasures:
    """Measures of one piece as the engine made it, before trimming. Levels are of frames of 20 ms."""

    active_s: float  # seconds that sound
    lead_s: float  # silence before the first sound, and after the last
    trail_s: float
    gap_s: float  # longest silence inside
    clipped: int  # samples on plateaus of three and more at the peak
    samples: int
    offset: float  # mean of all samples
    power: float  # mean square
    phonemes: int | None
    onset_db: float  # level of the first 5 ms, against the peak
    end_db: float  # level of the last 60 ms, against the peak
    contrast_db: float  # from the quietest frames to the loudest: what noise takes away
    faint_s: float  # seconds at the end that sound and are far below speech
    even_s: float  # longest stretch, of a second and more, whose level does not move as that of speech does


def measure_piece(raw: Samples, trimmed: Trimmed, sample_rate: int, phonemes: int | None) -> PieceMeasures:
    """Measure one piece; `phonemes` is the engine's own count where it has one."""
    levels = _decibels(trimmed.powers)
    peak = float(max(raw.max(initial=0.0), -raw.min(initial=0.0)))
    first = raw[: max(round(_ONSET_S * sample_rate), 1)]
    return PieceMeasures(
        active_s=float(trimmed.active.sum()) * FRAME_S,
        lead_s=trimmed.lead_s,
        trail_s=trimmed.trail_s,
        gap_s=_longest_gap(trimmed.active) * FRAME_S,
        clipped=_clipped(raw, peak),
        samples=len(raw),
        offset=float(raw.mean()) if len(raw) else 0.0,
        power=float(np.dot(raw, raw)) / len(raw) if len(raw) else 0.0,
        phonemes=phonemes,
        onset_db=_under_peak(first, peak),
        end_db=_under_peak(raw[-max(round(_END_S * sample_rate), 1) :], peak),
        contrast_db=_contrast(levels),
        faint_s=_faint(levels, trimmed.active) * FRAME_S,
        even_s=_longest_even(levels, trimmed.active) * FRAME_S,
    )


@dataclass(frozen=True, slots=True)
class TakeMeasures:
    """Measures of a whole take: the worst of its pieces, or their sum."""

    active_s: float
    rate: float | None  # phonemes per sounding second; None where the engine does not count them
    rate_deviation: float | None  # from the voice's usual pace: 0.1 is 10 % quicker
    shortest_trail_s: float
    longest_gap_s: float
    clipped_ppm: float
    offset: float
    rms_db: float

    def to_json(self) -> dict[str, Any]:
        """Plain data, rounded to what means something."""
        return {
            "active_s": round(self.active_s, 3),
            "rate": _rounded(self.rate, 2),
            "rate_deviation": _rounded(self.rate_deviation, 3),
            "shortest_trail_s": round(self.shortest_trail_s, 3),
            "longest_gap_s": round(self.longest_gap_s, 3),
            "clipped_ppm": round(self.clipped_ppm, 1),
            "offset": round(self.offset, 5),
            "rms_db": round(self.rms_db, 2),
        }


def measure_take(
    pieces: Sequence[PieceMeasures], expected_s: Sequence[float | None] | None = None
) -> TakeMeasures:
    """Sum up a take of at least one piece; `expected_s` is how long each should sound, where known."""
    telling = [piece for piece in pieces if piece.phonemes is None or piece.phonemes >= LEAST_SOUNDS]
    samples = max(sum(piece.samples for piece in pieces), 1)
    rate = _rate(telling or pieces)
    power = sum(piece.power * piece.samples for piece in pieces) / samples
    return TakeMeasures(
        active_s=sum(piece.active_s for piece in pieces),
        rate=rate,
        rate_deviation=_deviation(pieces, expected_s or ()),
        shortest_trail_s=min(piece.trail_s for piece in pieces),
        longest_gap_s=max(piece.gap_s for piece in pieces),
        clipped_ppm=sum(piece.clipped for piece in pieces) * 1e6 / samples,
        offset=max((piece.offset for piece in pieces), key=abs),
        rms_db=float(10 * np.log10(max(power, 1e-12))),
    )


def _rate(pieces: Sequence[PieceMeasures]) -> float | None:
    active_s = sum(piece.active_s for piece in pieces)
    counts = [piece.phonemes for piece in pieces if piece.phonemes is not None]
    return sum(counts) / active_s if len(counts) == len(pieces) and active_s > 0 else None


def _deviation(pieces: Sequence[PieceMeasures], expected_s: Sequence[float | None]) -> float | None:
    """How much quicker than it should be, of the pieces that tell; of all, where none does."""
    known = [
        (piece, expected) for piece, expected in zip(pieces, expected_s, strict=False) if expected is not None
    ]
    telling = [pair for pair in known if pair[0].phonemes is None or pair[0].phonemes >= LEAST_SOUNDS]
    active_s = sum(piece.active_s for piece, _ in telling or known)
    return sum(expected for _, expected in telling or known) / active_s - 1 if active_s > 0 else None


def _decibels(powers: NDArray[np.float32]) -> NDArray[np.float32]:
    levels: NDArray[np.float32] = 10 * np.log10(np.maximum(powers, np.float32(10 ** (_SILENCE_DB / 10))))
    return levels


def _under_peak(signal: Samples, peak: float) -> float:
    if not len(signal) or peak <= 0:
        return _SILENCE_DB
    level = float(np.sqrt(np.dot(signal, signal) / len(signal))) / peak
    return max(20 * float(np.log10(max(level, 1e-6))), _SILENCE_DB)


def _longest_gap(active: NDArray[np.bool_]) -> int:
    """Frames in the longest silence between two sounding frames."""
    where = np.flatnonzero(active)
    return int(np.diff(where).max(initial=1)) - 1 if len(where) > 1 else 0


def _clipped(raw: Samples, peak: float) -> int:
    """Samples in runs at the peak: cut off, at whatever level, and however they were scaled since."""
    if peak <= 0:
        return 0
    where = np.flatnonzero(np.abs(raw) >= peak * _PLATEAU)
    if len(where) < _LEAST_PLATEAU:
        return 0
    runs = np.split(where, np.flatnonzero(np.diff(where) > 1) + 1) if len(where) < len(raw) else [where]
    return sum(len(run) for run in runs if len(run) >= _LEAST_PLATEAU)


def _contrast(levels: NDArray[np.float32]) -> float:
    """Decibels between the frames at the 5th and at the 95th hundredth."""
    if not len(levels):
        return 0.0
    ordered = np.sort(levels)
    return _hundredth(ordered, 95) - _hundredth(ordered, 5)


def _hundredth(ordered: NDArray[np.float32], number: int) -> float:
    """As `np.percentile` of values in order, at least one, without the half millisecond its rules take."""
    place = (len(ordered) - 1) * number / 100
    before = int(place)
    low, high = float(ordered[before]), float(ordered[min(before + 1, len(ordered) - 1)])
    return low + (high - low) * (place - before)


def _faint(levels: NDArray[np.float32], active: NDArray[np.bool_]) -> int:
    """Frames from the last one at the level of speech to the last that sounds."""
    where = np.flatnonzero(active)
    if not len(where):
        return 0
    sounding = levels[where]
    spoken = np.flatnonzero(sounding >= _hundredth(np.sort(sounding), 90) - _SPOKEN_DB)
    return int(where[-1] - where[spoken[-1]])


def _longest_even(levels: NDArray[np.float32], active: NDArray[np.bool_]) -> int:
    """Frames in the longest stretch of at least a second that sounds evenly; 0: there is none."""
    window = round(_EVEN_S / FRAME_S)
    if len(levels) < window:
        return 0
    sums = np.cumsum(np.concatenate([[0.0], levels.astype(np.float64)]))
    squares = np.cumsum(np.concatenate([[0.0], np.square(levels.astype(np.float64))]))
    sounding = np.cumsum(np.concatenate([[0], active]))
    mean = (sums[window:] - sums[:-window]) / window
    variance = (squares[window:] - squares[:-window]) / window - np.square(mean)
    even = (variance < _EVEN_DB**2) & (sounding[window:] - sounding[:-window] == window)
    if not even.any():
        return 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], even.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max()) + window - 1


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
