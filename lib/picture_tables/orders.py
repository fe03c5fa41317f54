"""Pictures that somebody asks for: rows written, shown and listed, as an application sees them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from lib.clock import rfc3339
from lib.picture_tables.image_tables import ImageTables
from lib.picture_tables.model import ShownImageJob, WantedPicture
from lib.sql.statements import load_statements

STATEMENTS: Final = load_statements("lib.picture_tables", "orders.sql")
_TIMES: Final = ("created_at", "started_at", "drawn_at", "finished_at")


def ask_for(tables: ImageTables, asked: WantedPicture) -> tuple[ShownImageJob, bool]:
    """Write a row of `imagen.jobs`, and whether it is a new one: with an id, repeating it writes none.

    The row that is there may ask for something else; whoever asks compares.

    Raises: as `ImageTables`.
    """

    def work(connection: Connection) -> tuple[ShownImageJob, bool]:
        made = connection.execute(STATEMENTS["ask"], asdict(asked)).mappings().first()
        id = asked.id if made is None else made["id"]
        row = connection.execute(STATEMENTS["show"], {"id": id, "owner": None}).mappings().one()
        return _shown(row), made is not None

    return tables.write(work)


def show_job(tables: ImageTables, id: str, *, owner: str | None = None) -> ShownImageJob | None:
    """A row; None where there is none, or none of that owner. Raises as `ImageTables`."""

    def work(connection: Connection) -> ShownImageJob | None:
        row = connection.execute(STATEMENTS["show"], {"id": id, "owner": owner}).mappings().first()
        return None if row is None else _shown(row)

    return tables.read(work)


def list_jobs(
    tables: ImageTables,
    *,
    owner: str | None = None,
    status: str | None = None,
    after: str | None = None,
    count: int = 20,
) -> list[ShownImageJob]:
    """Rows, the newest first: of an owner, of a status, behind the row of an id. Raises as `ImageTables`."""
    values = {"owner": owner, "status": status, "after": after, "count": count}

    def work(connection: Connection) -> list[ShownImageJob]:
        return [_shown(row) for row in connection.execute(STATEMENTS["list"], values).mappings()]

    return tables.read(work)


def image_job_json(job: ShownImageJob) -> dict[str, Any]:
    """A row, with times as RFC 3339; `image` is null until it is drawn."""
    told = asdict(job)
    for name in _TIMES:
        told[name] = None if told[name] is None else rfc3339(told[name])
    image = {name: told.pop(name) for name in ("bucket", "path", "sha256", "image_seed")}
    id = told.pop("image_id")
    image["seed"] = image.pop("image_seed")
    return {**told, "image": None if id is None else {"id": id, **image}}


def _shown(row: RowMapping) -> ShownImageJob:
    return ShownImageJob(**{name: row[name] for name in ShownImageJob.__dataclass_fields__})
