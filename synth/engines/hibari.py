"""hibari: a small neural English voice on the CPU, whose weights come in its wheel.

The model has one voice. Presets scale its pitch curve and warp its spectral envelopes before the signal is
made, which gives speakers that are told apart by ear at no cost in speed or size. That needs the model's
session and signal processing, which are not its public interface: the package is pinned to one version.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from lib.voices import Preset, engine_facts
from synth.audio.spectrum import Samples
from synth.audio.trim import trim
from synth.engines.port import EngineFailed, Limits, Model, Speech, Utterance

if TYPE_CHECKING:
    from hibari import Hibari

_VERSION: Final = "0.2.1"
_RATE: Final = 24_000
_MOST_PHONEMES: Final = 380  # in one call; the package splits at 400, where it finds a comma
_LONGEST_WORD: Final = 28  # letters; the reader of unknown words drops the rest
_LONGEST_NUMBER: Final = 15  # digits; beyond, it has no names for the scales
_BETWEEN_PARTS_S: Final = 0.10
_BIN_HZ: Final = 20.0  # of its spectral envelopes
_VOICED_HZ: Final = 40.0  # the model writes 0 where there is no voice

_LONG_WORD: Final = re.compile(rf"[^\W\d_]{{{_LONGEST_WORD + 1},}}")
_LONG_NUMBER: Final = re.compile(rf"\d{{{_LONGEST_NUMBER + 1},}}")
_LAST_PLAIN_LATIN: Final = "\u024f"
_MARKS: Final = frozenset("ˈˌː")  # stress and length: no sounds of their own


class HibariEngine:
    """The default engine: English, offline, some 150 times faster than real time on one core."""

    name = "hibari"

    def __init__(self) -> None:
        self._facts = engine_facts(self.name)
        self._model: Hibari | None = None

    def load(self) -> Model:
        """Load the model and its dictionary, about half a second."""
        if self._model is None:
            from hibari import Hibari

            self._model = Hibari(threads=1)
            _ = self._model.g2p  # loads the dictionary
        return Model("hibari heart", f"{_VERSION}+{_weights_sha256()[:16]}", _RATE)

    def speak(self, utterances: Sequence[Utterance]) -> list[Speech]:
        """Speak one after the other; the model has no batches."""
        return [self._speak(utterance) for utterance in utterances]

    def speakers(self) -> Mapping[str, str]:
        """The speakers of the static table."""
        return self._facts.speakers

    def languages(self) -> frozenset[str]:
        """English only."""
        return self._facts.languages

    def limits(self) -> Limits:
        """Short pieces: a sentence or two."""
        return Limits(piece_characters=300, batch=1, seed_varies=False, usual_rate=14.9)

    def _speak(self, utterance: Utterance) -> Speech:
        preset = self._facts.presets[utterance.preset or "heart"]
        try:
            parts = list(_fit(self._phonemes(utterance.text)))
            rng = np.random.default_rng(utterance.seed)
            spoken = [self._render(part, preset, utterance, rng) for part in parts]
        except Exception as error:  # whatever the package raises, the job fails with the text that did it
            raise EngineFailed(
                f"hibari failed on the text {utterance.text[:60]!r}: {type(error).__name__}: {error}."
            ) from error
        return Speech(_joined(spoken), _RATE, sum(_sounds(part) for part in parts))

    def _phonemes(self, text: str) -> str:
        phonemes: str = self._loaded().g2p(readable(text))
        return phonemes.strip()

    def _render(
        self, phonemes: str, preset: Preset, utterance: Utterance, rng: np.random.Generator
    ) -> Samples:
        from hibari import dsp

        model = self._loaded()
        ids = model.ids(phonemes)
        if len(ids) < 3:
            return np.zeros(0, np.float32)
        feeds = {"ids": np.asarray([ids], np.int64), "speed": np.ones(1, np.float32)}
        outputs = [output[0] for output in model.sess.run(None, feeds)]
        harmonic, theta, noise, rest, phase, pitch = _paced(outputs, utterance.speed)
        if preset.pitch != 1.0 or utterance.intonation != 1.0:
            harmonic = _warped_between_harmonics(harmonic, pitch, preset.formant)
            noise, rest = _warped(noise, preset.formant), _warped(rest, preset.formant)
        pitch = _intoned(pitch, utterance.intonation) * np.float32(preset.pitch)
        samples: Samples = dsp.synth(harmonic, theta, noise, rest, phase, pitch, rng)
        return samples

    def _loaded(self) -> Any:
        if self._model is None:
            self.load()
        return self._model


def readable(text: str) -> str:
    """The text as the model's dictionary can read all of it.

    Over-long words and numbers, of which it would drop the end, get blanks; letters with marks it does not
    know lose the marks. A raised 1, which it takes for the first digit of a number and fails at, becomes one.
    """
    if not text.isascii():
        text = text.replace("¹", " 1 ")
        text = "".join(_plain_letter(char) for char in unicodedata.normalize("NFC", text))
    text = _LONG_WORD.sub(lambda match: " ".join(_cut(match.group(), _LONGEST_WORD)), text)
    return _LONG_NUMBER.sub(lambda match: " ".join(match.group()), text)


def _plain_letter(char: str) -> str:
    if char <= _LAST_PLAIN_LATIN or not char.isalnum():
        return char
    return "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))


def _cut(text: str, length: int) -> Iterator[str]:
    for first in range(0, len(text), length):
        yield text[first : first + length]


def _fit(phonemes: str) -> Iterator[str]:
    """The phonemes in runs the model can hold, broken between words."""
    if len(phonemes) <= _MOST_PHONEMES:
        if phonemes:
            yield phonemes
        return
    held = ""
    for word in phonemes.split(" "):
        for part in _cut(word, _MOST_PHONEMES):
            if held and len(held) + 1 + len(part) > _MOST_PHONEMES:
                yield held
                held = part
            else:
                held = f"{held} {part}" if held else part
    if held:
        yield held


def _joined(parts: Sequence[Samples]) -> Samples:
    """One signal; the breaks inside an over-long sentence are short."""
    if len(parts) == 1:
        return parts[0]
    pause = np.zeros(round(_BETWEEN_PARTS_S * _RATE), np.float32)
    joined: list[Samples] = []
    for part in parts:
        joined += [trim(part, _RATE).samples, pause]
    return np.concatenate(joined) if joined else np.zeros(0, np.float32)


def _sounds(phonemes: str) -> int:
    return sum(1 for char in phonemes if char.isalpha() and char not in _MARKS)


def _paced(frames: Sequence[NDArray[np.float32]], speed: float) -> Sequence[NDArray[np.float32]]:
    """The frames (last axis) at `speed`: a few are dropped or repeated, evenly.

    The model's own speed rounds each sound to whole frames, so that a few per cent change next to nothing.
    """
    if speed == 1.0:
        return frames
    count = frames[-1].shape[-1]
    wanted = max(round(count / speed), 1)
    index = np.minimum(((np.arange(wanted) + 0.5) * count / wanted).astype(np.intp), count - 1)
    return [part[..., index] for part in frames]


def _intoned(pitch: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Move the voiced pitch `factor` times as far from its median, on a logarithmic scale."""
    voiced = pitch > _VOICED_HZ
    if factor == 1.0 or not voiced.any():
        return pitch
    centre = np.float32(np.median(pitch[voiced]))
    moved = pitch.copy()
    moved[voiced] = centre * (pitch[voiced] / centre) ** np.float32(factor)
    return moved


