"""What each voice of a plan needs of the machine that speaks it, and its part of the cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from lib.jobspec import JobSpec
from lib.units import usd
from lib.voices import EngineFacts, VoiceKind, VoiceRegistry, engine_facts

_DONE: Final = {
    VoiceKind.BUILT_IN: "spoken",
    VoiceKind.CLONED: "cloned",
    VoiceKind.DESIGNED: "designed",
}
_USUAL_PROFILE: Final = "balanced"


@dataclass(frozen=True, slots=True)
class VoiceWork:
    """One job of a voice that can be spoken. Costs in micro-dollars; None where they are not known."""

    spec: JobSpec
    engine: str
    kind: VoiceKind
    audio_s: float  # all takes together
    expected_micros: int | None = None
    worst_micros: int | None = None


@dataclass(frozen=True, slots=True)
class VoiceNeeds:
    """One voice or speaker with its jobs. Memory and downloads are those that its engine states."""

    voice: str | None
    speaker: str | None
    engine: str
    kind: VoiceKind
    models: tuple[str, ...]  # of the profiles asked for; empty where the engine names none
    not_smaller: tuple[str, ...]  # profiles asked for whose model is smaller than the usual, but not for it
    least_vram_gb: float  # 0: it runs on the CPU
    download_gb: float  # at most, all models together, where the machine has none of them
    requirement: str  # what is installed for it, beside the plain install; "" for nothing
    jobs: int
    audio_s: float
    expected_micros: int | None
    worst_micros: int | None

    @property
    def name(self) -> str:
        """As the job file has it."""
        return self.voice or self.speaker or ""

    @property
    def is_large(self) -> bool:
        """Whether it needs more than the plain install on any computer."""
        return bool(self.least_vram_gb or self.download_gb)

    def sentence(self) -> str:
        """For people: the needs and the cost on one line."""
        needs = [f"a GPU with {self.least_vram_gb:g} GB"] if self.least_vram_gb else []
        if self.download_gb:
            named = f" ({', '.join(self.models)})" if self.models else ""
            needs.append(f"up to {self.download_gb:g} GB to download{named}")
        if self.requirement:
            needs.append(self.requirement)
        said = f"{self.name} is {_DONE[self.kind]} by {self.engine}"
        costs = [f"{self.jobs} job{'' if self.jobs == 1 else 's'}"]
        if self.expected_micros is not None:
            costs.append(f"about ${self.expected_micros / 1_000_000:.4f}")
        if self.worst_micros is not None:
            costs.append(f"at worst ${self.worst_micros / 1_000_000:.4f}")
        last = f" and {needs.pop()}" if len(needs) > 1 else ""
        size = f"; {' and '.join(self.not_smaller)} has no smaller model for it" if self.not_smaller else ""
        return f"{said}, which needs {', '.join(needs)}{last}{size}: {', '.join(costs)}"

    def missing_on_machines(self, engine: str) -> str:
        """Why machines that are made ready for `engine` cannot speak it, as a sentence; "" when they can."""
        if not self.requirement or self.engine == engine:
            return ""
        return (
            f"{self.name} needs the engine {self.engine}, and machines are made ready for VOICE_ENGINE, "
            f"which is {engine}: its jobs would fail there. Set VOICE_ENGINE={self.engine}."
        )

    def to_json(self) -> dict[str, Any]:
        """One entry of `voices` in `plan --json`."""
        expected, worst = self.expected_micros, self.worst_micros
        return {
            "voice": self.voice,
            "speaker": self.speaker,
            "engine": self.engine,
            "cloned": self.kind is VoiceKind.CLONED,
            "designed": self.kind is VoiceKind.DESIGNED,
            "models": list(self.models),
            "least_vram_gb": self.least_vram_gb,
            "download_gb": self.download_gb,
            "requirement": self.requirement or None,
            "jobs": self.jobs,
            "estimated_audio_s": round(self.audio_s, 1),
            "estimated_cost_usd": None if expected is None else usd(expected),
            "worst_cost_usd": None if worst is None else usd(worst),
        }


def needs_of(work: Iterable[VoiceWork]) -> tuple[VoiceNeeds, ...]:
    """The voices and speakers of the jobs, in the order in which they first appear."""
    members: dict[tuple[str | None, str | None, str], list[VoiceWork]] = {}
    for item in work:
        members.setdefault((item.spec.voice, item.spec.speaker, item.engine), []).append(item)
    return tuple(_needs(engine_facts(key[2]), items) for key, items in members.items())


def needs_of_jobs(specs: Iterable[JobSpec], registry: VoiceRegistry, engine: str) -> tuple[VoiceNeeds, ...]:
    """As `needs_of`, of jobs that can all be spoken; how long they are is left open.

    Raises:
        BadInput: one cannot be.
    """
    found = (
        (spec, registry.resolve(spec.voice, spec.speaker, spec.language, engine))
        for spec in specs
        if not spec.is_picture
    )
    return needs_of(VoiceWork(spec, voice.engine, voice.kind, 0.0) for spec, voice in found)


def _needs(facts: EngineFacts, items: list[VoiceWork]) -> VoiceNeeds:
    first = items[0]
    profiles = tuple(dict.fromkeys(item.spec.profile for item in items))
    named = (facts.model_of(profile, first.kind) for profile in profiles)
    models = tuple(dict.fromkeys(name for name in named if name))
    return VoiceNeeds(
        voice=first.spec.voice,
        speaker=first.spec.speaker,
        engine=facts.name,
        kind=first.kind,
        models=models,
        not_smaller=tuple(each for each in profiles if _is_not_smaller(facts, each, first.kind)),
        least_vram_gb=facts.least_vram_gb,
        download_gb=facts.download_gb * max(len(models), 1),
        requirement=facts.requirement() if facts.extra else "",
        jobs=len(items),
        audio_s=sum(item.audio_s for item in items),
        expected_micros=_sum([item.expected_micros for item in items]),
        worst_micros=_sum([item.worst_micros for item in items]),
    )


def _is_not_smaller(facts: EngineFacts, profile: str, kind: VoiceKind) -> bool:
    """Whether the profile has a model of its own for speakers, and the usual one for voices of `kind`."""

    def is_the_usual(of: VoiceKind) -> bool:
        return facts.model_of(profile, of) == facts.model_of(_USUAL_PROFILE, of)

    return is_the_usual(kind) and not is_the_usual(VoiceKind.BUILT_IN)


def _sum(micros: list[int | None]) -> int | None:
    known = [item for item in micros if item is not None]
    return sum(known) if len(known) == len(micros) else None
