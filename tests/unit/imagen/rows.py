"""Rows in memory that a worker's loop is tried on, a store that refuses, and a stop that tests ask for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lib.clock import ManualClock
from lib.errors import JobRunnerError
from lib.picture_tables.model import DrawnPicture, ImageJob, StoredObject
from synth.imagen.delivery import Delivered
from synth.imagen.worker import PictureWorker, PictureWorkerOptions, RowReport

OWNER = "aaaaaaaa-0000-4000-8000-000000000001"


def job(number: int = 1, **more: Any) -> ImageJob:
    made = ImageJob(
        id=f"{number:08x}-0000-4000-8000-000000000000",
        owner=OWNER,
        prompt="a fox",
        backend="mock",
        width=64,
        height=64,
        seed=7,
        day="2026-11-30",
        lease_no=1,
        attempts=1,
    )
    return replace(made, **more)


@dataclass
class RowsInMemory:
    """`PictureQueue` as a list. What `troubles` holds is raised by the next calls, one each."""

    ready: deque[ImageJob] = field(default_factory=deque)
    ended: list[tuple[str, str, str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    noted: list[DrawnPicture] = field(default_factory=list)
    troubles: deque[JobRunnerError | None] = field(default_factory=deque)
    claims: int = 0

    def _trouble(self) -> None:
        if self.troubles and (trouble := self.troubles.popleft()) is not None:
            raise trouble

    def claim(self) -> ImageJob | None:
        self.claims += 1
        self._trouble()
        return self.ready.popleft() if self.ready else None

    def renew(self, job: ImageJob) -> bool:
        return job.id not in self.gone

    def note_drawn(self, job: ImageJob, picture: DrawnPicture) -> bool:
        self._trouble()
        self.noted.append(picture)
        return job.id not in self.gone

    def _end(self, job: ImageJob, how: str, words: str) -> bool:
        self._trouble()
        if job.id in self.gone:
            return False
        self.ended.append((job.id[:8], how, words))
        return True

    def finish(self, job: ImageJob, owner: str, picture: DrawnPicture, stored: StoredObject) -> bool:
        return self._end(job, "done", stored.path)

    def fail(self, job: ImageJob, error: str) -> bool:
        return self._end(job, "failed", error)

    def release(self, job: ImageJob, why: str, *, after_s: float, counted: bool) -> bool:
        return self._end(job, "again" if counted else "uncounted", why)


class Stop:
    """Asked by the test."""

    fd = -1

    def __init__(self) -> None:
        self.asked = False


class Deliveries:
    """Draws nothing; raises what it is told to for a row, else says where the picture lies."""

    def __init__(self) -> None:
        self.raises: dict[str, Iterator[BaseException]] = {}
        self.before: Callable[[ImageJob], None] = lambda job: None
        self.forgotten: list[str] = []

    def deliver(self, job: ImageJob) -> Delivered:
        self.before(job)
        for error in self.raises.get(job.id, iter(())):
            raise error
        path = f"{job.day}/{job.id[:8]}.png"
        picture = DrawnPicture(path, "0" * 64, job.width, job.height, 7, job.backend)
        return Delivered(picture, StoredObject("pictures", path, picture.sha256))

    def forget(self, job: ImageJob) -> None:
        self.forgotten.append(job.id[:8])


class Floor:
    """A worker on rows in memory. `events` are what happens at each wait, in order; then it is stopped."""

    def __init__(self, *jobs: ImageJob, **options: Any) -> None:
        self.rows, self.deliveries, self.stop = RowsInMemory(deque(jobs)), Deliveries(), Stop()
        self.clock = ManualClock(0.0)
        self.rings: Iterator[float] = iter(())  # seconds after which a wait is ended early
        self.reports: list[RowReport] = []
        self.warnings: list[str] = []
        self.waits: list[float] = []
        self.events: deque[Callable[[], None]] = deque()
        self.worker = PictureWorker(
            self.rows,
            self.deliveries,
            self.stop,
            self._wait,
            self.clock,
            PictureWorkerOptions(**options),
            told=self.reports.append,
            warned=self.warnings.append,
            chance=lambda: 1.0,
        )

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.sleep(min(seconds, next(self.rings, seconds)))
        if self.events:
            self.events.popleft()()
        else:
            self.stop.asked = True

    def run(self) -> list[tuple[str, str, str]]:
        self.worker.run()
        return self.rows.ended
