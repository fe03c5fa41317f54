"""Jobs, results and a store without files for the tests of this folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from lib.jobqueue import ErrorClass, Failure, JobQueue, JobSpec
from lib.jobspec import JobFile
from lib.storage import FileStorage, StoredArtifact
from tests.doubles import records


def spec(name: str, **fields: Any) -> JobSpec:
    return JobSpec(request_id=name, output_name=f"out/{name}", text="Hello.", speaker="Ryan", **fields)


def result(name: str, takes: int = 1) -> dict[str, Any]:
    """What the queue keeps of a job of as many takes, whose audio is stored under `name`/1 and so on."""
    return records.done(f"out/{name}", takes, place=name).to_json()


def finish(queue: JobQueue, *names: str, takes: int = 1) -> None:
    """Enqueue the jobs and bring them to their end."""
    queue.enqueue([spec(name) for name in names])
    for lease in queue.claim("tests", count=len(names)):
        queue.complete(queue.begin(lease), result(lease.request_id, takes))


def fail(queue: JobQueue, name: str, message: str = "It is wrong.") -> None:
    queue.enqueue([spec(name)])
    (lease,) = queue.claim("tests")
    queue.fail(queue.begin(lease), Failure(ErrorClass.BAD_INPUT, message))


class Shelf(FileStorage):
    """A store that has everything but the keys it lost."""

    def __init__(self, lost: Collection[str] = ()) -> None:
        super().__init__(Path("/nowhere"))
        self.lost = set(lost)

    def published(self, name: str) -> bool:
        return name not in self.lost

    def has(self, artifact: StoredArtifact) -> bool:
        return artifact.key not in self.lost

    def location(self, output: str) -> str:
        return f"/store/{output}"


def file_of(*specs: JobSpec, lines: tuple[int, ...] = ()) -> JobFile:
    """A job file with these jobs, the first on line 1 unless `lines` says otherwise."""
    return JobFile(Path("jobs.yaml"), specs, lines or tuple(range(1, len(specs) + 1)))
