"""What the queue keeps of a job that ended: `pab:jobs:result` and `pab:jobs:failed`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.records.reading import Fields
from lib.records.spoken import SpokenRecord, spoken_from
from lib.records.takes import Take


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds: from enqueueing to the worker's start, of work, and from its end until the record."""

    waited_s: float
    worked_s: float
    stored_s: float

    def to_json(self) -> dict[str, Any]:
        """The three keys."""
        return {"waited_s": self.waited_s, "worked_s": self.worked_s, "stored_s": self.stored_s}


@dataclass(frozen=True, slots=True)
class DoneRecord:
    """A finished job (docs/reference/result-record.md). Takes of `spoken` carry published names and keys."""

    spoken: SpokenRecord
    timings: Timings
    provider: str
    callback_data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def takes(self) -> tuple[Take, ...]:
        """Its takes, the chosen one first."""
        return self.spoken.takes

    @property
    def output(self) -> str:
        """The chosen take's published name, "topic/beat-001.wav"."""
        return self.spoken.chosen.audio.file

    def to_json(self) -> dict[str, Any]:
        """What `pab:jobs:result` holds."""
        return {
            "output": self.output,
            "spoken": self.spoken.to_json(),
            "timings": self.timings.to_json(),
            "provider": self.provider,
            "callback_data": dict(self.callback_data),
        }

    @classmethod
    def from_json(cls, value: object) -> DoneRecord:
        """Read what `pab:jobs:result` holds. Raises InvalidRecord."""
        fields = Fields(value)
        timings = fields.object("timings")
        return cls(
            spoken=spoken_from(fields.object("spoken")),
            timings=Timings(*(timings.number(name) for name in ("waited_s", "worked_s", "stored_s"))),
            provider=fields.text("provider"),
            callback_data=fields.mapping("callback_data"),
        )


def done_record(
    spoken: SpokenRecord,
    takes: Sequence[Take],
    *,
    started_at: float,
    finished_at: float,
    enqueued_at: float,
    now: float,
    provider: str,
    callback_data: Mapping[str, Any],
) -> DoneRecord:
    """The record of a job that was spoken and whose `takes` lie where they stay. Times are epoch seconds."""
    timings = Timings(
        waited_s=round(max(0.0, started_at - enqueued_at), 3),
        worked_s=round(max(0.0, finished_at - started_at), 3),
        stored_s=round(max(0.0, now - finished_at), 3),
    )
    return DoneRecord(spoken.placed(takes), timings, provider, callback_data)


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """Why a job failed or was canceled: a class, a sentence, and what was seen."""

    error_class: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def worker_class(self) -> str | None:
        """The worker's own class of the error, where one reported it."""
        found = self.evidence.get("worker_class")
        return found if isinstance(found, str) else None

    @property
    def log(self) -> tuple[str, ...]:
        """The last lines of the worker about it."""
        lines = self.evidence.get("log")
        return tuple(map(str, lines)) if isinstance(lines, list | tuple) else ()

    def to_json(self) -> dict[str, Any]:
        """What `pab:jobs:failed` holds of the error."""
        return {"class": self.error_class, "message": self.message, "evidence": dict(self.evidence)}

    @classmethod
    def from_json(cls, value: object) -> FailedRecord:
        """Read it. Raises InvalidRecord."""
        fields = Fields(value)
        return cls(fields.text("class"), fields.text("message"), fields.mapping("evidence"))
