"""How quickly a voice speaks, and how far the time of a sentence may be off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lib.voices import ResolvedVoice, engine_facts
from synth.engines.port import EngineLimits
from synth.verify import UsualRate

#: How far the time of a sentence may be off where the rate was measured of that very voice. The sentences of
#: four engines lie within 15 % of their voice.
_MEASURED: Final = 0.30
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
