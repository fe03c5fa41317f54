"""The table of pictures to be drawn, on Postgres. Importing this imports no database; the openers do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from lib.picture_tables.model import (
    DrawnPicture,
    ImageJob,
    NewImage,
    ShownImageJob,
    StoredObject,
    WantedPicture,
)

if TYPE_CHECKING:
    from lib.picture_tables.image_tables import ImageTables
    from lib.sql import DatabaseOptions

__all__ = [
    "DrawnPicture",
    "ImageJob",
    "NewImage",
    "ShownImageJob",
    "StoredObject",
    "WantedPicture",
    "init_tables",
    "open_images",
]


def open_images(url: str, **options: Unpack[DatabaseOptions]) -> ImageTables:
    """Open the tables of pictures at `url`, which `init_tables` has made. Close them when done.

    `options` are those of `open_database`; the schema is always `imagen`.

    Raises:
        BadConfiguration: the address cannot be used, it is no Postgres, the tables are missing or of another
            version, or this user would see no rows but its own.
        MissingExtra: the packages for Postgres are not installed.
        Unavailable: no server answers there.
    """
    from lib.picture_tables.schema import opened

    return opened(url, options)


def init_tables(url: str, **options: Unpack[DatabaseOptions]) -> None:
    """Make the schema `imagen` with its tables at `url`, or bring it up to date, and give roles their rights.

    May be repeated: roles that were made since get their rights then.

    Raises:
        BadConfiguration, MissingExtra, Unavailable: as `open_images`.
    """
    from lib.picture_tables.schema import init

    init(url, options)
