"""hibari: a small neural English voice on the CPU, whose weights come in its wheel.

The model has one voice. Presets scale its pitch curve and warp its spectral envelopes before the signal is
made, which gives speakers that are told apart by ear at no cost in speed or size. That needs the model's
session and signal processing, which are not its public interface: the package is pinned to one version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lib.voices import Preset, engine_facts
from synth.audio.levels import Samples
from synth.audio.trim import trim
from synth.engines.hibari.frames import intoned, paced, warped, warped_between_harmonics
from synth.engines.hibari.text import fit, readable, sounds, with_breaks
from synth.engines.port import EngineFailed, EngineLimits, Model, Speech, Utterance

if TYPE_CHECKING:
    from hibari import Hibari

_RATE: Final = 24_000
#: A fit over 78 sentences of five presets, with 0.17 s of onset; none is 18 % off.
_SOUNDS_PER_SECOND: Final = 16.06
_LEAST_LEAD_S: Final = 0.040  # a sentence in parts has what trimming leaves; whole ones have 0.28 and more
_BETWEEN_PARTS_S: Final = 0.10
_DROPPED_ALONE: Final = 0.10  # of speed; dropping or repeating more frames than this is heard


class HibariEngine:
    """The default engine: English, offline, some 150 times faster than real time on one core.

    With several texts at hand it uses several cores; the same samples come of it.
    """

    name = "hibari"

    def __init__(self) -> None:
        self._facts = engine_facts(self.name)
        self._model: Hibari | None = None
        self._at_once = self._facts.batch

    def configure(self, settings: Mapping[str, str]) -> None:
        """Take the setting HIBARI_BATCH: how many texts are spoken side by side, a core each."""
        self._at_once = int(settings.get("HIBARI_BATCH") or self._at_once)

    def load(self) -> Model:
        """Load the model and its dictionary, about half a second."""
        if self._model is None:
            from hibari import Hibari

            self._model = Hibari(threads=1)
            _ = self._model.g2p  # loads the dictionary
        return Model("hibari heart", f"{self._facts.version}+{_weights_sha256()[:16]}", _RATE)

    def speak(self, utterances: Sequence[Utterance]) -> list[Speech | EngineFailed]:
        """Speak side by side: the model has no batches, but leaves the interpreter to others mostly.

        The dictionary, which does not, is asked in this thread, for a text while those before are rendered.
        """
        self.load()
        read = ((utterance, self._read(utterance.text)) for utterance in utterances)
        if len(utterances) == 1 or self._at_once == 1:
            return [self._spoken(*each) for each in read]
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="hibari") as threads:  # none is left behind
            return list(threads.map(lambda each: self._spoken(*each), read))

    def speakers(self) -> Mapping[str, str]:
        """The speakers of the static table."""
        return self._facts.speakers

    def languages(self) -> frozenset[str]:
        """English only."""
        return self._facts.languages

    def limits(self) -> EngineLimits:
        """Short pieces: a sentence or two. All presets speak at one pace, and leave silence before it."""
        return EngineLimits(
            piece_characters=300,
            batch=self._at_once,
            seed_varies=False,
            usual_rate=_SOUNDS_PER_SECOND,
            least_lead_s=_LEAST_LEAD_S,
        )

    def _read(self, text: str) -> list[str] | EngineFailed:
        """The phonemes of the text, in runs that the model can hold."""
        try:
            phonemes: str = self._loaded().g2p(readable(text, self._facts), normalize_text=False)
            return list(fit(with_breaks(phonemes.strip())))
        except Exception as error:  # whatever the package raises, the job fails with the text that did it
            return _failed(text, error)

    def _spoken(self, utterance: Utterance, parts: list[str] | EngineFailed) -> Speech | EngineFailed:
        if isinstance(parts, EngineFailed):
            return parts
        preset = self._facts.presets[utterance.preset or "heart"]
        try:
            rng = np.random.default_rng(utterance.seed)
            spoken = [self._render(part, preset, utterance, rng) for part in parts]
        except Exception as error:  # the same
            return _failed(utterance.text, error)
        return Speech(_joined(spoken), _RATE, sum(sounds(part) for part in parts))

    def _render(
        self, phonemes: str, preset: Preset, utterance: Utterance, rng: np.random.Generator
    ) -> Samples:
        from hibari import dsp

        model = self._loaded()
        ids = model.ids(phonemes)
        if len(ids) < 3:
            return np.zeros(0, np.float32)
        harmonic, theta, noise, rest, phase, pitch = self._frames_at(ids, utterance.speed)
        if preset.pitch != 1.0 or utterance.intonation != 1.0:
            harmonic = warped_between_harmonics(harmonic, pitch, preset.formant)
            noise, rest = warped(noise, preset.formant), warped(rest, preset.formant)
        pitch = intoned(pitch, utterance.intonation) * np.float32(preset.pitch)
        samples: Samples = dsp.synth(harmonic, theta, noise, rest, phase, pitch, rng)
        return samples

    def _frames_at(self, ids: Sequence[int], speed: float) -> Sequence[Samples]:
        """The model's frames, exactly as many as its own pace has, divided by `speed`.

        Far from its own pace the model is asked for the speed, which it keeps within an eighth; the rest is
        made up by dropping or repeating frames.
        """
        own = self._frames(ids, 1.0)
        if abs(speed - 1.0) <= _DROPPED_ALONE:
            return paced(own, speed)
        asked = self._frames(ids, speed)
        return paced(asked, speed * asked[-1].shape[-1] / own[-1].shape[-1])

    def _frames(self, ids: Sequence[int], speed: float) -> Sequence[Samples]:
        feeds = {"ids": np.asarray([ids], np.int64), "speed": np.full(1, speed, np.float32)}
        return [output[0] for output in self._loaded().sess.run(None, feeds)]

    def _loaded(self) -> Any:
        if self._model is None:
            self.load()
        return self._model


def _failed(text: str, error: Exception) -> EngineFailed:
    failed = EngineFailed(f"hibari failed on the text {text[:60]!r}: {type(error).__name__}: {error}.")
    failed.__cause__ = error
    return failed


def _joined(parts: Sequence[Samples]) -> Samples:
    """One signal; the breaks inside an over-long sentence are short."""
    if len(parts) == 1:
        return parts[0]
    pause = np.zeros(round(_BETWEEN_PARTS_S * _RATE), np.float32)
    joined: list[Samples] = []
    for part in parts:
        joined += [trim(part, _RATE).samples, pause]
    return np.concatenate(joined) if joined else np.zeros(0, np.float32)


def _weights_sha256() -> str:
    from hibari.voices import VOICES

    digest: str = VOICES["heart"]["sha256"]
    return digest