def _warped_between_harmonics(
    envelope: NDArray[np.float32], pitch: NDArray[np.float32], factor: float
) -> NDArray[np.float32]:
    """`_warped` for the harmonic branch, reading it only where the model's own voice had harmonics.

    Between them the model was never heard, and what it writes there (peaks of 60 dB too) would sound once
    the pitch moves; straight lines from harmonic to harmonic take its place.
    """
    bins = envelope.shape[0]
    # In bins; 1 where there is no voice, so that every bin is read.
    spacing = np.where(pitch > _VOICED_HZ, pitch, _BIN_HZ) / np.float32(_BIN_HZ)
    source = (np.arange(bins, dtype=np.float32) / np.float32(factor))[:, None]
    number = np.maximum(source / spacing, np.float32(1.0))
    lower = np.floor(number)
    weight = number - lower
    last = np.float32(bins - 1)
    below = np.take_along_axis(envelope, np.minimum(lower * spacing, last).astype(np.intp), axis=0)
    above = np.take_along_axis(envelope, np.minimum((lower + 1) * spacing, last).astype(np.intp), axis=0)
    warped: NDArray[np.float32] = below + weight * (above - below)
    return warped


def _warped(envelope: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Move the envelope (bins, frames) along frequency: what was at bin k comes to lie at k * factor."""
    if factor == 1.0:
        return envelope
    bins = envelope.shape[0]
    source = np.minimum(np.arange(bins) / factor, bins - 1)
    below = source.astype(np.int64)
    weight = (source - below).astype(np.float32)[:, None]
    above = np.minimum(below + 1, bins - 1)
    warped: NDArray[np.float32] = envelope[below] + weight * (envelope[above] - envelope[below])
    return warped


def _weights_sha256() -> str:
    from hibari.voices import VOICES

    digest: str = VOICES["heart"]["sha256"]
    return digest
