"""The ledger's first tables (docs/reference/ledger.md)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make them."""
    _make_epochs()
    _make_machines()
    _make_what_hangs_on_machines()
    _make_hosts()


def _make_epochs() -> None:
    op.create_table(
        "leader_epochs",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("began_at", sa.Double, nullable=False),
    )


def _make_machines() -> None:
    texts = (
        "provider",
        "offer_id",
        "machine_id",
        "host_id",
        "gpu",
        "label",
        "batch",
        "why",
        "state",
        "reason",
    )
    whole = ("intent_epoch", "planned_hourly_micros", "hourly_micros", "fee_micros", "version", "epoch")
    times = ("created_at", "expires_at", "since")
    op.create_table(
        "machines",
        # Integer, not BigInteger, on SQLite: only that is its own row number
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in whole),
        *(sa.Column(name, sa.Double, nullable=False) for name in times),
        sa.Column("interruptible", sa.Boolean, nullable=False),
        sa.Column("instance", sa.Text),
        sa.Column("closed_at", sa.Double),
    )
    still_paid = sa.text("closed_at IS NULL")
    op.create_index(
        "machines_open", "machines", ["number"], sqlite_where=still_paid, postgresql_where=still_paid
    )
    op.create_index("machines_batch", "machines", ["batch"])


def _make_what_hangs_on_machines() -> None:
    op.create_table(
        "machine_events",
        sa.Column("token", sa.Text, sa.ForeignKey("machines.token"), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "machine_charges",
        sa.Column("token", sa.Text, sa.ForeignKey("machines.token"), primary_key=True),
        sa.Column("category", sa.Text, primary_key=True),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("micros", sa.BigInteger, nullable=False),
    )
    op.create_index("machine_charges_hour", "machine_charges", ["hour", "micros"])


def _make_hosts() -> None:
    what = ("provider", "machine_id", "host_id", "reason", "token")
    op.create_table(
        "machine_hosts",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        *(sa.Column(name, sa.Text, nullable=False) for name in what),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.UniqueConstraint("at", *what, "ok", name="machine_hosts_once"),
    )
