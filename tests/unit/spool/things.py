"""A job, and a result made of it by a worker that may not be honest."""

from __future__ import annotations

import hashlib

from lib.spool import (
    ResultFile,
    SpoolJob,
    SpoolResult,
    WorkerSpool,
)

AUDIO = b"RIFF and so on"


def job(name: str = "a", lease_no: int = 1, mark: str = "marknone") -> SpoolJob:
    return SpoolJob(name, lease_no, mark, 1, "v1:any", {"text": "Hello."})


def finish(worker: WorkerSpool, entry: str, data: bytes = AUDIO, **changes: object) -> None:
    (worker.scratch(entry) / "audio.wav").write_bytes(data)
    values = {"name": "audio.wav", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "take": 1}
    file = ResultFile(**(values | changes))  # type: ignore[arg-type]  # the point is wrong values
    worker.publish(entry, SpoolResult(entry, "a", 1.0, 2.0, {}, (file,)))
