"""The tables of pipelines, once: what the migrations lead to and what Alembic compares a database with.

What each column holds: docs/reference/pipeline-tables.md. Statements: `ledger.sql`.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

metadata: Final = sa.MetaData()

#: A row number that SQLite counts by itself, which it does for Integer only.
_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _time(name: str, *, null: bool = True) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=null)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _index(name: str, *columns: sa.Column[Any], where: str | None = None, unique: bool = False) -> sa.Index:
    condition = None if where is None else sa.text(where)
    return sa.Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


snapshots = sa.Table(
    "pipeline_snapshots",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("dag"),
    _text("graph"),
    _time("created_at", null=False),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.false()),
)
_index("pipeline_snapshots_active", snapshots.c.dag, unique=True, where="active")

runs = sa.Table(
    "pipeline_runs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("dag"),
    sa.Column("snapshot", sa.Text, sa.ForeignKey("pipeline_snapshots.id"), nullable=False),
    _text("state"),
    _text("hold"),
    sa.Column("began", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.true()),
    _text("inputs"),
    _text("inputs_digest"),
    _text("metadata"),
    _text("config"),
    _text("slug", null=True),
    _text("intent", null=True),
    _time("created_at", null=False),
    _time("updated_at", null=False),
    _time("finished_at"),
)
_index("pipeline_runs_unsettled", runs.c.id, where="NOT settled")
_index("pipeline_runs_recent", runs.c.created_at)
_index(
    "pipeline_runs_open",
    runs.c.dag,
    runs.c.created_at,
    where="state NOT IN ('completed','failed','canceled')",
)

tasks = sa.Table(
    "pipeline_tasks",
    metadata,
    sa.Column("run", sa.Text, sa.ForeignKey("pipeline_runs.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    _text("dag"),
    _whole("place"),
    _text("state"),
    _time("ready_at"),
    _whole("attempt"),
    _whole("failures"),
    _whole("max_attempts"),
    _time("timeout_s", null=False),
    _text("lane", null=True),
    _text("executor"),
    _text("gate", null=True),
    _whole("lease_no"),
    _text("lease_owner", null=True),
    _time("lease_expires_at"),
    _time("parked_at"),
    _time("deadline_at"),
    _whole("jobs_attempt"),
    _text("input_hash", null=True),
    _text("instruction", null=True),
    _text("error", null=True),
    _text("result", null=True),
    _time("since", null=False),
    _time("started_at"),
    _time("finished_at"),
)
# Finished rows are in none of these: a million of them cost a claim nothing.
_index("pipeline_tasks_ready", tasks.c.dag, tasks.c.ready_at, where="ready_at IS NOT NULL")
_index("pipeline_tasks_leased", tasks.c.lease_expires_at, where="lease_expires_at IS NOT NULL")
_index("pipeline_tasks_parked", tasks.c.parked_at, where="parked_at IS NOT NULL")
_index("pipeline_tasks_failed", tasks.c.since, where="state IN ('failed','dead')")
# The heavy lane: the database itself lets one task of a lane be at work.
_index(
    "pipeline_tasks_lane",
    tasks.c.lane,
    unique=True,
    where="lane IS NOT NULL AND state = 'processing' AND parked_at IS NULL",
)

events = sa.Table(
    "pipeline_events",
    metadata,
    sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("position", sa.BigInteger, nullable=True, unique=True),
    sa.Column("run", sa.Text, sa.ForeignKey("pipeline_runs.id"), nullable=False),
    _text("task", null=True),
    sa.Column("attempt", sa.BigInteger, nullable=True),
    _text("kind"),
    _time("at", null=False),
    _text("data"),
)
_index("pipeline_events_unplaced", events.c.id, where="position IS NULL")
_index("pipeline_events_run", events.c.run, events.c.position)
_index("pipeline_events_failures", events.c.at, where="kind = 'stage_failed'")

gates = sa.Table(
    "pipeline_gates",
    metadata,
    sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("run", sa.Text, sa.ForeignKey("pipeline_runs.id"), nullable=False),
    _text("task"),
    _whole("attempt"),
    _text("seen"),
    _time("opened_at", null=False),
    _time("due_at"),
    _time("reminded_at"),
    _text("decision", null=True),
    _text("operator", null=True),
    _text("notes", null=True),
    _time("decided_at"),
)
_index("pipeline_gates_open", gates.c.run, gates.c.task, unique=True, where="decision IS NULL")
_index("pipeline_gates_of", gates.c.run, gates.c.task, gates.c.number)

artifacts = sa.Table(
    "pipeline_artifacts",
    metadata,
    sa.Column("run", sa.Text, sa.ForeignKey("pipeline_runs.id"), primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    _text("task"),
    _whole("attempt"),
    _text("type"),
    _text("sha256"),
    _whole("size"),
    _text("measures"),
    sa.Column("placeholder", sa.Boolean, nullable=False, server_default=sa.false()),
    _time("at", null=False),
)

external_jobs = sa.Table(
    "pipeline_external_jobs",
    metadata,
    sa.Column("run", sa.Text, sa.ForeignKey("pipeline_runs.id"), primary_key=True),
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("attempt", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("request_id", sa.Text, primary_key=True),
    _whole("place"),
    _text("spec"),
    _text("state"),
    _text("result", null=True),
    _time("updated_at", null=False),
)
_index(
    "pipeline_external_jobs_open",
    external_jobs.c.run,
    external_jobs.c.task,
    where="state IN ('ordered','enqueued','running')",
)
