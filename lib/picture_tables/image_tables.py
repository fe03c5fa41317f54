"""What is asked of the tables of pictures: rows claimed, held and ended, and rows of pictures written."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, RowMapping

from lib.picture_tables.model import DrawnPicture, ImageJob, NewImage, StoredObject
from lib.sql.database import Database
from lib.sql.statements import load_statements

T = TypeVar("T")
#: What the trigger says on when a row is inserted: the row's id.
CHANNEL: Final = "imagen_jobs"
STATEMENTS: Final = load_statements("lib.picture_tables", "jobs.sql")


class ImageTables:
    """The schema `imagen`. Each method is one transaction, and may be repeated after a lost reply.

    What a claim wrote is void once its lease has run out and somebody else claimed the row: every method
    that takes a job says whether it was still the caller's, and writes nothing where it was not.

    Threads: any. Raises, from every method: as `lib.sql.database.Database`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.address = database.address

    def claim(self, worker: str, lease_s: float) -> ImageJob | None:
        """Lease the oldest row that is ready or whose worker fell silent; None: there is none."""
        row = self._one("claim", worker=worker, lease_s=lease_s)
        return None if row is None else _job_of(row)

    def renew(self, job: ImageJob, lease_s: float) -> bool:
        """Hold a row for `lease_s` from now."""
        return self._one("renew", **_held(job), lease_s=lease_s) is not None

    def note_drawn(self, job: ImageJob, picture: DrawnPicture) -> bool:
        """Write down what was drawn and where it is to lie, before it is put there."""
        return self._one("note_drawn", **_held(job), drawn=json.dumps(asdict(picture))) is not None

    def finish(self, job: ImageJob, owner: str, picture: DrawnPicture, stored: StoredObject) -> str | None:
        """Write the row of the stored picture and end the job, in one; the id of that row, None: not ours."""
        values = {**asdict(picture), **asdict(stored), "owner": owner, **_held(job)}

        def work(connection: Connection) -> str | None:
            row = _first(connection, "finish", values) or _first(connection, "finished", _held(job))
            return None if row is None else row["image_id"]

        return self._database.write_rows(work)

    def fail(self, job: ImageJob, error: str) -> bool:
        """End a row with a sentence."""
        return self._one("fail", **_held(job), error=error) is not None

    def release(self, job: ImageJob, why: str, *, after_s: float, counted: bool) -> bool:
        """Give a row back to be claimed after so many seconds; `counted` where it was a real attempt."""
        row = self._one("release", **_held(job), error=why, after_s=after_s, counted=counted)
        return row is not None

    def still_open(self, ids: Collection[str]) -> set[str]:
        """Which of these rows have not ended."""
        rows = self._database.read(
            lambda connection: connection.execute(STATEMENTS["open_jobs"], {"ids": list(ids)}).all()
        )
        return {row[0] for row in rows}

    def add_image(self, image: NewImage) -> str:
        """Write the row of a picture that no job asked for; its id. With an id, repeating it adds none."""
        values = {
            **asdict(image.picture),
            "id": image.id or None,
            "owner": image.owner,
            "prompt": image.prompt,
            "bucket": image.bucket,
        }
        row = self._one("add_image", **values)
        assert row is not None
        return str(row["id"])

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one consistent state; it must not write."""
        return self._database.read(work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one durable transaction."""
        return self._database.write_rows(work)

    def close(self) -> None:
        """Give back all connections."""
        self._database.close()

    def _one(self, name: str, **values: Any) -> RowMapping | None:
        return self._database.write_rows(lambda connection: _first(connection, name, values))


def _first(connection: Connection, name: str, values: Mapping[str, Any]) -> RowMapping | None:
    return connection.execute(STATEMENTS[name], values).mappings().first()


def _held(job: ImageJob) -> dict[str, Any]:
    return {"id": job.id, "lease_no": job.lease_no}


def _job_of(row: RowMapping) -> ImageJob:
    values = dict(row)
    drawn = values.pop("drawn")
    return ImageJob(**values, drawn=None if drawn is None else DrawnPicture(**drawn))
