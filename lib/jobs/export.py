"""The records of finished jobs as flat rows."""

from __future__ import annotations

from typing import Any, Final

from lib.jobqueue import FinishedJob

#: The columns of the CSV form; what is nested in the record stands flat here.
COLUMNS: Final = (
    "request_id",
    "status",
    "finished_at",
    "enqueued_at",
    "started_at",
    "attempts",
    "lost",
    "consumer",
    "output",
    "sha256",
    "bytes",
    "seconds",
    "loudness_lufs",
    "engine",
    "error_class",
    "error",
)


def flat(job: FinishedJob) -> list[Any]:
    """A record as one row under `COLUMNS`; None where there is nothing."""
    full = job.to_json()
    result: dict[str, Any] = dict(job.result or {})
    take = (result.get("takes") or [{}])[0]
    record = result.get("record") or {}
    error = job.error or {}
    found = {
        **full,
        **{name: take.get(name) for name in ("output", "sha256", "bytes")},
        **{name: record.get(name) for name in ("seconds", "loudness_lufs", "engine")},
        "error_class": error.get("class"),
        "error": error.get("message"),
    }
    return [found[name] for name in COLUMNS]
