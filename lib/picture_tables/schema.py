"""Makes the schema of pictures, and sees that it is there before it is used."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

from lib.errors import BadConfiguration
from lib.picture_tables.image_tables import STATEMENTS, ImageTables
from lib.picture_tables.tables import SCHEMA
from lib.sql import DatabaseOptions, open_database, read_address
from lib.sql.database import Database
from lib.sql.migrate import migrate, revision_of

HEAD: Final = "0001"
VERSION_TABLE: Final = "images_version"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_GRANT: Final = text("SELECT imagen.grant_to_known_roles()")
INIT: Final = "make them with: image-synth init-db"


def init(url: str, options: DatabaseOptions) -> None:
    """As `lib.picture_tables.init_tables`."""
    _only_postgres(url, options)
    with closing(open_database(url, **with_schema(options))) as database:
        bring_up_to_date(database)


def with_schema(options: DatabaseOptions) -> DatabaseOptions:
    """The options under which tables are changed."""
    return {**options, "schema": SCHEMA}


def bring_up_to_date(database: Database) -> None:
    """Run the migrations that are missing, and give every role that we know its rights."""
    migrate(database, MIGRATIONS, head=HEAD, version_table=VERSION_TABLE)
    database.write_rows(lambda connection: connection.execute(_GRANT))


def opened(url: str, options: DatabaseOptions) -> ImageTables:
    """As `lib.picture_tables.open_images`."""
    _only_postgres(url, options)
    # Without the schema: to see that it exists, Postgres wants the right to make it, which few should have.
    without: DatabaseOptions = {**options, "schema": None}
    database = open_database(url, **without)
    try:
        _need_tables(database)
        return ImageTables(database)
    except BaseException:
        database.close()
        raise


def _only_postgres(url: str, options: DatabaseOptions) -> None:
    address = read_address(url, origin=options.get("origin", ""))
    if address.file is not None:
        raise BadConfiguration(
            f"pictures are kept in Postgres, and {address.place} is an SQLite file; set "
            "IMAGEN_WORKER_DATABASE_URL to an address like postgresql://worker@127.0.0.1/pictures"
        )


def _need_tables(database: Database) -> None:
    place = database.address.place
    revision = revision_of(database, VERSION_TABLE, schema=SCHEMA)
    if revision is None:
        raise BadConfiguration(f"the database {place} has no tables of pictures; {INIT}")
    if revision != HEAD:
        raise BadConfiguration(
            f"the tables of pictures in {place} are of version {revision}, and this program knows {HEAD}; "
            "where that is newer bring them up to date with: image-synth init-db; else install a newer one"
        )
    if not database.read(_sees_all):
        raise BadConfiguration(
            f"the user of {place} would see no rows of others, so it can draw none; let it: GRANT "
            "imagen_worker TO that user (image-synth init-db gives the role its rights), or let it BYPASSRLS"
        )


def _sees_all(connection: Connection) -> bool:
    return bool(connection.execute(STATEMENTS["sees_all"]).scalar_one())
