"""What Alembic's own commands are run on: each section's tables, where the programs keep them."""

from __future__ import annotations

import logging
import sys

from alembic import context

from lib.errors import BadConfiguration, JobRunnerError
from lib.settings import Settings, ensure_data_folder, load_settings
from lib.sql import DatabaseOptions
from lib.sql.alembic_env import TableSet, run_environment


def pipelines(settings: Settings) -> TableSet:
    """Beside DATABASE_URL's other tables, in the schema DB_SCHEMA."""
    from lib.pipeline.tables import metadata

    options = DatabaseOptions(
        schema=settings.db_schema,
        origin=settings.origin("DATABASE_URL"),
        pool_min=settings.db_pool_min,
        pool_max=settings.db_pool_max,
        statement_timeout_ms=settings.statement_timeout_ms,
    )
    return TableSet(metadata, "pipeline_version", settings.database_url, options)


def machines(settings: Settings) -> TableSet:
    """Where the watcher has its ledger."""
    from job_watcher.providers.wiring import ledger_options, ledger_url
    from lib.machines.sql_ledger import VERSION_TABLE
    from lib.machines.tables import metadata

    return TableSet(metadata, VERSION_TABLE, ledger_url(settings), ledger_options(settings))


def images(settings: Settings) -> TableSet:
    """In the database of the picture worker, in the schema that its contract names."""
    from lib.picture_tables.schema import VERSION_TABLE, with_schema
    from lib.picture_tables.tables import metadata

    if settings.imagen_worker_database_url is None:
        raise BadConfiguration("set IMAGEN_WORKER_DATABASE_URL to the Postgres that keeps the pictures")
    options = DatabaseOptions(
        origin=settings.origin("IMAGEN_WORKER_DATABASE_URL"),
        statement_timeout_ms=settings.statement_timeout_ms,
    )
    return TableSet(metadata, VERSION_TABLE, settings.imagen_worker_database_url, with_schema(options))


#: By the section of alembic.ini that `-n` names.
SECTIONS = {"alembic": pipelines, "machines": machines, "images": images}


def main() -> None:
    """Run what was asked for on the section's tables."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
    section = context.config.config_ini_section
    try:
        if section not in SECTIONS:
            sys.exit(f"alembic.ini has no section of tables {section!r}; there are: {', '.join(SECTIONS)}")
        settings = load_settings()
        ensure_data_folder(settings.jobs_data_dir)
        run_environment(SECTIONS[section](settings))
    except JobRunnerError as error:
        print(error.message, file=sys.stderr)
        sys.exit(error.exit_status)


main()
