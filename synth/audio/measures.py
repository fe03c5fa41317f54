"""What can be said of a take from its samples alone, and which of it is a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.spectrum import Samples
from synth.audio.trim import FRAME_S, Trimmed

LARGEST_RATE_DEVIATION: Final = 0.30
_LEAST_FOR_RATE_S: Final = 1.5  # a few words say little about a rate
#: A piece of fewer sounds says nothing: every utterance is drawn out by a quarter of a second, however short.
_LEAST_SOUNDS: Final = 9
_MOST_OVER_S: Final = 1.0  # of such a piece beyond its sounds at the usual rate: it did not end
_LEAST_TRAIL_S: Final = 0.060  # less quiet than this at the end, before trimming, is a word cut off
_LONGEST_GAP_S: Final = 1.2
_MOST_CLIPPED_PPM: Final = 100.0
_LARGEST_OFFSET: Final = 0.01
_QUIETEST_RMS_DB: Final = -45.0
_CLIPPED: Final = 0.999


@dataclass(frozen=True, slots=True)
class PieceMeasures:
    """Measures of one piece as the engine made it, before trimming."""

    active_s: float
    lead_s: float
    trail_s: float
    gap_s: float  # longest silence inside
    clipped: int  # samples at full scale
    samples: int
    offset: float  # mean of all samples
    power: float  # mean square
    phonemes: int | None


def measure_piece(raw: Samples, trimmed: Trimmed, phonemes: int | None) -> PieceMeasures:
    """Measure one piece; `phonemes` is the engine's own count where it has one."""
    return PieceMeasures(
        active_s=float(trimmed.active.sum()) * FRAME_S,
        lead_s=trimmed.lead_s,
        trail_s=trimmed.trail_s,
        gap_s=_longest_gap(trimmed.active) * FRAME_S,
        clipped=int((np.abs(raw) >= _CLIPPED).sum()),
        samples=len(raw),
        offset=float(raw.mean()) if len(raw) else 0.0,
        power=float(np.square(raw).mean()) if len(raw) else 0.0,
        phonemes=phonemes,
    )


@dataclass(frozen=True, slots=True)
class TakeMeasures:
    """Measures of a whole take: the worst of its pieces, or their sum."""

    active_s: float
    rate: float | None  # phonemes per sounding second; None where the engine does not count them
    rate_deviation: float | None  # from the voice's usual rate: 0.1 is 10 % quicker
    shortest_trail_s: float
    longest_gap_s: float
    clipped_ppm: float
    offset: float
    rms_db: float
    flags: tuple[str, ...]

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


def measure_take(pieces: list[PieceMeasures], usual_rate: float | None) -> TakeMeasures:
    """Sum up a take of at least one piece; `usual_rate` is the voice's median at the take's speed."""
    active = sum(piece.active_s for piece in pieces)
    telling = [piece for piece in pieces if piece.phonemes is None or piece.phonemes >= _LEAST_SOUNDS]
    samples = max(sum(piece.samples for piece in pieces), 1)
    rate = _rate(telling or pieces)
    deviation = rate / usual_rate - 1 if rate is not None and usual_rate else None
    power = sum(piece.power * piece.samples for piece in pieces) / samples
    values = TakeMeasures(
        active_s=active,
        rate=rate,
        rate_deviation=deviation,
        shortest_trail_s=min(piece.trail_s for piece in pieces),
        longest_gap_s=max(piece.gap_s for piece in pieces),
        clipped_ppm=sum(piece.clipped for piece in pieces) * 1e6 / samples,
        offset=max((piece.offset for piece in pieces), key=abs),
        rms_db=float(10 * np.log10(max(power, 1e-12))),
        flags=(),
    )
    off = deviation is not None and abs(deviation) > LARGEST_RATE_DEVIATION
    long_enough = sum(piece.active_s for piece in telling) >= _LEAST_FOR_RATE_S
    short = [piece for piece in pieces if piece not in telling]
    return _with_flags(values, wrong_rate=(off and long_enough) or _runs_on(short, usual_rate))


def _runs_on(short: list[PieceMeasures], usual_rate: float | None) -> bool:
    """Whether a short piece lasts as no few sounds do: the engine missed its end."""
    if not usual_rate:
        return False
    return any(piece.active_s > (piece.phonemes or 0) / usual_rate + _MOST_OVER_S for piece in short)


def _with_flags(take: TakeMeasures, *, wrong_rate: bool) -> TakeMeasures:
    faults = {
        "rate": wrong_rate,
        "cut_off": take.shortest_trail_s < _LEAST_TRAIL_S,
        "gap": take.longest_gap_s > _LONGEST_GAP_S,
        "clipped": take.clipped_ppm > _MOST_CLIPPED_PPM,
        "offset": abs(take.offset) > _LARGEST_OFFSET,
        "quiet": take.rms_db < _QUIETEST_RMS_DB,
    }
    flags = tuple(name for name, wrong in faults.items() if wrong)
    return TakeMeasures(
        take.active_s,
        take.rate,
        take.rate_deviation,
        take.shortest_trail_s,
        take.longest_gap_s,
        take.clipped_ppm,
        take.offset,
        take.rms_db,
        flags,
    )


def _rate(pieces: list[PieceMeasures]) -> float | None:
    active_s = sum(piece.active_s for piece in pieces)
    counts = [piece.phonemes for piece in pieces if piece.phonemes is not None]
    return sum(counts) / active_s if len(counts) == len(pieces) and active_s > 0 else None


def _longest_gap(active: NDArray[np.bool_]) -> int:
    """Frames in the longest silence between two sounding frames."""
    where = np.flatnonzero(active)
    return int(np.diff(where).max(initial=1)) - 1 if len(where) > 1 else 0


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
