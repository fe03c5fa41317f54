"""Checks of a piece's sound that need no recogniser: each says what is wrong in a sentence, or nothing.

They are pure and look at measures, so the same samples have the same faults everywhere. The thresholds come
from 13 sentences of each of four engines, and 16 kinds of damage done to them; each names its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from synth.audio.measures import LEAST_SOUNDS, PieceMeasures
from synth.audio.repeats import likeness
from synth.audio.spectrum import Samples
from synth.audio.trim import Trimmed
from synth.verify.due import Due


@dataclass(frozen=True, slots=True)
class Fault:
    """What one check found: its name, and a sentence with the evidence."""

    check: str
    why: str


@dataclass(frozen=True, slots=True)
class Examined:
    """One piece as the engine made it, and what its text should take."""

    raw: Samples  # (n,), mono, full scale 1.0
    sample_rate: int  # Hz
    trimmed: Trimmed
    measures: PieceMeasures
    due: Due


#: A sentence about what is wrong, or None.
Check = Callable[[Examined], str | None]
