"""The ledger of pipelines: one transaction at a time over whole runs.

What may happen to a run is in `run_transitions`; the use cases are in `snapshots`, `runs`, `claims`, `gates`,
`orchestration`, `trail` and `parked_tasks`, which all go through here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, Unpack, cast

from sqlalchemy import Connection, TextClause, bindparam, text

from lib.clock import Clock
from lib.pipeline.failures import unknown_run
from lib.pipeline.graph import Graph
from lib.pipeline.many_rows import AT_ONCE, as_json, for_many
from lib.pipeline.model import TaskRow
from lib.pipeline.rows import columns_of, event_columns, run_of, task_of
from lib.pipeline.run_transitions import Board
from lib.sql import DatabaseOptions, open_database, read_address
from lib.sql.clock import SERVER_TIME, now
from lib.sql.database import Database
from lib.sql.driver_cursor import DriverCursor, for_driver
from lib.sql.listen import channel_of, notify
from lib.sql.migrate import migrate, revision_of
from lib.sql.statements import load_statements

T = TypeVar("T")
HEAD: Final = "0001"
VERSION_TABLE: Final = "pipeline_version"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_FILES: Final = ("ledger.sql", "views.sql")
_LIST: Final = re.compile(r"\b(NOT )?IN :(\w+)")


@cache
def _statements(dialect: str) -> Mapping[str, TextClause]:
    takes_lists = _with_arrays if dialect == "postgresql" else _with_lists
    return {
        name: takes_lists(statement)
        for file in _FILES
        for name, statement in load_statements("lib.pipeline", file, dialect=dialect).items()
    }


def _with_arrays(statement: TextClause) -> TextClause:
    """A list is one parameter: the statement is the same for any number, and the server keeps its plan."""
    return text(_LIST.sub(lambda found: f"{'<> ALL' if found[1] else '= ANY'}(:{found[2]})", statement.text))


def _with_lists(statement: TextClause) -> TextClause:
    names = {name for _, name in _LIST.findall(statement.text)}
    return statement.bindparams(*(bindparam(name, expanding=True) for name in names))


#: The word that wakes the workers of all pipelines.
EVERYBODY: Final = ""


@cache
def _for_driver() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The statements, and those that take many rows at once, as the driver of Postgres takes them."""
    texts = {name: statement.text for name, statement in _statements("postgresql").items()}
    alone = {name: for_driver(sql) for name, sql in texts.items()}
    return alone, {name: for_driver(for_many(texts[name])) for name in AT_ONCE}


