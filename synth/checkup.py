"""Judges whether an engine can speak on this machine: what was looked at in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lib.clock import Clock
from lib.errors import JobRunnerError, Unavailable
from lib.findings import Finding, FindingKind, Severity
from lib.units import bytes_text, seconds_text
from lib.voices import VoiceRegistry, engine_facts
from synth.engines.discovery import create_engine
from synth.engines.port import Aspect, Engine, Examinable, LookedAt
from synth.machine import free_bytes
from synth.speech.performance import perform
from synth.speech.request import SpeakRequest
from synth.speech.sample_voice import voice_of_model

_E, _W = Severity.ERROR, Severity.WARNING

PACKAGES_MISSING: Final = FindingKind("D041", _E, "The engine's packages cannot be used")
NO_DRIVER: Final = FindingKind("D042", _E, "The GPU's driver does not answer")
NO_GPU: Final = FindingKind("D043", _E, "The engine cannot compute on the GPU")
MODEL_UNFIT: Final = FindingKind("D044", _E, "A model cannot be used")
NOT_DOWNLOADABLE: Final = FindingKind("D045", _E, "A model cannot be downloaded when it is needed")
MODELS_ABSENT: Final = FindingKind("D046", _W, "Some jobs would need a model that is not there")
GPU_FULL: Final = FindingKind("D047", _E, "The GPU has not enough free memory")
FOLDER_FULL: Final = FindingKind("D048", _W, "The disk of the data folder is nearly full")
MUTE: Final = FindingKind("D049", _E, "The engine does not say a word")

KINDS: Final = (
    *(PACKAGES_MISSING, NO_DRIVER, NO_GPU, MODEL_UNFIT, NOT_DOWNLOADABLE, MODELS_ABSENT, GPU_FULL),
    *(FOLDER_FULL, MUTE),
)

#: What is wrong where an aspect is in trouble, and what mends it.
_JUDGED: Final[Mapping[Aspect, tuple[FindingKind, str]]] = {
    Aspect.PACKAGES: (
        PACKAGES_MISSING,
        "install what it names; the packages of qwen3 want an environment of their own",
    ),
    Aspect.DRIVER: (
        NO_DRIVER,
        "install NVIDIA's driver or restart the machine; in a container, give it the GPU (--gpus all)",
    ),
    Aspect.DEVICE: (
        NO_GPU,
        "install the driver that it asks for, or a torch that is built for CUDA; QWEN_DEVICE names another "
        "GPU, or cpu",
    ),
    Aspect.MODEL: (MODEL_UNFIT, "set QWEN_MODEL to a folder with whole checkpoints, or copy that one anew"),
    Aspect.DOWNLOAD: (NOT_DOWNLOADABLE, "do what it says, or set JOBS_DATA_DIR to a disk with more room"),
    Aspect.OTHER_MODELS: (MODELS_ABSENT, "add them to QWEN_MODEL if your jobs use those profiles"),
    Aspect.MEMORY: (GPU_FULL, "end what else runs on the GPU, or take a larger one"),
}
_DISK_LEFT_BYTES: Final = 1024**3
_WORD: Final = "Ready."


@dataclass(frozen=True, slots=True)
class EngineCheckup:
    """What was looked at. `spoke` says how it said a word; None: it did not, or was not asked to."""

    engine: str
    title: str
    looks: tuple[LookedAt, ...]
    folder: Path  # where downloads are kept
    free: int  # bytes, where that lies
    spoke: str | None = None
    mute: JobRunnerError | None = None

    def to_json(self) -> dict[str, Any]:
        """`engine` and `seen` of `voice-synth doctor --json`."""
        return {"engine": self.engine, "seen": [{"what": what, "seen": seen} for what, seen in self.seen()]}

    def seen(self) -> Iterator[tuple[str, str]]:
        """Each thing that is as it should be, in words."""
        for look in self.looks:
            if look.trouble is None:
                yield look.aspect.value, look.seen
        yield "disk", f"{bytes_text(self.free)} free for {self.folder}"
        if self.spoke is not None:
            yield "speech", self.spoke


def examine(name: str, settings: Mapping[str, str], registry: VoiceRegistry, clock: Clock) -> EngineCheckup:
    """Look at all that the engine `name` needs, and have it say a word where nothing is wrong before that.

    Nothing is downloaded: where a model would have to be, it is not asked to speak.

    Raises:
        BadConfiguration: no such engine.
    """
    folder = Path(settings["MODELS_DIR"])
    found = EngineCheckup(name, engine_facts(name).title, (), folder, free_bytes(folder))
    try:
        engine = create_engine(name, settings)
        if isinstance(engine, Examinable):
            found = replace(found, looks=tuple(engine.examine()))
        if any(look.trouble is not None or look.aspect is Aspect.DOWNLOAD for look in found.looks):
            return found
        return replace(found, spoke=_say_a_word(engine, registry, clock))
    except JobRunnerError as error:
        return replace(found, mute=error)


def diagnose(seen: EngineCheckup) -> list[Finding]:
    """All that is wrong. Pure."""
    return list(_found(seen))


def _found(seen: EngineCheckup) -> Iterator[Finding]:
    for look in seen.looks:
        kind, fix = _JUDGED[look.aspect]
        if look.trouble is not None:
            yield _finding(kind, seen.engine, look.trouble, fix)
        elif look.aspect is Aspect.OTHER_MODELS:
            yield Finding(kind, seen.engine, look.seen, fix)
    if seen.free < _DISK_LEFT_BYTES:
        left = f"{bytes_text(seen.free)} are left where {seen.folder} lies"
        yield Finding(
            FOLDER_FULL, str(seen.folder), left, "free some space, or set JOBS_DATA_DIR to another disk"
        )
    if seen.mute is not None:
        yield _finding(
            MUTE, seen.engine, seen.mute, "mend what it says, or set VOICE_ENGINE to another engine"
        )


def _finding(kind: FindingKind, engine: str, error: JobRunnerError, fix: str) -> Finding:
    return Finding(kind, engine, error.message.rstrip("."), fix, passing=isinstance(error, Unavailable))


def _say_a_word(engine: Engine, registry: VoiceRegistry, clock: Clock) -> str:
    began = clock.monotonic()
    model = engine.load()
    loaded = clock.monotonic()
    voice, profile = voice_of_model(model.name, registry, engine.name)
    made = perform(SpeakRequest(_WORD, voice, profile), engine, clock, lambda done, total: None)
    said = clock.monotonic()
    audio = sum(len(take.samples) / take.sample_rate for take in made.takes)
    return (
        f"{audio:.1f} s of audio in {said - loaded:.1f} s by {model.name} ({model.revision}), "
        f"which took {seconds_text(loaded - began)} to load"
    )
