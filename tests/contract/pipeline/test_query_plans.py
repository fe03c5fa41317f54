"""The statements that workers repeat find their rows by the indexes that finished rows are not in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, text

from lib.pipeline.ledger import Transaction
from lib.pipeline.many_rows import as_json, for_many
from tests.contract.pipeline.floor import Floor, dag_of

NOW = 1_000.0
#: Each statement, what it is given, and the index that it must go through.
HOT: Mapping[str, tuple[dict[str, Any], str]] = {
    "claimable": (
        {"dag": "many", "names": ["only"], "now": NOW, "count": 4},
        "pipeline_tasks_ready",
    ),
    "claimable_in_lanes": (
        {"dag": "many", "names": ["only"], "now": NOW, "count": 4},
        "pipeline_tasks_ready",
    ),
    "next_ready": ({"dags": ["many"], "now": NOW}, "pipeline_tasks_ready"),
    "expired": ({"now": NOW, "count": 4}, "pipeline_tasks_leased"),
    "leases_of": ({"owner": "ann:1"}, "pipeline_tasks_leased"),
    "parked": ({}, "pipeline_tasks_parked"),
    # SQLite takes the index of all positions, in which those that are none stand first.
    "unplaced": ({"count": 4}, "pipeline_events_unplaced|sqlite_autoindex_pipeline_events_1"),
    "unsettled": ({"after": "", "count": 4}, "pipeline_runs_unsettled"),
    "lock_runs": ({"runs": ["r1"]}, "pipeline_runs_pkey"),
    "lock_tasks": ({"runs": ["r1"]}, "pipeline_tasks_pkey"),
    "tasks_unlocked": ({"runs": ["r1"]}, "pipeline_tasks_pkey"),
}
#: Statements for many rows at once, which find each by its key.
MANY: Mapping[str, tuple[dict[str, Any], str]] = {
    "renew": (
        {"run": "r1", "name": "only", "lease_no": 1, "owner": "ann:1", "expires_at": NOW},
        "pipeline_tasks_pkey",
    ),
    "begin_runs": ({"run": "r1", "now": NOW}, "pipeline_runs_pkey"),
    "place": ({"id": 1, "position": 1}, "pipeline_events_pkey"),
}
RUNS = 3000
_ALL_READY = "UPDATE pipeline_tasks SET state = 'pending', ready_at = 1.0"


@pytest.fixture
def crowded(floor: Floor) -> Floor:
    """A ledger with a history, and statistics that know of it."""
    crowd(floor)
    floor.ledger.database.write_rows(lambda connection: connection.execute(text("ANALYZE")))
    return floor


def crowd(floor: Floor) -> None:
    dag = dag_of("many", only={})
    floor.start(dag, "r1")
    values = {"rows": RUNS}
    numbers = (
        "SELECT n FROM generate_series(1, :rows) AS g(n)"
        if floor.ledger.database.dialect == "postgresql"
        else "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :rows) SELECT n FROM c"
    )
    runs = f"""INSERT INTO pipeline_runs (id, dag, snapshot, state, hold, began, settled, inputs,
        inputs_digest, metadata, config, created_at, updated_at)
        SELECT 'old-' || n, dag, snapshot, 'completed', '', true, true, '{{}}', '', '{{}}', '{{}}', n, n
        FROM ({numbers}) AS numbers, pipeline_runs WHERE id = 'r1'"""
    tasks = f"""INSERT INTO pipeline_tasks (run, name, dag, place, state, max_attempts, timeout_s, executor,
        since)
        SELECT 'old-' || n, 'only', 'many', 0, 'succeeded', 1, 10, 'worker', n FROM ({numbers}) AS numbers"""
    events = f"""INSERT INTO pipeline_events (position, run, task, attempt, kind, at, data)
        SELECT 1000 + n, 'old-' || n, 'only', 1, 'stage_completed', n, '{{}}' FROM ({numbers}) AS numbers"""

    def work(connection: Connection) -> None:
        for statement in (runs, tasks, events):
            connection.execute(text(statement), values)

    floor.ledger.database.write_rows(work)


def plan_of(transaction: Transaction, statement: Any, values: Mapping[str, Any]) -> str:
    """How the database would carry out a statement."""
    word = "EXPLAIN" if transaction.connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    compiled = statement.bindparams(**values).compile(
        transaction.connection, compile_kwargs={"render_postcompile": True}
    )
    found = transaction.connection.exec_driver_sql(f"{word} {compiled.string}", parameters_of(compiled))
    return "\n".join(str(row[-1]) for row in found)


def parameters_of(compiled: Any) -> Any:
    """As the driver takes them: by name, or in order."""
    if not compiled.positional:
        return dict(compiled.params)
    return tuple(compiled.params[name] for name in compiled.positiontup)


def check(plan: str, index: str) -> None:
    # SQLite calls the index of a primary key otherwise.
    table = index.removesuffix("_pkey")
    names = rf"{index}|sqlite_autoindex_{table}_1|INTEGER PRIMARY KEY"
    assert re.search(names, plan), plan
    assert not re.search(r"Seq Scan on pipeline_|SCAN \w+$", plan, re.MULTILINE), plan


@pytest.mark.parametrize("name", sorted(HOT))
def test_what_workers_ask_goes_through_an_index(crowded: Floor, name: str) -> None:
    values, index = HOT[name]
    plan = crowded.ledger.look(lambda t: plan_of(t, t._statements[name], values))
    check(plan, index)


def forget_statistics(floor: Floor) -> None:
    """Of tests before: then a server knows of a table what it knows of a new one."""
    forgotten = "DELETE FROM pg_statistic WHERE starelid = 'pipeline_tasks'::regclass"
    if floor.ledger.database.dialect == "postgresql":
        floor.ledger.database.write_rows(lambda connection: connection.execute(text(forgotten)))


@pytest.mark.parametrize("name", ["claimable", "claimable_in_lanes"])
def test_the_first_that_are_ready_are_found_without_reading_all_before_there_are_statistics(
    floor: Floor, name: str
) -> None:
    """Of 10,000 that were started at once each claim read all."""
    crowd(floor)
    forget_statistics(floor)
    floor.ledger.database.write_rows(lambda connection: connection.execute(text(_ALL_READY)))
    plan = floor.ledger.look(lambda t: plan_of(t, t._statements[name], HOT[name][0]))
    check(plan, "pipeline_tasks_ready")
    assert not re.search(r"Bitmap|Sort|TEMP B-TREE", plan), plan


@pytest.mark.parametrize("name", ["lock_tasks", "tasks_unlocked", "claimed", "results"])
def test_the_tasks_of_many_runs_are_found_by_their_key_before_there_are_statistics(
    floor: Floor, name: str
) -> None:
    crowd(floor)
    forget_statistics(floor)
    values: dict[str, Any] = {"runs": [f"old-{n}" for n in range(1, 65)]}
    values |= {"names": ["only"]} if name in ("claimed", "results") else {}
    values |= {"owner": "ann:1"} if name == "claimed" else {}
    plan = floor.ledger.look(lambda t: plan_of(t, t._statements[name], values))
    check(plan, "pipeline_tasks_pkey")


@pytest.mark.parametrize("name", sorted(MANY))
def test_many_rows_are_each_found_by_their_key(crowded: Floor, name: str) -> None:
    row, index = MANY[name]

    def work(transaction: Transaction) -> str:
        statement, values = transaction._statements[name], row
        if transaction.connection.dialect.name == "postgresql":
            values = as_json([row, row], statement.text)
            statement = text(for_many(statement.text))
        return plan_of(transaction, statement, values)

    check(crowded.ledger.look(work), index)
