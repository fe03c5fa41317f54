"""A piece once the engine has spoken it: trimmed, measured, and held against what its text should take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from lib.records import WordTiming
from lib.voices import ResolvedVoice, engine_facts, without_markup
from synth.audio.measures import PieceMeasures, measure_piece
from synth.audio.spectrum import Samples
from synth.audio.trim import Trimmed, trim
from synth.engines.port import EngineLimits, Speech
from synth.verify import Due, ExaminedPiece, SignalFault, UsualRate, due_of, faults_of

#: How far the time of a sentence may be off where the rate was measured of that very voice. The sentences of
#: four engines lie within 15 % of their voice.
_MEASURED: Final = 0.30
#: Full scale is 1.0; files of floats that hold the whole numbers of 16 bits have 32,768.
_LARGEST: Final = 1e6
#: Where the rate is what others report of the engine, or letters stand for sounds.
_REPORTED: Final = 0.50


@dataclass(frozen=True, slots=True)
class SpeakingPace:
    """What is known of how a voice speaks."""

    usual: UsualRate | None = None
    least_lead_s: float = 0.0
    speed: float = 1.0

    @classmethod
    def of(cls, voice: ResolvedVoice, limits: EngineLimits, speed: float) -> SpeakingPace:
        """The pace of `voice` at `speed`: the engine's own figure, else what its letters take.

        The figures stand in the code and with the voice, not on a machine: a take passes everywhere, or
        nowhere.
        """
        if limits.usual_rate is not None:
            usual = UsualRate(limits.usual_rate, _MEASURED)
        else:
            usual = UsualRate(engine_facts(voice.engine).letters_per_second, _REPORTED, "letters")
        return cls(usual, limits.least_lead_s, speed)


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
