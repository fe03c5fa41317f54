"""What `execution.json` says of a local execution (docs/reference/execution-json.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lib.records.reading import Fields

_FORMAT: Final = 2


@dataclass(frozen=True, slots=True)
class ExecutionJob:
    """One job. `work_seconds` is how long its last attempt took, `file` relative to the manifest's folder."""

    request_id: str
    output_name: str
    state: str
    file: str | None
    sha256: str | None
    work_seconds: float | None
    audio_seconds: float | None
    attempts: int
    error: str | None
    error_class: str | None
    log: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """One entry of `jobs`."""
        return {
            "request_id": self.request_id,
            "output_name": self.output_name,
            "state": self.state,
            "file": self.file,
            "sha256": self.sha256,
            "work_seconds": self.work_seconds,
            "audio_seconds": self.audio_seconds,
            "attempts": self.attempts,
            "error": self.error,
            "error_class": self.error_class,
            "log": list(self.log),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """A whole execution. `wall_seconds` is how long it took; `totals` counts jobs, and jobs by state."""

    state: str
    manifest: str
    manifest_sha256: str
    engine: str
    started_at: str
    updated_at: str
    finished_at: str | None
    wall_seconds: float
    totals: Mapping[str, int]
    jobs: tuple[ExecutionJob, ...]

    def to_json(self) -> dict[str, Any]:
        """What `execution.json` holds."""
        return {
            "format": _FORMAT,
            "state": self.state,
            "manifest": self.manifest,
            "manifest_sha256": self.manifest_sha256,
            "engine": self.engine,
            "started_at": self.started_at,
            "updated_at": self.updated_at,
            "finished_at": self.finished_at,
            "wall_seconds": self.wall_seconds,
            "totals": dict(self.totals),
            "jobs": [job.to_json() for job in self.jobs],
        }

    @classmethod
    def from_json(cls, value: object) -> ExecutionRecord:
        """Read an `execution.json`. Raises InvalidRecord."""
        fields = Fields(value)
        if fields.whole("format") != _FORMAT:
            fields.refuse("format", f"is not {_FORMAT}")
        totals = fields.object("totals")
        return cls(
            state=fields.text("state"),
            manifest=fields.text("manifest"),
            manifest_sha256=fields.text("manifest_sha256"),
            engine=fields.text("engine"),
            started_at=fields.text("started_at"),
            updated_at=fields.text("updated_at"),
            finished_at=fields.optional_text("finished_at"),
            wall_seconds=fields.number("wall_seconds"),
            totals={name: totals.whole(name) for name in fields.mapping("totals")},
            jobs=tuple(_job_from(job) for job in fields.objects("jobs")),
        )


def _job_from(fields: Fields) -> ExecutionJob:
    return ExecutionJob(
        request_id=fields.text("request_id"),
        output_name=fields.text("output_name"),
        state=fields.text("state"),
        file=fields.optional_text("file"),
        sha256=fields.optional_text("sha256"),
        work_seconds=fields.optional_number("work_seconds"),
        audio_seconds=fields.optional_number("audio_seconds"),
        attempts=fields.whole("attempts"),
        error=fields.optional_text("error"),
        error_class=fields.optional_text("error_class"),
        log=fields.texts("log"),
        warnings=fields.texts("warnings"),
    )
