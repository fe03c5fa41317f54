"""A job, and a result made of it by a worker that may not be honest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lib.spool import SpoolJob, SpoolResult, WorkerSpool
from tests.doubles import records

AUDIO = b"RIFF and so on"


def job(name: str = "a", lease_no: int = 1, mark: str = "marknone") -> SpoolJob:
    return SpoolJob(name, lease_no, mark, 1, "v1:any", {"text": "Hello."})


def finish(worker: WorkerSpool, entry: str, data: bytes = AUDIO, **changes: Any) -> None:
    """Publish a result whose one file holds `data`; `changes` are untruths about that file."""
    (worker.scratch(entry) / "audio.wav").write_bytes(data)
    file = replace(records.file_ref("audio.wav", data), **changes)
    record = records.spoken(records.take(audio=file))
    worker.publish(entry, SpoolResult(entry, "a", 1.0, 2.0, record, fingerprint="v1:any"))
