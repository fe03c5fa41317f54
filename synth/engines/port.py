"""What an engine is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lib.errors import JobFailed, JobRunnerError, TryAgain
from lib.records import WordTiming as WordTiming
from lib.voices import Reference, VoiceKind, kind_of


class EngineFailed(JobFailed):
    """The engine could not speak a text it should have been able to; another try may work.

    One that is `lasting` is not said again with another seed: no seed can mend it.
    """

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class EngineLost(TryAgain):
    """The engine can do nothing more in this process, through no text's known fault; another process may.

    It ends the worker, as a crash would: what was at hand is judged by that.
    """


class LoadStopped(TryAgain):
    """The engine was to stop while it waited for what it loads: a download, say."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One piece of text to speak in one breath."""

    text: str
    language: str
    preset: str | None  # None only with a reference or a design
    seed: int  # 0 to 2**31 - 1
    speed: float = 1.0  # 1.1 is a tenth quicker
    intonation: float = 1.0  # factor on how far the pitch moves; engines may ignore it
    profile: str = "balanced"
    reference: Reference | None = None
    design: str | None = None  # the description of the voice, for engines that make one from it

    @property
    def kind(self) -> VoiceKind:
        """What the voice is made from."""
        return kind_of(self.reference, self.design)


@dataclass(frozen=True, slots=True)
class Speech:
    """What the engine made of one utterance, untrimmed."""

    samples: NDArray[np.float32]  # (n,), mono, full scale 1.0; empty when it found nothing to say
    sample_rate: int  # a multiple of 1000
    phonemes: int | None = None  # how many sounds it meant to make, where it knows
    words: tuple[WordTiming, ...] = ()  # in order, of the untrimmed samples; empty where it does not know


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """How an engine wants to be used."""

    piece_characters: int  # the longest text of one utterance; longer texts are split at sentences
    batch: int  # utterances one call of `speak` does at once at best
    seed_varies: bool  # whether another seed makes another take; else speed and intonation do
    usual_rate: float | None  # phonemes per sounding second at speed 1, the onset of a text aside
    least_lead_s: float = 0.0  # silence that stands before every text it speaks


@dataclass(frozen=True, slots=True)
class Model:
    """What exactly spoke, for the record."""

    name: str
    revision: str  # version of the package and hash of the weights
    sample_rate: int  # Hz


@runtime_checkable
class Engine(Protocol):
    """Turns text into samples. Made without arguments; cheap until `load`.

    Not safe for use by several threads at once. The same utterance gives the same samples on the same
    machine.
    """

    name: str

    def load(self) -> Model:
        """Load the model (seconds, and memory). A second call does nothing more.

        Raises:
            lib.errors.MissingExtra: packages are not installed.
            EngineFailed: the model cannot be loaded.
            EngineLost: nor anything else, in this process.
        """
        ...

    def speak(self, utterances: Sequence[Utterance]) -> Sequence[Speech | EngineFailed]:
        """One Speech for each utterance, in order. Nothing of a text is left out silently.

        Where one text of several fails, an engine may put its EngineFailed in the place of the speech, so
        that the others are kept; such a text is said again with another seed, where seeds vary.

        Raises:
            EngineFailed: with the offending text; it fails the whole call.
            EngineLost: it can speak nothing more in this process.
        """
        ...

    def speakers(self) -> Mapping[str, str]:
        """Each accepted speaker and the preset that speaks it."""
        ...

    def languages(self) -> frozenset[str]:
        """Languages it speaks, by the names of `lib.voices.LANGUAGES`."""
        ...

    def limits(self) -> EngineLimits:
        """How it wants to be used; known without loading."""
        ...


@runtime_checkable
class SeveralModels(Protocol):
    """What an engine has beside the rest when its profiles, or kinds of voices, have models of their own."""

    def load_model(self, name: str) -> Model:
        """Load the model that its facts call `name`, in place of the one in memory. Raises as `load`."""
        ...


@runtime_checkable
class Configurable(Protocol):
    """What an engine has beside the rest when it has settings of its own."""

    def configure(self, settings: Mapping[str, str]) -> None:
        """Take the settings, by name, those that are unset left out. Called once, before `load`."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """What an engine has beside the rest when it may wait for minutes for what it loads."""

    def heed(self, stopped: Callable[[], bool]) -> None:
        """Let loading end with LoadStopped soon after `stopped` says so; called once, before `load`."""
        ...


class Aspect(StrEnum):
    """What an engine may need of a machine."""

    PACKAGES = "packages"
    DRIVER = "driver"
    DEVICE = "device"
    MODEL = "model"
    DOWNLOAD = "download"  # of a model that is fetched when it is first needed
    OTHER_MODELS = "other models"  # that some jobs would need and that are not there
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One thing that was looked at: what was seen of it, or what is wrong with it."""

    aspect: Aspect
    seen: str = ""
    trouble: JobRunnerError | None = None


@runtime_checkable
class Examinable(Protocol):
    """What an engine has beside the rest when it needs things of a machine that can be looked at singly."""

    def examine(self) -> Iterator[LookedAt]:
        """Look at each, loading no model and downloading nothing. Raises nothing of that."""
        ...


@runtime_checkable
class OnAGpu(Protocol):
    """What an engine has beside the rest when it may run on a GPU."""

    def gpu(self) -> str | None:
        """The GPU that its model runs on, as the driver calls it; None: it is the CPU, or not loaded."""
        ...


def load_model(engine: Engine, name: str) -> Model:
    """Have the engine load the model `name`, where it has several; else the one it has. Raises as `load`."""
    return engine.load_model(name) if isinstance(engine, SeveralModels) else engine.load()


def answers_of(engine: Engine, utterances: Sequence[Utterance]) -> list[Speech | EngineFailed]:
    """What the engine makes of the utterances, one for each. Raises as `Engine.speak`."""
    made = list(engine.speak(utterances))
    if len(made) != len(utterances):
        raise EngineFailed(f"The engine {engine.name} answered {len(made)} of {len(utterances)} texts.")
    return made
