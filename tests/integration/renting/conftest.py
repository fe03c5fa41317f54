"""A stage on a real server of the test's own and a real ledger of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.machines.conftest import place_in, sqlite_url
from tests.integration.renting.stage import Stage
from tests.integration.servers import Server

__all__ = ["sqlite_url"]


@pytest.fixture
def stage(own_server: Server, sqlite_url: str, tmp_path: Path) -> Iterator[Stage]:
    """With the ledger in a SQLite file."""
    stage = Stage(own_server.url, sqlite_url, tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def postgres_stage(own_server: Server, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """With the ledger in Postgres."""
    place = place_in("postgres", request)
    stage = Stage(own_server.url, place.url, tmp_path, place.schema)
    yield stage
    stage.close()
