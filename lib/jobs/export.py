"""The records of finished jobs as flat rows."""

from __future__ import annotations

from typing import Any, Final

from lib.jobqueue import FinishedJob

#: The columns of the CSV form; what is nested in the record stands flat here.
COLUMNS: Final = (
    "request_id",
    "state",
    "finished_at",
    "enqueued_at",
    "started_at",
    "attempts",
    "lost",
    "consumer",
    "output",
    "sha256",
    "bytes",
    "audio_seconds",
    "loudness_lufs",
    "engine",
    "error_class",
    "error",
    "revision",
)


def flat(job: FinishedJob) -> list[Any]:
    """A record as one row under `COLUMNS`; None where there is nothing."""
    full, done, failure = job.to_json(), job.done(), job.failure()
    audio = done.takes[0].main if done else None
    found = {
        **full,
        "output": audio and audio.file,
        "sha256": audio and audio.sha256,
        "bytes": audio and audio.bytes,
        "audio_seconds": done and done.audio_seconds,
        "loudness_lufs": done and done.loudness_lufs,
        "engine": done and done.maker,
        "error_class": failure and failure.error_class,
        "error": failure and failure.message,
    }
    return [found[name] for name in COLUMNS]
