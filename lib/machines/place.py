"""Where the ledger of rented machines is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: Its schema in Postgres: beside pipelines in one database.
LEDGER_SCHEMA: Final = "job_watcher"


def ledger_address(database_url: str, data: Path) -> str:
    """The address of the ledger: DATABASE_URL's Postgres, else a file in the data folder."""
    if database_url.startswith("postgres"):
        return database_url
    return f"sqlite:///{data / 'ledger.db'}"
