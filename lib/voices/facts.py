"""What is said of a speech engine without loading it: the form, and what holds where an engine is silent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from lib.voices.voice_kind import VoiceKind

#: How fast narration in English usually is. For engines that give no figure of their own.
USUAL_LETTERS_PER_SECOND: Final = 13.5
#: Of one text, without and with `chunk`. For engines that give no figure of their own.
USUAL_CHARACTERS: Final = 5_000
USUAL_CHUNKED_CHARACTERS: Final = 1_000_000
#: Python and nothing else: our programs are brought as they are here, each package by its hash. By its name
#: and not by a digest, for a digest that nobody has any more would let no machine start.
USUAL_IMAGE: Final = "python:3.12-slim-bookworm"


@dataclass(frozen=True, slots=True)
class Preset:
    """One way an engine can sound."""

    name: str
    pitch: float  # factor on the model's fundamental frequency
    formant: float  # factor on the position of its formants; below 1 is a larger speaker
    description: str


@dataclass(frozen=True, slots=True)
class ProfileModel:
    """What a profile means to an engine: which model speaks, and hints on how it is sampled."""

    model: str  # its name where it is downloaded from, or as its package calls it
    cloning_model: str = ""  # for voices with a recording, where that is another one
    sampling: Mapping[str, float] = field(default_factory=dict)  # the engine's own words, temperature say
    designing_model: str = ""  # for voices made from a description, where that is another one

    def of(self, kind: VoiceKind) -> str:
        """The model that speaks a voice of that kind."""
        own = {VoiceKind.CLONED: self.cloning_model, VoiceKind.DESIGNED: self.designing_model}
        return own.get(kind) or self.model


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """The static side of an engine. `speakers` maps each accepted speaker to the preset that speaks it.

    The part from `package` on says what the engine needs of a machine. All of it may be left out.
    """

    name: str
    title: str
    languages: frozenset[str]
    speakers: Mapping[str, str]
    presets: Mapping[str, Preset]
    max_characters: int = USUAL_CHARACTERS  # of one text without `chunk`
    max_chunked_characters: int = USUAL_CHUNKED_CHARACTERS  # of one text with `chunk`
    # First words of Unicode character names whose letters it can speak.
    scripts: frozenset[str] = frozenset({"LATIN"})
    language_scripts: Mapping[str, frozenset[str]] = field(
        default_factory=dict
    )  # where a language has others
    # By language, scripts that its texts hold and the engine cannot read. One such letter refuses a text:
    # without it another one would be said.
    unread_scripts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    one_voice: bool = False  # whether its speakers are one voice, altered
    clones: bool = False  # whether a voice may bring reference audio
    designs: bool = False  # whether it makes a voice from a description
    # Of words as they are said in one second of audio, silence not counted.
    letters_per_second: float = USUAL_LETTERS_PER_SECOND
    package: str = ""  # the distribution that brings the model; "": the one that registers the engine
    version: str = ""  # the one version of it that fits; "" leaves that to the requirements
    extra: str = ""  # of job-runner, which brings the packages; "": the plain install, or a third party
    requirements: str = "synth"  # the set, requirements/SET.txt, that a machine installs
    packages_gb: float = 0.3  # of that set, as it is downloaded, and our programs
    image: str = USUAL_IMAGE  # that a rented machine runs, where none is set
    settings: tuple[str, ...] = ()  # what a worker is told beside, by their names; none is a secret
    weights_setting: str = ""  # which of them says where weights are that come with no package
    least_vram_gb: float = 0.0  # of the GPU it needs; 0: it runs on the CPU
    least_cuda: float = 0.0  # that the GPU's driver must be able to run
    download_gb: float = 0.0  # of weights that come with no package: of the largest model
    models: Mapping[str, ProfileModel] = field(default_factory=dict)  # by profile
    batch: int = 1  # texts that one call speaks at best
    # Signs of `[word](/phonemes/)` that it can say; empty where it reads no phonemes, and the word is said.
    phonemes: frozenset[str] = frozenset()
    # What else may be written, and which of its signs that is: the usual alphabet, say.
    phoneme_spellings: Mapping[str, str] = field(default_factory=dict)
    outpaces_hearing: bool = False  # whether speaking costs less than a recogniser's hearing of it
    speeds: tuple[float, float] | None = None  # the slowest and quickest `speed`; None: only its own pace

    def preset_of(self, speaker: str) -> tuple[str, str] | None:
        """The speaker as the table writes it and its preset; None when unknown. Case does not matter."""
        wanted = speaker.casefold()
        for name, preset in self.speakers.items():
            if name.casefold() == wanted:
                return name, preset
        return None

    def scripts_in(self, language: str) -> frozenset[str]:
        """The scripts whose letters it can speak in a text of `language`, written in any case."""
        return _of_language(self.language_scripts, language, self.scripts)

    def unread_in(self, language: str) -> frozenset[str]:
        """The scripts of which one letter refuses a text of `language`; mostly none."""
        return _of_language(self.unread_scripts, language, frozenset())

    @property
    def model_names(self) -> frozenset[str]:
        """Every model that some profile means."""
        return frozenset(
            filter(None, (model.of(kind) for model in self.models.values() for kind in VoiceKind))
        )

    def model_of(self, profile: str, kind: VoiceKind) -> str:
        """The model that speaks a job of `profile`; empty where the engine has only one and does not name it.

        Jobs of different models do not fit into one batch.
        """
        known = self.models.get(profile)
        return "" if known is None else known.of(kind)

    def phonemes_of(self, written: str) -> str:
        """What is written between the slashes, in the engine's own signs; longer spellings go first."""
        if not self.phoneme_spellings:
            return written
        return _spelling(frozenset(self.phoneme_spellings)).sub(
            lambda match: self.phoneme_spellings[match.group()], written
        )

    def unknown_phonemes(self, written: str) -> str:
        """The signs in `written` that the engine cannot say, each once; empty where it can say all."""
        own = self.phonemes_of(written)
        return "".join(dict.fromkeys(sign for sign in own if sign != " " and sign not in self.phonemes))

    def requirement(self) -> str:
        """What to install: `job-runner[extra]`, or the package with its version; empty when not known."""
        if self.extra:
            return f"job-runner[{self.extra}]"
        return f"{self.package}=={self.version}" if self.package and self.version else self.package


def _of_language(
    table: Mapping[str, frozenset[str]], language: str, otherwise: frozenset[str]
) -> frozenset[str]:
    wanted = language.casefold()
    return next((found for name, found in table.items() if name.casefold() == wanted), otherwise)


@lru_cache(maxsize=16)
def _spelling(known: frozenset[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(known, key=lambda written: (-len(written), written)))))
