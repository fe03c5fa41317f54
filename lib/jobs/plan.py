"""What a job file would make: checked without any server, with voices and lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lib.jobs.plan_cost import Cost, Forbidden, PricedWork, cost_of
from lib.jobs.plan_pictures import PicturePart, draw_seconds, parts_of, price_of
from lib.jobs.plan_voices import VoiceNeeds, VoiceWork, needs_of
from lib.jobs.spoken_words import reading_warnings, spoken_form
from lib.jobs.voice_check import (
    Answer,
    JobVoice,
    NotSpeakable,
    RegistryCheck,
    VoiceCheck,
    examine,
    load_examined,
)
from lib.jobspec import Draft, JobFile, JobSpec, Problem, load_job_file, parse_any_file, source_name
from lib.market.model import Market
from lib.picture_backends.names import BackendFacts
from lib.textnorm import Normalized
from lib.units import usd
from lib.voices import USUAL_LETTERS_PER_SECOND, USUAL_PAUSES, Pauses, audio_seconds

if TYPE_CHECKING:
    from lib.fleet import RentalTerms

__all__ = [
    "Answer",
    "JobVoice",
    "NotSpeakable",
    "Plan",
    "PlannedJob",
    "RegistryCheck",
    "VoiceCheck",
    "load_speakable",
    "parse_speakable",
    "plan_job_file",
    "priced",
]

_PREVIEW: Final = 60

#: Passes jobs on, one at a time.
Track = Callable[[Sequence[Draft]], Iterable[Draft]]


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job of the plan. `speech` is None when nothing here can speak it."""

    spec: JobSpec
    line: int
    speech: JobVoice | None
    spoken: Normalized  # its text in words
    estimated_audio_s: float  # seconds of one take, at its engine's usual pace; 0 of a picture
    drawn: BackendFacts | None = None  # of a picture

    @property
    def work(self) -> PricedWork:
        """The job as money sees it: every take is made."""
        return PricedWork(
            self.estimated_audio_s * self.spec.variants,
            self.speech.engine if self.speech else None,
            self.spec.batch or "",
        )

    @property
    def preview(self) -> str:
        """The start of the text on one line."""
        words = " ".join(self.spec.words[: _PREVIEW * 4].split())
        return words if len(words) <= _PREVIEW else words[: _PREVIEW - 1].rstrip() + "…"

    def spoken_json(self) -> dict[str, Any]:
        """What `--spoken` adds to the entry: the words, and each change with class and place."""
        return {"spoken": self.spoken.spoken, "changes": [asdict(change) for change in self.spoken.changes]}

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
            "format": spec.suffix,
            "characters": len(spec.words),
            "estimated_audio_s": self.estimated_audio_s,
            "estimated_cost_usd": None,  # the plan knows, if anybody does
            "fingerprint": spec.fingerprint,
            "preview": self.preview,
            "kind": spec.kind,
            "picture": self._picture_json(),
        }

    def _picture_json(self) -> dict[str, Any] | None:
        if not self.spec.is_picture:
            return None
        width, height = self.spec.size
        part = parts_of([(self.spec, self.drawn)])
        return {
            "backend": self.spec.drawn_by,
            "width": width,
            "height": height,
            "seed": self.spec.seed or 0,
            "estimated_draw_s": draw_seconds(self.spec, self.drawn) if self.drawn else None,
            "price_usd": price_of(part) if part else None,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The jobs of a file that are right in themselves, every problem of the file, and what to look at."""

    jobs: tuple[PlannedJob, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    cost: Cost | None = None  # None: no market was seen lately, or nothing on it may be rented
    forbidden: tuple[str, ...] = ()  # why nothing may be rented, where a market was seen

    def costs(self) -> Iterator[tuple[str | None, str | None]]:
        """Of each job in order: dollars as text, expected and worst."""
        if self.cost is None:
            return repeat((None, None), len(self.jobs))
        shares = zip(map(usd, self.cost.shares), map(usd, self.cost.worst_shares), strict=True)
        return iter([(None, None) if job.spec.is_picture else next(shares) for job in self.jobs])

    def total_cost(self) -> tuple[str | None, str | None]:
        """Dollars as text for all jobs together, expected and worst."""
        if self.cost is None:
            return None, None
        return usd(self.cost.expected_micros), usd(self.cost.worst_micros)

    def voices(self) -> tuple[VoiceNeeds, ...]:
        """What each voice and speaker needs, and its part of the cost; of jobs that can be spoken here."""
        shares: Iterable[tuple[int | None, int | None]] = repeat((None, None), len(self.jobs))
        if self.cost is not None:
            known = zip(self.cost.shares, self.cost.worst_shares, strict=True)
            shares = [(None, None) if job.spec.is_picture else next(known) for job in self.jobs]
        return needs_of(
            VoiceWork(job.spec, job.speech.engine, job.speech.kind, job.work.audio_s, *share)
            for job, share in zip(self.jobs, shares, strict=True)
            if job.speech is not None
        )

    def pictures(self) -> list[PicturePart]:
        """What the pictures of each backend take."""
        return parts_of((job.spec, job.drawn) for job in self.jobs if job.spec.is_picture)

    def totals(self) -> dict[str, Any]:
        """Sums over the jobs; `takes` and seconds count every variant."""
        return {
            "jobs": len(self.jobs),
            "takes": sum(job.spec.variants for job in self.jobs if not job.spec.is_picture),
            "pictures": sum(job.spec.is_picture for job in self.jobs),
            "estimated_draw_s": round(sum(part.draw_s for part in self.pictures()), 1),
            "pictures_price_usd": price_of(self.pictures()),
            "characters": sum(len(job.spec.words) for job in self.jobs),
            "estimated_audio_s": round(sum(job.work.audio_s for job in self.jobs), 1),
            **_money(*self.total_cost()),
            **({"forbidden_because": list(self.forbidden)} if self.forbidden else {}),
            **({"not_finished_because": self.cost.stopped} if self.cost and self.cost.stopped else {}),
            "problems": len(self.problems),
        }

    def to_json(self, *, spoken: bool = False) -> dict[str, Any]:
        """The value of `plan --json`: jobs, voices, totals, problems, warnings; with `spoken` the words."""
        return {
            "jobs": [
                job.to_json() | _money(*cost) | (job.spoken_json() if spoken else {})
                for job, cost in zip(self.jobs, self.costs(), strict=True)
            ],
            "voices": [needs.to_json() for needs in self.voices()],
            "totals": self.totals(),
            "problems": [problem.to_json() for problem in self.problems],
            "warnings": [warning.to_json() for warning in self.warnings],
        }


def _money(expected: str | None, worst: str | None) -> dict[str, str | None]:
    """The keys about money; the worst case is there only where a cost is known."""
    known = {"estimated_cost_usd": expected}
    return known if worst is None else known | {"worst_cost_usd": worst}


def plan_job_file(
    path: Path,
    voices: VoiceCheck,
    track: Track = iter,
    pauses: Pauses = USUAL_PAUSES,
    *,
    voice: str | None = None,
    speaker: str | None = None,
) -> Plan:
    """Read, check and measure a job file. What is wrong stands in the plan; nothing is raised for it.

    `track` passes the drafts on while their texts are brought into words, for whoever shows progress;
    `pauses` are those that the voices here make; `voice` and `speaker` as for `load_job_file`.
    """
    return _plan(partial(load_job_file, voice=voice, speaker=speaker), path, voices, track, pauses)


def plan_of_bytes(
    data: bytes,
    voices: VoiceCheck,
    pauses: Pauses = USUAL_PAUSES,
    *,
    name: str,
    voice: str | None = None,
    speaker: str | None = None,
) -> Plan:
    """As `plan_job_file`, of bytes from elsewhere; `name` stands in problems. Text files are refused.

    Raises:
        UsageError: both of `voice` and `speaker` are given, or one of them and the bytes are no beatsheet.
    """
    return _plan(_parsing(data, voice, speaker), Path(name), voices, iter, pauses)


def _plan(
    load: Callable[[Path], JobFile], path: Path, voices: VoiceCheck, track: Track, pauses: Pauses
) -> Plan:
    examined = examine(load, path, voices)
    name, jobs, warnings = source_name(path), [], list(examined.warnings)
    for draft, answer in zip(track(examined.file.drafts), examined.answers, strict=True):
        if draft.spec is not None and draft.spec.is_picture:
            nothing = Normalized("", "", "")
            jobs.append(PlannedJob(draft.spec, draft.line, None, nothing, 0.0, answer.drawn))
        elif draft.spec is not None:
            spoken = spoken_form(draft.spec)
            jobs.append(_planned(draft, draft.spec, answer, spoken, pauses))
            told = frozenset({"script"}) if answer.speech else frozenset[str]()  # by engine
            warnings += reading_warnings(name, draft, spoken, told)
    warnings.sort(key=lambda warning: warning.line or 0)
    return Plan(tuple(jobs), examined.problems, tuple(warnings))


def _planned(draft: Draft, spec: JobSpec, answer: Answer, spoken: Normalized, pauses: Pauses) -> PlannedJob:
    speech = None if answer.problems else answer.speech
    rate = speech.letters_per_second if speech else USUAL_LETTERS_PER_SECOND
    length_s = audio_seconds(spoken.script, rate, spec.speed, pauses)
    return PlannedJob(spec, draft.line, speech, spoken, length_s)


def priced(plan: Plan, market: Market, terms: RentalTerms, *, now: float) -> Plan:
    """The plan with what its speech costs on the market, or why nothing of it may be rented.

    Pictures have no part in it: what a service takes for them stands apart, and how long a machine draws is
    told by facts that nobody measured on it.

    `now` is in seconds since the epoch.
    """
    found = cost_of([job.work for job in plan.jobs if not job.spec.is_picture], market, terms, now=now)
    if isinstance(found, Forbidden):
        return replace(plan, forbidden=found.reasons)
    return replace(plan, cost=found)


def load_speakable(
    path: Path, voices: VoiceCheck, *, voice: str | None = None, speaker: str | None = None
) -> JobFile:
    """Read a file of jobs, YAML or a beatsheet, of which every job can be spoken here.

    `voice` and `speaker` as for `load_job_file`.

    Raises:
        InvalidJobFile: the file is wrong or a job cannot be spoken; `.problems` lists both kinds.
    """
    return load_examined(partial(load_job_file, voice=voice, speaker=speaker), path, voices)


def parse_speakable(
    data: bytes, voices: VoiceCheck, *, name: str, voice: str | None = None, speaker: str | None = None
) -> JobFile:
    """As `load_speakable`, of bytes from elsewhere; `name` stands in errors. Text files are refused.

    Raises: as `load_speakable`.
    """
    return load_examined(_parsing(data, voice, speaker), Path(name), voices)


def _parsing(data: bytes, voice: str | None, speaker: str | None) -> Callable[[Path], JobFile]:
    return lambda path: parse_any_file(data, name=str(path), voice=voice, speaker=speaker)
