"""An engine that hums: quick, countable, and as obedient as a test wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lib.voices import ResolvedVoice
from synth.audio.levels import Samples
from synth.audio.trim import Joiner
from synth.engines import EngineLimits, Model, Speech, Utterance
from synth.speech.request import SpeakRequest

RATE = 24_000


def hum(seconds: float, hertz: float = 150.0, level: float = 0.1, rate: int = RATE) -> np.ndarray:
    """A tone with a little noise, so that two seeds differ."""
    times = np.arange(round(seconds * rate)) / rate
    tone: np.ndarray = (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)
    return tone


def babble(seconds: float, hertz: float = 150.0, level: float = 0.1) -> np.ndarray:
    """A tone whose level moves as that of speech does, four times a second."""
    times = np.arange(round(seconds * RATE)) / RATE
    moving: np.ndarray = (0.55 - 0.45 * np.cos(2 * np.pi * 4 * times)).astype(np.float32)
    babbled: np.ndarray = hum(seconds, hertz, level) * moving
    return babbled


def placed(
    pieces: Sequence[Samples], pauses: Sequence[float], *, lead_s: float = 0.0
) -> tuple[Samples, list[int]]:
    """The pieces joined, and where each begins."""
    joiner = Joiner(pauses, RATE, lead_s=lead_s)
    joints = [joiner.add(piece) for piece in pieces]
    return np.concatenate([part for joint in joints for part in joint.parts]), [each.start for each in joints]


class HummingEngine:
    """0.05 s of a moving tone for each letter, between silences as a model leaves them."""

    name = "hibari"  # takes the name of the default, so that voices resolve to it

    def __init__(
        self, *, seed_varies: bool = False, batch: int = 1, before: Callable[[Utterance], None] | None = None
    ) -> None:
        self.loads = 0
        self.calls: list[list[Utterance]] = []
        self._limits = EngineLimits(300, batch, seed_varies, usual_rate=None)
        self._before = before or (lambda utterance: None)

    def load(self) -> Model:
        self.loads += 1
        return Model("hum", "1", RATE)

    def speak(self, utterances: Sequence[Utterance]) -> list[Speech]:
        self.calls.append(list(utterances))
        return [self._hum(utterance) for utterance in utterances]

    def speakers(self) -> Mapping[str, str]:
        return {"heart": "heart"}

    def languages(self) -> frozenset[str]:
        return frozenset({"English"})

    def limits(self) -> EngineLimits:
        return self._limits

    @property
    def spoken(self) -> list[Utterance]:
        return [utterance for call in self.calls for utterance in call]

    def _hum(self, utterance: Utterance) -> Speech:
        self._before(utterance)
        letters = sum(char.isalnum() for char in utterance.text)
        tone = babble(0.05 * letters / utterance.speed, 150 + utterance.seed % 50)
        quiet = np.zeros(round(0.3 * RATE), np.float32)
        return Speech(np.concatenate([quiet, tone, quiet]), RATE, letters)


#: As long as what `GappyEngine` makes of it.
GAPPED = "A sentence of about forty letters, as they are."


class GappyEngine(HummingEngine):
    """Says everything with a silence in the middle that is too long, until `whole_from` calls were made."""

    whole_from = 99

    def _hum(self, utterance: Utterance) -> Speech:
        made = super()._hum(utterance)
        if len(self.calls) > self.whole_from:
            return made
        middle = len(made.samples) // 2
        gap = np.zeros(round(1.5 * RATE), np.float32)
        return replace(made, samples=np.concatenate([made.samples[:middle], gap, made.samples[middle:]]))


def request(text: str = "One sentence. And two.", **changes: object) -> SpeakRequest:
    voice = ResolvedVoice("hibari", None, "heart", "heart", "English")
    return SpeakRequest(text, voice, **changes)  # type: ignore[arg-type]  # tests name any field
