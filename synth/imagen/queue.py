"""The small port between the worker's loop and the rows that ask for pictures."""

from __future__ import annotations

from typing import Protocol

from lib.picture_tables.image_tables import ImageTables
from lib.picture_tables.model import DrawnPicture, ImageJob, StoredObject


class PictureQueue(Protocol):
    """Rows to be drawn. Every call may be repeated after a lost reply.

    A method that takes a job says False where the row is no longer the caller's: its lease ran out and
    somebody else has it, or it is gone. Then nothing was written.

    Threads: two, of which one only renews.
    Raises, from every method: lib.errors.Unavailable or TryAgain, where asking again later may help;
        BadConfiguration, where it does not.
    """

    def claim(self) -> ImageJob | None:
        """Lease the oldest row that is ready, or whose worker fell silent; None: there is none."""
        ...

    def renew(self, job: ImageJob) -> bool:
        """Hold a row for another lease."""
        ...

    def note_drawn(self, job: ImageJob, picture: DrawnPicture) -> bool:
        """Write down what was drawn and where it is to lie, before it is put there."""
        ...

    def finish(self, job: ImageJob, owner: str, picture: DrawnPicture, stored: StoredObject) -> bool:
        """Link the row to the row of its stored picture, and end it."""
        ...

    def fail(self, job: ImageJob, error: str) -> bool:
        """End a row with a sentence."""
        ...

    def release(self, job: ImageJob, why: str, *, after_s: float, counted: bool) -> bool:
        """Give a row back for later; `counted`: it was a real attempt."""
        ...


class TableQueue:
    """`PictureQueue` on the tables, for one worker; `lease_s` is how long it may be silent."""

    def __init__(self, tables: ImageTables, worker: str, lease_s: float) -> None:
        self._tables, self._worker, self._lease_s = tables, worker, lease_s

    def claim(self) -> ImageJob | None:
        """Lease the next row."""
        return self._tables.claim(self._worker, self._lease_s)

    def renew(self, job: ImageJob) -> bool:
        """Hold a row for another lease."""
        return self._tables.renew(job, self._lease_s)

    def note_drawn(self, job: ImageJob, picture: DrawnPicture) -> bool:
        """Write down what was drawn."""
        return self._tables.note_drawn(job, picture)

    def finish(self, job: ImageJob, owner: str, picture: DrawnPicture, stored: StoredObject) -> bool:
        """Write the picture's row and end the job's."""
        return self._tables.finish(job, owner, picture, stored) is not None

    def fail(self, job: ImageJob, error: str) -> bool:
        """End a row with a sentence."""
        return self._tables.fail(job, error)

    def release(self, job: ImageJob, why: str, *, after_s: float, counted: bool) -> bool:
        """Give a row back for later."""
        return self._tables.release(job, why, after_s=after_s, counted=counted)
