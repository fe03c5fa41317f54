"""One picture of the spool, from its job file to its result. Backends are opened at the first job that asks.

A worker that is never asked for a picture imports nothing that draws: one that speaks has what it had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.clock import Clock, rfc3339
from lib.errors import BadConfiguration
from lib.files import write_whole
from lib.jobspec import from_payload
from lib.jobspec.kinds import IMAGE
from lib.records import DrawnRecord, FileRef, JobPicture
from lib.spool import SpoolFull, SpoolJob, SpoolResult, is_passing
from lib.spool.layout import PICTURE
from synth.pictures.backend import Picture, PictureBackend, PictureOrder
from synth.pictures.checked import draw_checked
from synth.worker.jobs import JobRun


def is_picture(job: SpoolJob | None) -> bool:
    """Whether a job file asks for a picture."""
    return job is not None and job.spec.get("kind") == IMAGE


@dataclass(frozen=True, slots=True)
class AskedPicture:
    """What a job asks for, checked."""

    order: PictureOrder
    backend: str


class PictureDrawer:
    """Turns job files into results. Backends are kept by name until `close`.

    Threads: the one that speaks.
    """

    def __init__(self, open_backend: Callable[[str], PictureBackend], clock: Clock) -> None:
        self._open, self._clock = open_backend, clock
        self._backends: dict[str, PictureBackend] = {}

    def read(self, job: SpoolJob) -> AskedPicture:
        """What the job asks for; loads nothing. Raises BadInput: it is wrong."""
        spec = from_payload(job.spec)
        width, height = spec.size
        return AskedPicture(PictureOrder(spec.words, width, height, spec.seed or 0), spec.drawn_by)

    def draw(self, asked: AskedPicture, run: JobRun, scratch: Callable[[], Path]) -> SpoolResult:
        """Draw it and write it into the folder that `scratch` makes.

        Raises:
            SpoolFull: the disk is full, say; the job is as good as before.
            JobRunnerError: it cannot be drawn, or its backend cannot be had.
        """
        order = asked.order
        run.log.append(
            f"drawing {len(order.prompt)} characters with {asked.backend}, {order.width} x {order.height}"
        )
        began = self._clock.monotonic()
        picture = draw_checked(self._backend(asked.backend), order)
        folder = scratch()
        try:
            write_whole(folder / PICTURE, picture.png, sync=True)
        except OSError as error:
            if is_passing(error):
                raise SpoolFull(f"The picture of {run.request_id} cannot be written now: {error}") from error
            raise BadConfiguration(f"{folder} cannot be written: {error.strerror or error}.") from error
        now = self._clock.now()
        return run.done(_record(asked, picture, self._clock.monotonic() - began, rfc3339(now)), now)

    def close(self) -> None:
        """Give back what the backends hold."""
        for backend in self._backends.values():
            backend.close()
        self._backends.clear()

    def _backend(self, name: str) -> PictureBackend:
        """The backend, and none beside it: two models seldom fit into one GPU."""
        if name not in self._backends:
            self.close()
            self._backends[name] = self._open(name)
        return self._backends[name]


def _record(asked: AskedPicture, picture: Picture, seconds: float, now: str) -> DrawnRecord:
    file = FileRef(PICTURE, len(picture.png), hashlib.sha256(picture.png).hexdigest())
    drawn = JobPicture(file, asked.order.width, asked.order.height, asked.order.seed)
    return DrawnRecord(
        backend=asked.backend,
        model=picture.model,
        characters=len(asked.order.prompt),
        work_seconds=round(seconds, 3),
        picture=drawn,
        created_at=now,
        cost_usd=picture.cost_usd,
    )
