"""The keys of rented machines, so that whoever leads next reaches them (docs/reference/ledger.md)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "machine_keys",
        sa.Column("token", sa.Text, sa.ForeignKey("machines.token"), primary_key=True),
        sa.Column("private", sa.Text, nullable=False),
        sa.Column("host_key", sa.Text, nullable=False),
    )
