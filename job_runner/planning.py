"""What a job file would make: checked without any server, with voices and lengths."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from lib.errors import BadInput
from lib.jobspec import InvalidJobFile, JobFile, JobSpec, Problem, load_job_file, printable
from lib.voices import (
    TextRefused,
    UnknownLanguage,
    UnknownSpeaker,
    UnknownVoice,
    VoiceRegistry,
    check_text,
)

#: What the engines speak, averaged over English narration. An estimate for people, not a limit.
CHARACTERS_PER_SECOND: Final = 14.0
_PREVIEW: Final = 60


@dataclass(frozen=True, slots=True)
class Speech:
    """Who would speak a job."""

    engine: str
    preset: str | None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a job cannot be spoken here: the field to change and a sentence."""

    field: str
    message: str


class VoiceCheck(Protocol):
    """Answers for one job who would speak it, without loading an engine."""

    def check(self, spec: JobSpec) -> Speech | Unavailable:
        """The engine that would speak `spec`, or why none can."""
        ...


class RegistryCheck:
    """Asks the voice registry, once for each voice or speaker, and the engine's limits for each text."""

    def __init__(self, registry: VoiceRegistry, default_engine: str) -> None:
        self._registry = registry
        self._engine = default_engine
        self._known: dict[tuple[str | None, str | None, str], Speech | Unavailable] = {}

    def check(self, spec: JobSpec) -> Speech | Unavailable:
        """The engine that would speak `spec`, or why none can.

        Raises:
            UnknownEngine: the setting VOICE_ENGINE is wrong, whatever the job says.
        """
        key = (spec.voice, spec.speaker, spec.language)
        answer = self._known.get(key)
        if answer is None:
            answer = self._known[key] = self._resolve(*key)
        if isinstance(answer, Unavailable):
            return answer
        try:
            check_text(spec.text, answer.engine, spec.chunk)
        except TextRefused as error:
            return Unavailable("text", _phrase(error))
        return answer

    def _resolve(self, voice: str | None, speaker: str | None, language: str) -> Speech | Unavailable:
        try:
            found = self._registry.resolve(voice, speaker, language, self._engine)
        except UnknownLanguage as error:
            return Unavailable("language", _phrase(error))
        except (UnknownVoice, UnknownSpeaker, BadInput) as error:
            return Unavailable("voice" if speaker is None else "speaker", _phrase(error))
        return Speech(found.engine, found.preset)


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job of the plan. `speech` is None when nothing here can speak it."""

    spec: JobSpec
    line: int
    speech: Speech | None

    @property
    def estimated_audio_s(self) -> float:
        """Seconds of one take."""
        return round(len(self.spec.text.strip()) / CHARACTERS_PER_SECOND, 1)

    @property
    def preview(self) -> str:
        """The start of the text on one line."""
        words = " ".join(self.spec.text[: _PREVIEW * 4].split())
        return words if len(words) <= _PREVIEW else words[: _PREVIEW - 1].rstrip() + "…"

    def to_json(self) -> dict[str, Any]:
        """One entry of `jobs` in `plan --json`."""
        spec = self.spec
        return {
            "request_id": spec.request_id,
            "output_name": spec.output_name,
            "line": self.line,
            "voice": spec.voice,
            "speaker": spec.speaker,
            "engine": self.speech.engine if self.speech else None,
            "preset": self.speech.preset if self.speech else None,
            "language": spec.language,
            "profile": spec.profile,
            "variants": spec.variants,
            "format": spec.format,
            "characters": len(spec.text),
            "estimated_audio_s": self.estimated_audio_s,
            "estimated_cost_usd": None,  # not known before a machine is chosen
            "fingerprint": spec.fingerprint,
            "preview": self.preview,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The jobs of a file that are right in themselves, and every problem of the file."""

    jobs: tuple[PlannedJob, ...]
    problems: tuple[Problem, ...]

    def totals(self) -> dict[str, Any]:
        """Sums over the jobs; `takes` counts every variant."""
        return {
            "jobs": len(self.jobs),
            "takes": sum(job.spec.variants for job in self.jobs),
            "characters": sum(len(job.spec.text) for job in self.jobs),
            "estimated_audio_s": round(sum(job.estimated_audio_s for job in self.jobs), 1),
            "estimated_cost_usd": None,
            "problems": len(self.problems),
        }

    def to_json(self) -> dict[str, Any]:
        """The value of `plan --json`: jobs, totals and problems."""
        return {
            "jobs": [job.to_json() for job in self.jobs],
            "totals": self.totals(),
            "problems": [problem.to_json() for problem in self.problems],
        }


def plan_job_file(path: Path, voices: VoiceCheck) -> Plan:
    """Read, check and measure a job file. What is wrong stands in the plan; nothing is raised for it."""
    problems: tuple[Problem, ...] = ()
    try:
        job_file = load_job_file(path)
    except InvalidJobFile as error:
        job_file, problems = error.sound, error.problems
    jobs = []
    found = []
    for spec, line in zip(job_file.specs, job_file.lines, strict=True):
        answer = voices.check(spec)
        jobs.append(PlannedJob(spec, line, answer if isinstance(answer, Speech) else None))
        if isinstance(answer, Unavailable):
            found.append(_problem(path, spec, line, answer))
    return Plan(tuple(jobs), _by_line(problems, found))


def load_speakable(path: Path, voices: VoiceCheck) -> JobFile:
    """Read a job file of which every job can be spoken here.

    Raises:
        InvalidJobFile: the file is wrong or a job cannot be spoken; `.problems` lists both kinds.
    """
    problems: tuple[Problem, ...] = ()
    try:
        job_file = load_job_file(path)
    except InvalidJobFile as error:
        job_file, problems = error.sound, error.problems
    found = _unspeakable(job_file, path, voices)
    if problems or found:
        raise InvalidJobFile(printable(str(path)), _by_line(problems, found), job_file)
    return job_file


def _unspeakable(job_file: JobFile, path: Path, voices: VoiceCheck) -> list[Problem]:
    return [
        _problem(path, spec, line, answer)
        for spec, line in zip(job_file.specs, job_file.lines, strict=True)
        if isinstance(answer := voices.check(spec), Unavailable)
    ]


def _problem(path: Path, spec: JobSpec, line: int, answer: Unavailable) -> Problem:
    return Problem(answer.message, printable(str(path)), line, spec.request_id, answer.field)


def _by_line(first: Iterable[Problem], second: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted([*first, *second], key=lambda problem: problem.line or 0))


def _phrase(error: BadInput) -> str:
    """The error's sentence as the end of a problem's line."""
    return error.message.removesuffix(".")
