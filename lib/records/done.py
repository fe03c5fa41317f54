"""What the queue keeps of a job that ended: `pab:jobs:result` and `pab:jobs:failed`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.records.drawn import DrawnRecord, drawn_from
from lib.records.made import Made, MadeRecord
from lib.records.reading import Fields
from lib.records.spoken import SpokenRecord, spoken_from


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
    """A finished job (docs/reference/result-record.md). What it made carries published names and keys."""

    record: MadeRecord
    timings: Timings
    provider: str
    callback_data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spoken(self) -> SpokenRecord | None:
        """What was spoken; None of a job that made a picture."""
        return self.record if isinstance(self.record, SpokenRecord) else None

    @property
    def drawn(self) -> DrawnRecord | None:
        """What was drawn; None of a job that was spoken."""
        return self.record if isinstance(self.record, DrawnRecord) else None

    @property
    def audio_seconds(self) -> float | None:
        """Length of the chosen take; None of a picture."""
        return self.record.audio_seconds if isinstance(self.record, SpokenRecord) else None

    @property
    def loudness_lufs(self) -> float | None:
        """Of the chosen take, where it was measured."""
        return self.record.chosen.loudness_lufs if isinstance(self.record, SpokenRecord) else None

    @property
    def maker(self) -> str:
        """The engine that spoke it, or the backend that drew it."""
        return self.record.engine if isinstance(self.record, SpokenRecord) else self.record.backend

    @property
    def takes(self) -> tuple[Made, ...]:
        """Its takes, the chosen one first; or its picture."""
        return self.record.takes

    @property
    def output(self) -> str:
        """The published name of the chosen take or of the picture, "topic/beat-001.wav"."""
        return self.record.chosen.main.file

    def to_json(self) -> dict[str, Any]:
        """What `pab:jobs:result` holds."""
        return {
            "output": self.output,
            "drawn" if self.drawn else "spoken": self.record.to_json(),
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
            record=_record_from(fields),
            timings=Timings(*(timings.number(name) for name in ("waited_s", "worked_s", "stored_s"))),
            provider=fields.text("provider"),
            callback_data=fields.mapping("callback_data"),
        )


def _record_from(fields: Fields) -> MadeRecord:
    if fields.has("drawn"):
        return drawn_from(fields.object("drawn"))
    return spoken_from(fields.object("spoken"))


def done_record(
    record: MadeRecord,
    *,
    started_at: float,
    finished_at: float,
    enqueued_at: float,
    now: float,
    provider: str,
    callback_data: Mapping[str, Any],
) -> DoneRecord:
    """The record of a job whose files, as `record` has them, lie where they stay. Times are epoch seconds."""
    timings = Timings(
        waited_s=round(max(0.0, started_at - enqueued_at), 3),
        worked_s=round(max(0.0, finished_at - started_at), 3),
        stored_s=round(max(0.0, now - finished_at), 3),
    )
    return DoneRecord(record, timings, provider, callback_data)


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
