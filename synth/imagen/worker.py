"""The picture worker's loop: claim, draw, store, end; wait for the next row."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from lib.backoff import backoff_s
from lib.clock import Clock
from lib.errors import BadConfiguration, BadInput, JobRunnerError, TryAgain, Unavailable
from lib.picture_tables.model import DrawnPicture, ImageJob
from lib.storage.port import StorageUnavailable
from synth.imagen.bell import StopFlag
from synth.imagen.delivery import Delivered, RowLost
from synth.imagen.held_lease import HeldLease
from synth.imagen.queue import PictureQueue
from synth.pictures.backend import PaidInVain
from synth.pictures.checked import UnfitPicture

_PAUSES_S: Final = (0.2, 30.0)  # between tries at a database or a store that does not answer
_LATER_S: Final = (2.0, 300.0)  # until a row is tried again whose backend did not answer
_LONGEST_ERROR: Final = 1000


class RowEnd(StrEnum):
    """What became of a row in this worker's hands."""

    DONE = "done"
    FAILED = "failed"
    LATER = "later"  # given back, to be tried again
    LOST = "lost"  # somebody else's by now, or gone


@dataclass(frozen=True, slots=True)
class RowReport:
    """One row, for people and logs. `path` is where its picture lies, `error` why it has none."""

    job: ImageJob
    end: RowEnd
    seconds: float
    path: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class PictureWorkerOptions:
    """`lease_s`: how long a row is held without a sign of life. `owner`: of rows that name none.

    `poll_s`: how often it looks for itself, whatever it heard.
    """

    lease_s: float = 90.0
    poll_s: float = 5.0
    most_attempts: int = 10
    owner: str | None = None


class Deliver(Protocol):
    """Draws and stores; see `synth.imagen.delivery.PictureDelivery`."""

    def deliver(self, job: ImageJob) -> Delivered:
        """The picture of a row, stored."""
        ...

    def forget(self, job: ImageJob) -> None:
        """Drop what is kept for a row that has ended."""
        ...


