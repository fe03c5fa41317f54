"""The tables of pictures, once: what the migrations lead to and what Alembic compares a database with.

Policies, grants, functions and the trigger stand in the migration alone. All lies in the schema `imagen`,
which is the search path while tables change. What each column holds: docs/reference/imagen-tables.md.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

#: Its name is part of the contract with the applications that write into it.
SCHEMA: Final = "imagen"
metadata: Final = sa.MetaData()

_STATES: Final = "status IN ('pending', 'running', 'done', 'failed')"
_UUID: Final = UUID(as_uuid=False)
_TIME: Final = TIMESTAMP(timezone=True)
_NEW_ID: Final = sa.text("gen_random_uuid()")
_NOW: Final = sa.text("now()")
_OWNER: Final = sa.text("imagen.current_owner()")

images: Final = sa.Table(
    "images",
    metadata,
    sa.Column("id", _UUID, primary_key=True, server_default=_NEW_ID),
    sa.Column("owner_user_id", _UUID, nullable=False),
    sa.Column(
        "job_id",
        _UUID,
        sa.ForeignKey("jobs.id", ondelete="SET NULL", name="images_of_job", use_alter=True),
        nullable=True,
    ),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("backend", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False, server_default=""),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("bucket", sa.Text, nullable=False),
    sa.Column("storage_path", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("draw_seconds", sa.Double, nullable=False, server_default="0"),
    sa.Column("cost_usd", sa.Double, nullable=True),
    sa.Column("created_at", _TIME, nullable=False, server_default=_NOW),
    sa.UniqueConstraint("job_id", name="images_job"),
)

jobs: Final = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", _UUID, primary_key=True, server_default=_NEW_ID),
    sa.Column("owner_user_id", _UUID, nullable=True, server_default=_OWNER),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("backend", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=True),
    sa.Column("status", sa.Text, nullable=False, server_default="pending"),
    sa.Column("image_id", _UUID, sa.ForeignKey("images.id", ondelete="SET NULL"), nullable=True),
    sa.Column("error", sa.Text, nullable=True),
    sa.Column("created_at", _TIME, nullable=False, server_default=_NOW),
    sa.Column("available_at", _TIME, nullable=True),
    sa.Column("started_at", _TIME, nullable=True),
    sa.Column("drawn_at", _TIME, nullable=True),
    sa.Column("finished_at", _TIME, nullable=True),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_no", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("lease_expires_at", _TIME, nullable=True),
    sa.Column("worker", sa.Text, nullable=True),
    sa.Column("drawn", JSONB, nullable=True),
    sa.CheckConstraint(_STATES, name="jobs_status"),
)
sa.Index(
    "jobs_open",
    jobs.c.created_at,
    jobs.c.id,
    postgresql_where=sa.text("status IN ('pending','running')"),
)
sa.Index("jobs_of_owner", jobs.c.owner_user_id, jobs.c.created_at)