class Transaction:
    """One transaction: the statements by name, and the time it has, seconds since the epoch."""

    def __init__(
        self, ledger: PipelineLedger, connection: Connection, clock: Callable[[], float] | None
    ) -> None:
        """`clock` None: it is the time of the database server."""
        self.ledger = ledger
        self.connection = connection
        self._dialect = connection.dialect.name
        self._statements = _statements(self._dialect)
        self._driver = DriverCursor(connection) if self._dialect == "postgresql" else None
        if clock is None and self._driver is not None:
            self.now = float(self._driver.rows(SERVER_TIME, {})[0][0])
        else:
            self.now = now(connection, clock)

    def run(self, name: str, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None) -> int:
        """Carry out a statement, once or for each of `rows`; the number of rows it met."""
        values = {} if rows is None else rows
        if not values and not isinstance(values, Mapping):
            return 0
        if self._driver is None:
            return self.connection.execute(self._statements[name], values).rowcount
        alone, many = _for_driver()
        if isinstance(values, Mapping):
            return self._driver.run(alone[name], values)
        if len(values) > 1 and name in many:
            return self._driver.run(many[name], as_json(values, self._statements[name].text))
        return self._driver.run(alone[name], values)

    def all(self, name: str, **values: Any) -> Sequence[Mapping[str, Any]]:
        """What a statement finds, each column by its name."""
        if self._driver is not None:
            return self._driver.mappings(_for_driver()[0][name], values)
        return cast(
            Sequence[Mapping[str, Any]],
            self.connection.execute(self._statements[name], values).mappings().all(),
        )

    def one(self, name: str, **values: Any) -> Mapping[str, Any] | None:
        """The first row that a statement finds."""
        return next(iter(self.all(name, **values)), None)

    def _columns(self, name: str, **values: Any) -> Iterable[Sequence[Any]]:
        """What a statement finds, the columns in its order."""
        if self._driver is not None:
            return self._driver.rows(_for_driver()[0][name], values)
        return self.connection.execute(self._statements[name], values)

    def boards(self, runs: Collection[str], *, lock: bool = True, patient: bool = True) -> dict[str, Board]:
        """Some runs with all their tasks, locked until the end; those that do not exist are left out.

        Not `patient`: so are those that somebody else has locked, for whoever can as well come again.
        """
        if not runs:
            return {}
        rows = ("lock_runs" if patient else "lock_free_runs") if lock else "runs_unlocked"
        found = {row["id"]: run_of(row) for row in self.all(rows, runs=sorted(runs))}
        if found and lock and self._dialect == "postgresql":  # SQLite has one writer at a time
            self.run("lock_tasks", {"runs": list(found)})
        tasks = self.tasks_of(found)
        return {
            run: Board(row, tasks[run], self.ledger.graph(row.snapshot, self), self.now)
            for run, row in found.items()
        }

    def tasks_of(self, runs: Collection[str]) -> dict[str, list[TaskRow]]:
        """The tasks of each of some runs in their places, as they are."""
        tasks: dict[str, list[TaskRow]] = {run: [] for run in runs}
        if runs:
            for row in self._columns("tasks_unlocked", runs=list(runs)):
                tasks[row[0]].append(task_of(row))
        return tasks

    def write(self, boards: Iterable[Board], *, settle: bool = True) -> None:
        """Write what changed of runs, with its events, and wake whoever can do what became ready.

        With `settle` it is also seen what follows from the changes; without, the orchestrator sees to that.
        """
        written = [board for board in boards if self._close(board, settle)]
        tasks = [
            {**columns_of(board.tasks[name]), "result": board.results.get(name)}
            for board in written
            for name in sorted(board.changed)
        ]
        self.run("change_task", tasks)
        self.run("change_run", [columns_of(board.run) for board in written if board.run_changed])
        self.run("tell", [event_columns(event) for board in written for event in board.events])
        if any(board.frees_lane for board in written):  # whose turn it is may be in any pipeline
            self.wake(EVERYBODY)
        else:
            for dag in sorted({board.run.dag for board in written if board.has_ready}):
                self.wake(dag)

    def _close(self, board: Board, settle: bool) -> bool:
        """Finish a board; whether there is anything to write."""
        if settle:
            board.settle()
        if not board.changed and not board.events and board.run.settled is settle:
            return False
        board.run = board.run._replace(settled=settle)
        if board.run_changed:  # a stage of several that ends leaves the run's row alone
            board.run = board.run._replace(updated_at=self.now)
        return True

    def take_lane(self, lane: str) -> bool:
        """Whether this transaction is the one that may put a task of the lane to work."""
        if self._dialect == "sqlite":  # one writer at a time
            return True
        taken = self.one("take_lane", lane=lane)
        if not (taken and taken["taken"]):
            return False
        free = self.one("lane_is_free", lane=lane)
        return bool(free and free["free"])

    def wake(self, dag: str) -> None:
        """Tell the workers of a pipeline that something is ready, once this transaction is done."""
        notify(self.connection, self.ledger.channel, dag)


class PipelineLedger:
    """Pipelines on a database. Opening it makes its tables or brings them up to date.

    `clock` is for tests; without one the time is the database server's, the same for all hosts.
    """

    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self.database = database
        self._clock = clock
        self._graphs: dict[str, Graph] = {}
        migrate(database, MIGRATIONS, head=HEAD, version_table=VERSION_TABLE)

    @property
    def channel(self) -> str:
        """The channel on which Postgres wakes workers."""
        return channel_of(self.database.address.schema, "pipelines")

    def change(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one durable transaction; an exception from it undoes everything."""
        return self.database.write_rows(lambda connection: work(self._begin(connection)))

    def look(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one consistent state; it must not write."""
        return self.database.read(lambda connection: work(self._begin(connection)))

    def change_run(self, run: str, step: Callable[[Board, Transaction], T]) -> T:
        """Let a run take a step, under its lock.

        Raises:
            UnknownRun: there is no such run.
        """

        def work(transaction: Transaction) -> T:
            board = transaction.boards([run]).get(run)
            if board is None:
                raise unknown_run(run)
            answer = step(board, transaction)
            transaction.write([board])
            return answer

        return self.change(work)

    def graph(self, snapshot: str, transaction: Transaction) -> Graph:
        """The graph of a snapshot, which never changes and is read once."""
        if snapshot not in self._graphs:
            row = transaction.one("snapshot", id=snapshot)
            assert row is not None  # a foreign key holds it
            self._graphs[snapshot] = Graph.from_json(row["graph"])
        return self._graphs[snapshot]

    def _begin(self, connection: Connection) -> Transaction:
        return Transaction(self, connection, self._clock.now if self._clock else None)


def has_pipelines(url: str, **options: Unpack[DatabaseOptions]) -> bool:
    """Whether the tables of pipelines are there, without making them: whoever only looks must not.

    Raises:
        BadConfiguration, MissingExtra, Unavailable, TryAgain: as `lib.sql.open_database`.
    """
    file = read_address(url, origin=options.get("origin", "")).file
    if file is not None and not file.exists():
        return False
    without: DatabaseOptions = {**options, "schema": None}  # opening it would make it
    with closing(open_database(url, **without)) as database:
        place = None if file is not None else options.get("schema")
        return revision_of(database, VERSION_TABLE, schema=place) is not None
