"""The first tables of pipelines (lib/pipeline/tables.py)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make them."""
    _make_snapshots()
    _make_runs()
    _make_tasks()
    _index_tasks()
    _make_events()
    _make_gates()
    _make_artifacts()
    _make_external_jobs()


def _make_snapshots() -> None:
    op.create_table(
        "pipeline_snapshots",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dag", sa.Text(), nullable=False),
        sa.Column("graph", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "pipeline_snapshots_active",
        "pipeline_snapshots",
        ["dag"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )


def _make_runs() -> None:
    op.create_table(
        "pipeline_runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dag", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("began", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("settled", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("inputs_digest", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=True),
        sa.Column("intent", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["snapshot"],
            ["pipeline_snapshots.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "pipeline_runs_open",
        "pipeline_runs",
        ["dag", "created_at"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('completed','failed','canceled')"),
        postgresql_where=sa.text("state NOT IN ('completed','failed','canceled')"),
    )
    op.create_index("pipeline_runs_recent", "pipeline_runs", ["created_at"], unique=False)
    op.create_index(
        "pipeline_runs_unsettled",
        "pipeline_runs",
        ["id"],
        unique=False,
        sqlite_where=sa.text("NOT settled"),
        postgresql_where=sa.text("NOT settled"),
    )


def _make_tasks() -> None:
    op.create_table(
        "pipeline_tasks",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dag", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ready_at", sa.Double(), nullable=True),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("timeout_s", sa.Double(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("executor", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=True),
        sa.Column("lease_no", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_expires_at", sa.Double(), nullable=True),
        sa.Column("parked_at", sa.Double(), nullable=True),
        sa.Column("deadline_at", sa.Double(), nullable=True),
        sa.Column("jobs_attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=True),
        sa.Column("instruction", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run"],
            ["pipeline_runs.id"],
        ),
        sa.PrimaryKeyConstraint("run", "name"),
    )


def _index_tasks() -> None:
    op.create_index(
        "pipeline_tasks_failed",
        "pipeline_tasks",
        ["since"],
        unique=False,
        sqlite_where=sa.text("state IN ('failed','dead')"),
        postgresql_where=sa.text("state IN ('failed','dead')"),
    )
    op.create_index(
        "pipeline_tasks_lane",
        "pipeline_tasks",
        ["lane"],
        unique=True,
        sqlite_where=sa.text("lane IS NOT NULL AND state = 'processing' AND parked_at IS NULL"),
        postgresql_where=sa.text("lane IS NOT NULL AND state = 'processing' AND parked_at IS NULL"),
    )
    op.create_index(
        "pipeline_tasks_leased",
        "pipeline_tasks",
        ["lease_expires_at"],
        unique=False,
        sqlite_where=sa.text("lease_expires_at IS NOT NULL"),
        postgresql_where=sa.text("lease_expires_at IS NOT NULL"),
    )
    op.create_index(
        "pipeline_tasks_parked",
        "pipeline_tasks",
        ["parked_at"],
        unique=False,
        sqlite_where=sa.text("parked_at IS NOT NULL"),
        postgresql_where=sa.text("parked_at IS NOT NULL"),
    )
    op.create_index(
        "pipeline_tasks_ready",
        "pipeline_tasks",
        ["dag", "ready_at"],
        unique=False,
        sqlite_where=sa.text("ready_at IS NOT NULL"),
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )


def _make_events() -> None:
    op.create_table(
        "pipeline_events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=True),
        sa.Column("attempt", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"],
            ["pipeline_runs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("position"),
    )
    op.create_index(
        "pipeline_events_failures",
        "pipeline_events",
        ["at"],
        unique=False,
        sqlite_where=sa.text("kind = 'stage_failed'"),
        postgresql_where=sa.text("kind = 'stage_failed'"),
    )
    op.create_index("pipeline_events_run", "pipeline_events", ["run", "position"], unique=False)
    op.create_index(
        "pipeline_events_unplaced",
        "pipeline_events",
        ["id"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )


def _make_gates() -> None:
    op.create_table(
        "pipeline_gates",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("reminded_at", sa.Double(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("operator", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run"],
            ["pipeline_runs.id"],
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("pipeline_gates_of", "pipeline_gates", ["run", "task", "number"], unique=False)
    op.create_index(
        "pipeline_gates_open",
        "pipeline_gates",
        ["run", "task"],
        unique=True,
        sqlite_where=sa.text("decision IS NULL"),
        postgresql_where=sa.text("decision IS NULL"),
    )


def _make_artifacts() -> None:
    op.create_table(
        "pipeline_artifacts",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("placeholder", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"],
            ["pipeline_runs.id"],
        ),
        sa.PrimaryKeyConstraint("run", "path"),
    )


def _make_external_jobs() -> None:
    op.create_table(
        "pipeline_external_jobs",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"],
            ["pipeline_runs.id"],
        ),
        sa.PrimaryKeyConstraint("run", "task", "attempt", "request_id"),
    )
    open_jobs = sa.text("state IN ('ordered','enqueued','running')")
    op.create_index(
        "pipeline_external_jobs_open",
        "pipeline_external_jobs",
        ["run", "task"],
        unique=False,
        sqlite_where=open_jobs,
        postgresql_where=open_jobs,
    )
