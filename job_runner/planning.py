"""What a job file would make: checked without any server, with voices and lengths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from job_runner.speakable import (
    Answer,
    RegistryCheck,
    Speech,
    Unavailable,
    VoiceCheck,
    examine,
    load_examined,
)
from lib.jobspec import JobFile, JobSpec, Problem, load_job_file
from lib.voices import USUAL_CHARACTERS_PER_SECOND

__all__ = [
    "Answer",
    "Plan",
    "PlannedJob",
    "RegistryCheck",
    "Speech",
    "Unavailable",
    "VoiceCheck",
    "load_speakable",
    "plan_job_file",
]

_PREVIEW: Final = 60


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job of the plan. `speech` is None when nothing here can speak it."""

    spec: JobSpec
    line: int
    speech: Speech | None

    @property
    def estimated_audio_s(self) -> float:
        """Seconds of one take, by how fast the engine usually speaks."""
        rate = self.speech.characters_per_second if self.speech else USUAL_CHARACTERS_PER_SECOND
        return round(len(self.spec.text.strip()) / rate, 1)

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
    """The jobs of a file that are right in themselves, every problem of the file, and what to look at."""

    jobs: tuple[PlannedJob, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()

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
        """The value of `plan --json`: jobs, totals, problems and warnings."""
        return {
            "jobs": [job.to_json() for job in self.jobs],
            "totals": self.totals(),
            "problems": [problem.to_json() for problem in self.problems],
            "warnings": [warning.to_json() for warning in self.warnings],
        }


def plan_job_file(path: Path, voices: VoiceCheck) -> Plan:
    """Read, check and measure a job file. What is wrong stands in the plan; nothing is raised for it."""
    examined = examine(load_job_file, path, voices)
    jobs = [
        PlannedJob(draft.spec, draft.line, None if answer.problems else answer.speech)
        for draft, answer in zip(examined.file.drafts, examined.answers, strict=True)
        if draft.spec is not None
    ]
    return Plan(tuple(jobs), examined.problems, examined.warnings)


def load_speakable(path: Path, voices: VoiceCheck) -> JobFile:
    """Read a job file of which every job can be spoken here.

    Raises:
        InvalidJobFile: the file is wrong or a job cannot be spoken; `.problems` lists both kinds.
    """
    return load_examined(load_job_file, path, voices)
