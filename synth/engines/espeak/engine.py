"""espeak: eSpeak NG, a voice made by rules, through its library in a process of its own.

It is understood and robotic, and here for languages that no other engine of the plain install speaks. Nothing
but its name chooses it: the setting VOICE_ENGINE, `--engine`, or a voice of the registry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np
import soxr

from lib.errors import BadConfiguration, JobRunnerError
from lib.voices import AUTO, VoiceKind, engine_facts, unspoken_characters
from synth.audio.levels import Samples
from synth.engines.espeak.hosted_library import HostedLibrary, HostGone, Spoken, TextFailed
from synth.engines.espeak.package import LibraryFiles, files_of_package
from synth.engines.espeak.words import word_timings
from synth.engines.port import (
    Aspect,
    EngineFailed,
    EngineLimits,
    LookedAt,
    Model,
    Speech,
    Utterance,
)

_RATE: Final = 24_000  # of all engines here; the library's own is 22,050 Hz
_FULL_SCALE: Final = 32_768.0
_USUAL_WORDS_A_MINUTE: Final = 175
_SLOWEST, _QUICKEST = 80, 450  # what the library takes
_USUAL_RANGE: Final = 50  # of pitch, of 0 to 100
_VOLUME: Final = 80  # of 100, at which some vowels come near to full scale

#: The library's voices. Of a language with several it is the one of most speakers; without one, a text was
#: read as English.
_VOICES: Final[Mapping[str, str]] = {
    AUTO: "en-us",
    "Chinese": "cmn",
    "English": "en-us",
    "French": "fr",
    "German": "de",
    "Italian": "it",
    "Japanese": "ja",
    "Korean": "ko",
    "Portuguese": "pt-br",
    "Russian": "ru",
    "Spanish": "es-419",
}
#: The library's variant that makes each preset, and its parameter of pitch (0 to 100, 50 leaves it).
_VARIANTS: Final[Mapping[str, tuple[str, int]]] = {
    "deep": ("+m1", 25),
    "low": ("", 50),
    "mid": ("+m4", 80),
    "light": ("+m6", 85),
    "soft": ("+f1", 45),
    "bright": ("+f2", 50),
    "clear": ("+f4", 70),
    "high": ("+f3", 73),
}


class EspeakEngine:
    """Ten languages, some 300 times faster than real time on one core; needs the extra `espeak`."""

    name = "espeak"

    def __init__(self) -> None:
        self._facts = engine_facts(self.name)
        self._files: LibraryFiles | None = None
        self._model: Model | None = None
        self._library: HostedLibrary | None = None

    def load(self) -> Model:
        """Start the process with the library, and hash what speaks.

        Raises:
            lib.errors.MissingExtra: the extra `espeak` is not installed.
            lib.errors.BadConfiguration: its library or its data cannot be used.
        """
        if self._model is None:
            self._files = files_of_package(self.name)
            library = self._hosted()
            name = self._facts.model_of("balanced", VoiceKind.BUILT_IN)
            revision = f"{library.version}+{self._files.sha256()[:16]}"
            self._model = Model(name, revision, _RATE)
        return self._model

    def speak(self, utterances: Sequence[Utterance]) -> list[Speech | EngineFailed]:
        """Speech of each, or why there is none, in order; each is spoken as if it were the first.

        Raises: as `load`.
        """
        self.load()
        return [self._speak(utterance) for utterance in utterances]

    def speakers(self) -> Mapping[str, str]:
        """The speakers of the static table."""
        return self._facts.speakers

    def languages(self) -> frozenset[str]:
        """Ten; `Auto` means English."""
        return self._facts.languages

    def limits(self) -> EngineLimits:
        """A sentence or two at once; nothing of it is left to chance, so pace and intonation make takes."""
        return EngineLimits(piece_characters=300, batch=self._facts.batch, seed_varies=False, usual_rate=None)

    def examine(self) -> Iterator[LookedAt]:
        """The package, and whether its library can be used."""
        try:
            library = HostedLibrary(files_of_package(self.name))
            library.close()
            yield LookedAt(Aspect.PACKAGES, f"{self._package()}, eSpeak NG {library.version}")
        except JobRunnerError as error:
            yield LookedAt(Aspect.PACKAGES, trouble=error)

    def _package(self) -> str:
        package, wanted = self._facts.package, self._facts.version
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "of an unknown version"
        if found != wanted:
            raise BadConfiguration(f"{package} is {found}, and {wanted} is needed.")
        return f"{package} {found}"

    def _hosted(self) -> HostedLibrary:
        """The process with the library: a new one where the last one ended."""
        if self._library is None:
            assert self._files is not None
            self._library = HostedLibrary(self._files)
        return self._library

    def _speak(self, utterance: Utterance) -> Speech | EngineFailed:
        text = readable(utterance.text, utterance.language)
        variant, pitch = _VARIANTS[utterance.preset or "low"]
        try:
            library = self._hosted()
            spoken = library.speak(
                text,
                _VOICES[utterance.language] + variant,
                rate=_within(round(_USUAL_WORDS_A_MINUTE * utterance.speed), _SLOWEST, _QUICKEST),
                pitch=pitch,
                range=_within(round(_USUAL_RANGE * utterance.intonation), 0, 100),
                volume=_VOLUME,
            )
        except (TextFailed, HostGone) as error:
            if isinstance(error, HostGone):
                self._library = None
            return EngineFailed(f"espeak failed on the text {utterance.text[:60]!r}: {error}.")
        samples = _resampled(spoken, library.sample_rate)
        words = word_timings(text, utterance.language, spoken.mentions, samples, _RATE)
        return Speech(samples, _RATE, words=words)


def readable(text: str, language: str) -> str:
    """The text with blanks for what is left out: of other letters it would say the names, one by one."""
    left_out = unspoken_characters(text, EspeakEngine.name, language)
    return text.translate(dict.fromkeys(map(ord, left_out), " "))


def _resampled(spoken: Spoken, rate: int) -> Samples:
    samples = spoken.samples.astype(np.float32) / np.float32(_FULL_SCALE)
    resampled: Samples = soxr.resample(samples, rate, _RATE, quality="HQ")
    return np.ascontiguousarray(resampled, dtype=np.float32)


def _within(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))
