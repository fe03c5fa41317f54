"""An empty ledger in a file, whose time stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.clock import ManualClock
from lib.pipeline.ledger import PipelineLedger
from lib.sql import open_database
from lib.sql.database import Database
from tests.contract.pipeline.conftest import empty
from tests.contract.pipeline.floor import Floor


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('shown') / 'pipeline.db'}")
    PipelineLedger(opened)
    yield opened
    opened.close()


@pytest.fixture
def floor(database: Database) -> Floor:
    empty(database)
    clock = ManualClock()
    return Floor(PipelineLedger(database, clock=clock), clock)
