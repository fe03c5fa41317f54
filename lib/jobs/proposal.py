"""What handing a file in would do, before it is done: its problems, what is spoken anew, its price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from lib.jobqueue import Changed, JobQueue, Outcome
from lib.jobs.changes import ChangedJob, jobs_spoken_anew
from lib.jobs.plan import Plan, parse_speakable, plan_of_bytes
from lib.jobs.script_now import known_now, words_of
from lib.jobs.submit import Submission, submit
from lib.jobs.voice_check import VoiceCheck
from lib.jobspec import JobFile, Problem
from lib.jobspec.files.prose import is_prose

_MOST_TEXTS: Final = 200
_SPOKEN: Final = frozenset({Outcome.CREATED, Outcome.REPLACED})


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan held against the queue. `would` None: the file has problems, so nothing of it can be done.

    `stale` are known jobs that the file changes: what was spoken for them would not be what it says.
    `texts` are what the file says of them and what the queue knows, None where that is kept no more.
    """

    plan: Plan
    would: Submission | None
    stale: Sequence[ChangedJob] = ()
    texts: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    is_prose: bool = False

    def to_json(self) -> dict[str, Any]:
        """The value of `POST /scripts/plan`."""
        return {
            "plan": self.plan.to_json(),
            "would": None if self.would is None else {**self.would.to_json(), "dry_run": True},
            "stale": [self._stale(job) for job in self.stale],
            "prose": self.is_prose,
            "to_speak": self.to_speak(),
        }

    def _stale(self, job: ChangedJob) -> dict[str, Any]:
        text, now = self.texts.get(job.request_id, (None, None))
        return {**job.to_json(), "text": text, "now": now}

    def to_speak(self) -> dict[str, Any]:
        """What would be made that is not made yet: new jobs, and the changed ones anew. Money in dollars."""
        outcomes = () if self.would is None else self.would.outcomes
        chosen = [
            (job, cost)
            for job, cost, outcome in zip(self.plan.jobs, self.plan.costs(), outcomes, strict=False)
            if outcome.outcome in _SPOKEN
        ]
        known = [Decimal(expected) for _, (expected, _) in chosen if expected is not None]
        return {
            "jobs": len(chosen),
            "characters": sum(len(job.spec.words) for job, _ in chosen),
            "audio_seconds": round(sum(job.work.audio_s for job, _ in chosen), 1),
            "cost_usd": str(sum(known, Decimal(0))) if known else None,
        }


def proposal_of(
    queue: JobQueue,
    data: bytes,
    voices: VoiceCheck,
    price: Callable[[Plan], Plan],
    *,
    name: str,
    voice: str | None = None,
    speaker: str | None = None,
) -> Proposal:
    """Look a file over; nothing is changed.

    Raises:
        UsageError: both of `voice` and `speaker` are given, or one of them and the file is no beatsheet.
        QueueBusy: another producer is enqueueing the same ids.
    """
    prose = is_prose(data)
    if prose:
        voice = speaker = None  # who is to speak what is made of it; a job file would refuse that
    plan = price(plan_of_bytes(data, voices, name=name, voice=voice, speaker=speaker))
    if plan.problems and prose:
        return Proposal(replace(plan, problems=(_prose_told(name),), warnings=()), None, is_prose=True)
    if plan.problems:
        return Proposal(plan, None)
    file = parse_speakable(data, voices, name=name, voice=voice, speaker=speaker)
    would = submit(queue, file, changed=Changed.REPLACE, dry_run=True)
    stale = jobs_spoken_anew(queue, file, would.outcomes)
    return Proposal(plan, would, stale, _texts(queue, file, stale[:_MOST_TEXTS]))


def _texts(queue: JobQueue, file: JobFile, stale: Sequence[ChangedJob]) -> dict[str, tuple[str, str | None]]:
    ids = {job.request_id for job in stale}
    specs = [spec for spec in file.specs if spec.request_id in ids]
    known = known_now(queue, specs)
    return {spec.request_id: (spec.words, words_of(known.get(spec.request_id))) for spec in specs}


def _prose_told(name: str) -> Problem:
    advice = "make a script of it on the console's page of uploads: each paragraph becomes a line"
    return Problem("is plain text, and no file of jobs", name, 1, suggestion=advice)
