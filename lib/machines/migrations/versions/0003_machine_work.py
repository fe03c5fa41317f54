"""What machines did for their money: one row for each job that one finished (docs/reference/ledger.md)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "machine_work",
        sa.Column("token", sa.Text, sa.ForeignKey("machines.token"), primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("lease_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("work_ms", sa.BigInteger, nullable=False),
        sa.Column("audio_ms", sa.BigInteger, nullable=False),
    )
