"""What Alembic's own commands do with one package's tables: they look at these alone.

Of use within Alembic's `env.py` only; the programs migrate by `lib.sql.migrate`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from lib.errors import BadConfiguration
from lib.sql import DatabaseOptions, open_database


@dataclass(frozen=True, slots=True)
class TableSet:
    """The tables that one package keeps, with the version table of its own, and where they are."""

    metadata: MetaData
    version_table: str
    url: str = field(repr=False)
    options: DatabaseOptions = field(default_factory=DatabaseOptions)


def run_environment(tables: TableSet) -> None:
    """Do what Alembic's command asks for, in one transaction that no other migration runs beside.

    Raises:
        BadConfiguration: `--sql` was given, or the database cannot be used.
        Unavailable, TryAgain: as `open_database`.
    """
    if context.is_offline_mode():
        raise BadConfiguration("migrations look at the database that they change; run this without --sql")
    with closing(open_database(tables.url, **tables.options)) as database:
        database.write_alone(tables.version_table, lambda connection: _run(connection, tables))


def _run(connection: Connection, tables: TableSet) -> None:
    ours = frozenset(tables.metadata.tables)
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        version_table=tables.version_table,
        # A database may hold the tables of several packages, each with migrations of its own.
        include_name=lambda name, kind, _parents: kind != "table" or name in ours,
        process_revision_directives=_number,
        transactional_ddl=True,
        transaction_per_migration=False,
        # What is written on one database has to work on the other, and SQLite alters tables only in batches.
        render_as_batch=True,
    )
    context.run_migrations()


def _number(_context: MigrationContext, _revision: Any, scripts: list[MigrationScript]) -> None:
    """Give a new migration the next number for a name, and write none where there is no difference."""
    options = context.config.cmd_opts
    (script,) = scripts
    if getattr(options, "autogenerate", False) and script.upgrade_ops and script.upgrade_ops.is_empty():
        context.config.print_stdout("The tables are as they are described: there is nothing to write.")
        scripts.clear()
    elif getattr(options, "rev_id", None) is None:
        script.rev_id = f"{_highest(ScriptDirectory.from_config(context.config)) + 1:04d}"


def _highest(scripts: ScriptDirectory) -> int:
    names: Iterable[str] = (script.revision for script in scripts.walk_revisions())
    return max((int(name) for name in names if name.isdecimal()), default=0)
