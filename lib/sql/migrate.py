"""Bringing a database's tables to the form that this version of the program knows.

Each package that has tables keeps its migrations in a folder of its own and its place in a version table of
its own, so that several packages can share one database.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from lib.errors import BadConfiguration
from lib.sql.database import Database


def migrate(database: Database, folder: Path, *, head: str, version_table: str) -> None:
    """Run the migrations in `folder/versions` that are missing, all in one transaction.

    Several processes may do this at once: one works, the others find it done. `head` is the newest
    revision; a database that is there already costs one query and no import of the migration library.

    Raises:
        BadConfiguration: the tables were made by a newer version of the program.
    """
    if revision_of(database, version_table) != head:
        database.write_alone(
            version_table, lambda connection: _upgrade(connection, folder, head, version_table)
        )


def revision_of(database: Database, version_table: str, *, schema: str | None = None) -> str | None:
    """The revision of a database's tables; None where there are none. Changes nothing.

    `schema` is of Postgres; None: the one that the database was opened with.
    """
    return database.read(lambda connection: _revision(connection, version_table, schema))


def _revision(connection: Connection, version_table: str, schema: str | None = None) -> str | None:
    if not inspect(connection).has_table(version_table, schema=schema):
        return None
    place = f'"{schema}".{version_table}' if schema else version_table
    return connection.execute(text(f"SELECT version_num FROM {place}")).scalar()


def _upgrade(connection: Connection, folder: Path, head: str, version_table: str) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    present = _revision(connection, version_table)
    if present is not None and present not in {script.revision for script in scripts.walk_revisions()}:
        raise BadConfiguration(
            f"the tables behind {version_table} are of version {present}, which this program does not know; "
            "install the newer version of job-runner that made them"
        )
    environment = EnvironmentContext(
        config, scripts, fn=lambda revision, _: scripts._upgrade_revs(head, revision)
    )
    with environment:
        environment.configure(
            connection=connection,
            version_table=version_table,
            transactional_ddl=True,
            transaction_per_migration=False,
        )
        environment.run_migrations()
