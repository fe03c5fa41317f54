"""The records of finished jobs as flat rows."""

from __future__ import annotations

from typing import Any, Final

from lib.jobqueue import FinishedJob
from lib.records import SpokenRecord

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
    "voice",
    "verdict",
    "verdict_why",
    "flags",
    "pieces_spoken",
    "pieces_broken",
)


def _of_speech(spoken: SpokenRecord | None) -> dict[str, Any]:
    if spoken is None:
        return dict.fromkeys(("voice", "verdict", "verdict_why", "flags", "pieces_spoken", "pieces_broken"))
    return {
        "voice": spoken.voice or spoken.speaker,
        "verdict": spoken.verdict,
        "verdict_why": spoken.verdict_why,
        "flags": " ".join(spoken.chosen.flags),
        "pieces_spoken": spoken.pieces_spoken,
        "pieces_broken": spoken.pieces_broken,
    }


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
        **_of_speech(done.spoken if done else None),
    }
    return [found[name] for name in COLUMNS]
