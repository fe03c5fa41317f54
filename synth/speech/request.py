"""What a job asks of the voice, checked before anything is loaded."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lib.errors import BadInput
from lib.jobspec import SAMPLE_RATES, USUAL_LUFS, JobSpec, titles
from lib.voices import ResolvedVoice, VoiceRegistry, check_sayings, check_speed, check_text
from lib.voices.seeds import SEEDS, seed_of, usual_seed
from lib.voices.usual_silences import USUAL_PAUSES, Pauses

MOST_VARIANTS: Final = 16
MOST_TAG_CHARACTERS: Final = 512  # of title and album; longer ones, some formats drop without a word
_UNFIT: Final = frozenset({"Cc", "Cs"})  # control characters, and halves of surrogate pairs


@dataclass(frozen=True, slots=True)
class SpeakRequest:
    """One text to speak, with who speaks it and how the audio is to be."""

    text: str
    voice: ResolvedVoice
    profile: str = "balanced"
    variants: int = 1
    select_best: bool = False
    chunk: bool = False
    seed: int | None = None
    file_format: str = "wav"
    loudness_lufs: float | None = USUAL_LUFS  # None leaves the level as the engine made it
    title: str = ""  # what the file's tags say
    album: str = ""
    peaks: bool = False  # a waveform beside each take
    captions: bool = False  # their files beside each take; the record has the cues anyhow
    pronounce: Mapping[str, str] = field(default_factory=dict)  # words and how they are said
    speed: float = 1.0  # 1.1 is a tenth quicker
    sample_rate: int | None = None  # Hz, of SAMPLE_RATES; None: the engine's
    pauses: Pauses = USUAL_PAUSES

    def check(self) -> None:
        """Refuse what the engine cannot do; nothing is loaded.

        Raises:
            lib.voices.TextRefused: the text is empty, in another script, or too long.
            lib.voices.SayingRefused, lib.voices.SpeedRefused: phonemes or speed are not the engine's.
            BadInput: a number is out of its range.
        """
        if not 1 <= self.variants <= MOST_VARIANTS:
            raise BadInput(f"variants must be from 1 to {MOST_VARIANTS}, not {self.variants}.")
        if self.sample_rate not in (None, *SAMPLE_RATES):
            raise BadInput(f"sample_rate must be one of {', '.join(map(str, SAMPLE_RATES))}.")
        for name, tag in (("title", self.title), ("album", self.album)):
            if len(tag) > MOST_TAG_CHARACTERS or any(unicodedata.category(char) in _UNFIT for char in tag):
                raise BadInput(
                    f"The {name} may have {MOST_TAG_CHARACTERS} characters at most, no control characters."
                )
        language = self.voice.language
        check_text(self.text, self.voice.engine, self.chunk, pronounce=self.pronounce, language=language)
        check_sayings(self.text, self.pronounce, self.voice.engine)
        check_speed(self.speed, self.voice.engine)

    def first_seed(self) -> int:
        """The seed of the first take: the one asked for, else one that only the text and the voice decide."""
        if self.seed is not None:
            return self.seed % SEEDS
        voice = self.voice
        return usual_seed(voice.engine, voice.voice, voice.speaker, voice.language, self.text)


def derived_seed(seed: int, *parts: int) -> int:
    """A seed that depends on `seed` and `parts` and nothing else."""
    return seed_of(f"{seed}/{'/'.join(map(str, parts))}")


def request_from_spec(
    spec: JobSpec, registry: VoiceRegistry, default_engine: str, pauses: Pauses = USUAL_PAUSES
) -> SpeakRequest:
    """The request that a job makes, checked.

    Raises:
        lib.errors.BadInput: voice, speaker, language or text cannot be spoken.
        lib.voices.UnknownEngine: the engine is not installed here.
    """
    title, album = titles(spec.output_name)
    request = SpeakRequest(
        text=spec.text,
        voice=registry.resolve(spec.voice, spec.speaker, spec.language, default_engine),
        profile=spec.profile,
        variants=spec.variants,
        select_best=spec.select_best,
        chunk=spec.chunk,
        seed=spec.seed,
        file_format=spec.format,
        loudness_lufs=USUAL_LUFS if spec.loudness is None else spec.loudness,
        pronounce=spec.pronounce,
        speed=spec.speed,
        sample_rate=spec.sample_rate,
        pauses=pauses,
        title=title,
        album=album,
        peaks=True,
    )
    request.check()
    return request
