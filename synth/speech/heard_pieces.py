"""A piece once the engine has spoken it: trimmed, measured, and held against what its text should take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from lib.records import WordTiming
from lib.voices import without_markup
from synth.audio.levels import Samples
from synth.audio.measures import PieceMeasures, measure_piece
from synth.audio.trim import Trimmed, trim
from synth.engines.port import Speech
from synth.speech.speaking_pace import SpeakingPace
from synth.verify import Due, ExaminedPiece, SignalFault, due_of, faults_of

#: Full scale is 1.0; files of floats that hold the whole numbers of 16 bits have 32,768.
_LARGEST: Final = 1e6


@dataclass(frozen=True, slots=True)
class HeardPiece:
    """What the engine made of a piece. Its untrimmed samples are gone."""

    trimmed: Trimmed
    sample_rate: int
    measures: PieceMeasures
    due: Due
    faults: tuple[SignalFault, ...]
    words: tuple[WordTiming, ...]  # of the untrimmed samples

    @property
    def standing(self) -> tuple[int, float]:
        """What tries of one piece are compared by; less is better: faults, then how far its pace is off."""
        expected = self.due.expected_s
        active = self.measures.active_s
        return len(self.faults), 0.0 if not expected else round(abs(active / expected - 1), 2)


def hear_piece(text: str, speech: Speech, pace: SpeakingPace) -> HeardPiece:
    """Trim, measure and check `speech`, which is finite, of the piece `text` (markup may stand in it)."""
    trimmed = trim(speech.samples, speech.sample_rate)
    measures = measure_piece(speech.samples, trimmed, speech.sample_rate, speech.phonemes)
    due = due_of(
        without_markup(text),
        sounds=speech.phonemes,
        usual=pace.usual,
        speed=pace.speed,
        least_lead_s=pace.least_lead_s,
    )
    faults: tuple[SignalFault, ...] = (SignalFault("no_sound", "There is no sound in it."),)
    if len(trimmed.samples):
        faults = faults_of(ExaminedPiece(speech.samples, speech.sample_rate, trimmed, measures, due))
    return HeardPiece(trimmed, speech.sample_rate, measures, due, faults, speech.words)


def is_sound(samples: Samples) -> bool:
    """Whether the values are such as a sound has: one row of numbers, none so large that no level is left."""
    return samples.ndim == 1 and bool((np.abs(samples) <= _LARGEST).all())  # NaN is no number of these