class PictureWorker:
    """Ends each row once: `done` with a stored picture, or `failed` with a sentence.

    `wait` returns after so many seconds, at a ring and when `stop` is asked; `told` gets each row's end,
    `warned` a sentence when the database or the store does not answer, once until it answers again.
    """

    def __init__(
        self,
        queue: PictureQueue,
        delivery: Deliver,
        stop: StopFlag,
        wait: Callable[[float], None],
        clock: Clock,
        options: PictureWorkerOptions,
        *,
        told: Callable[[RowReport], None],
        warned: Callable[[str], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._queue, self._delivery, self._stop, self._wait = queue, delivery, stop, wait
        self._clock, self._options, self._chance = clock, options, chance
        self._told, self._warned = told, warned
        self._troubles = 0  # in a row

    def run(self) -> None:
        """Work until asked to stop; the picture at hand is finished.

        Raises:
            BadConfiguration: the database refuses for good.
        """
        while not self._stop.asked:
            try:
                self.drain()
                self._troubles = 0
            except BadConfiguration:
                raise
            except (Unavailable, TryAgain) as trouble:
                self._pause(trouble)
            else:
                if not self._stop.asked:
                    self._wait(self._options.poll_s)

    def drain(self) -> None:
        """End every row that can be claimed now. Raises Unavailable or TryAgain: come again later."""
        while not self._stop.asked and (job := self._queue.claim()) is not None:
            self._take(job)
            self._troubles = 0

    def _pause(self, trouble: JobRunnerError) -> None:
        self._troubles += 1
        if self._troubles == 1:
            self._warned(trouble.message)
        first, longest = _PAUSES_S
        give_up = self._clock.monotonic() + backoff_s(
            self._troubles, self._chance(), base_s=first, cap_s=longest
        )
        # A ring says that there are rows, not that the trouble is over.
        while not self._stop.asked and (left := give_up - self._clock.monotonic()) > 0:
            self._wait(left)

    def _take(self, job: ImageJob) -> None:
        began = self._clock.monotonic()
        with HeldLease(lambda: self._queue.renew(job), self._options.lease_s / 3):
            end, path, error, trouble = self._ended(job)
        if end in (RowEnd.DONE, RowEnd.FAILED):
            self._delivery.forget(job)
        self._told(RowReport(job, end, self._clock.monotonic() - began, path, error))
        if trouble is not None:
            raise trouble

    def _ended(self, job: ImageJob) -> tuple[RowEnd, str, str, JobRunnerError | None]:
        """End the row, or give it back: how, the picture's path, what was wrong, and what to wait for."""
        if job.attempts > self._options.most_attempts:
            return self._fail(job, _given_up(job))
        try:
            owner = self._owner(job)
            found = self._delivery.deliver(job)
        except RowLost:
            return RowEnd.LOST, "", "somebody else has the row", None
        except StorageUnavailable as trouble:
            return self._release(job, trouble, after_s=0.0, counted=False)
        except (PaidInVain, UnfitPicture) as error:  # whoever draws so does so again, perhaps for money
            return self._fail(job, error.message)
        except (Unavailable, TryAgain) as trouble:
            return self._later(job, trouble)
        except JobRunnerError as error:
            return self._fail(job, error.message)
        except Exception as error:  # a backend's own mistake must not end the worker, nor the row stay
            return self._fail(job, f"the backend {job.backend} broke: {type(error).__name__}: {error}")
        kept = self._settled(lambda: self._queue.finish(job, owner, found.picture, found.stored))
        return (RowEnd.DONE if kept else RowEnd.LOST), found.stored.path, "", None

    def _owner(self, job: ImageJob) -> str:
        owner = job.owner or self._options.owner
        if owner is None:
            raise BadInput(
                "the row has no owner_user_id, and IMAGEN_OWNER_USER_ID names nobody; set one of them"
            )
        return owner

    def _fail(self, job: ImageJob, why: str) -> tuple[RowEnd, str, str, None]:
        error = one_line(why)
        kept = self._settled(lambda: self._queue.fail(job, error))
        return (RowEnd.FAILED if kept else RowEnd.LOST), "", error, None

    def _later(
        self, job: ImageJob, trouble: JobRunnerError
    ) -> tuple[RowEnd, str, str, JobRunnerError | None]:
        """Of a backend: other rows may name another one, so the worker goes on."""
        if job.attempts >= self._options.most_attempts:
            return self._fail(job, trouble.message)
        first, longest = _LATER_S
        after_s = backoff_s(job.attempts, self._chance(), base_s=first, cap_s=longest)
        end, path, error, _ = self._release(job, trouble, after_s=after_s, counted=True)
        return end, path, error, None

    def _release(
        self, job: ImageJob, trouble: JobRunnerError, *, after_s: float, counted: bool
    ) -> tuple[RowEnd, str, str, JobRunnerError | None]:
        error = one_line(trouble.message)
        kept = self._settled(lambda: self._queue.release(job, error, after_s=after_s, counted=counted))
        return (RowEnd.LATER if kept else RowEnd.LOST), "", error, trouble

    def _settled(self, write: Callable[[], bool]) -> bool:
        """Write an end, again and again for as long as a lease lasts; False: the row is no longer ours."""
        return settled(write, self._clock, self._options.lease_s, self._chance)


def settled(write: Callable[[], bool], clock: Clock, within_s: float, chance: Callable[[], float]) -> bool:
    """What `write` says, asked again while the database does not answer, for `within_s` seconds.

    False as well when that time is over: the row comes back by its lease, and whoever claims it goes on.
    """
    give_up = clock.monotonic() + within_s
    tries = 0
    while True:
        try:
            return write()
        except (Unavailable, TryAgain):
            tries += 1
            pause = backoff_s(tries, chance(), base_s=0.05, cap_s=2.0)
            if clock.monotonic() + pause > give_up:
                return False
        clock.sleep(pause)


def note_drawn_in(
    queue: PictureQueue, clock: Clock, within_s: float, chance: Callable[[], float] = random.random
) -> Callable[[ImageJob, DrawnPicture], None]:
    """What a delivery notes with. Raises RowLost: the row is no longer ours, or cannot be written."""

    def note(job: ImageJob, picture: DrawnPicture) -> None:
        if not settled(lambda: queue.note_drawn(job, picture), clock, within_s, chance):
            raise RowLost

    return note


def one_line(text: str) -> str:
    """A sentence for a row: one line, without control characters, at most a thousand characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LONGEST_ERROR else line[: _LONGEST_ERROR - 1] + "…"


def _given_up(job: ImageJob) -> str:
    why = job.error or "each time its worker ended before the picture was there"
    return f"given up after {job.attempts - 1} attempts: {why}"
