"""A queue and a store in memory, and who speaks what is asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lib.clock import ManualClock
from lib.jobqueue import Changed, FinishedJob, JobQueue, JobSpec
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.follow import Batch
from lib.jobs.report import Report, report_on
from lib.jobspec import normalize_job_spec, take_name
from lib.records import DoneRecord, FileRef, Timings
from lib.storage import Claim, MemoryStorage, publish_takes
from tests.doubles import records

NAME = "topic/x"


class Studio:
    """A queue and a store in memory; `speak` does what a watcher does."""

    def __init__(self, desk: Path) -> None:
        self.clock = ManualClock()
        self.queue: JobQueue = MemoryQueue(now_ms=lambda: round(self.clock.now() * 1000))
        self.storage = MemoryStorage()
        self._desk = desk / "file"

    def spec(self, request_id: str, **fields: object) -> JobSpec:
        given = {"output_name": NAME, "text": f"The line of {request_id}.", "speaker": "Ryan", **fields}
        return normalize_job_spec({"request_id": request_id, **given})

    def stored(self, name: str, data: bytes) -> FileRef:
        self._desk.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        artifact = self.storage.put(self._desk, sha256=sha256, bytes=len(data))
        return FileRef(name, len(data), sha256, artifact.key)

    def speak(self, spec: JobSpec, *, changed: Changed = Changed.REFUSE, publish: bool = True) -> None:
        self.clock.advance(1)
        self.queue.enqueue([spec], changed=changed)
        (lease,) = self.queue.claim("ann")
        takes = [
            records.take(
                number,
                audio=self.stored(
                    take_name(spec.output_name, number, spec.format), f"{spec.text} {number}".encode()
                ),
            )
            for number in range(1, spec.variants + 1)
        ]
        record = DoneRecord(records.spoken(*takes), Timings(0.0, 0.0, 0.0), "local")
        order = self.queue.complete(self.queue.begin(lease), record.to_json())
        if publish:
            publish_takes(self.storage, Claim(spec.request_id, lease.revision, order), takes)

    def ask_again(self, *specs: JobSpec) -> Batch:
        self.clock.advance(1)
        self.queue.enqueue(specs)
        batch = Batch(self.queue, specs)
        batch.refresh()
        return batch

    def finished(self, request_id: str) -> FinishedJob:
        found = self.queue.result(request_id)
        assert found is not None
        return found

    def report(self, *specs: JobSpec) -> Report:
        return report_on(self.queue, specs, self.storage, self.clock.now())

    def lies(self, path: str = f"{NAME}.wav") -> str | None:
        found = self.storage.objects.get(f"outputs/{path}")
        return None if found is None else found.decode()
