"""The ledgers that the suite runs on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.machines.memory import MemoryLedger
from lib.machines.model import Epoch
from lib.machines.port import Ledger
from tests.contract.machines.rows import NOON
from tests.integration.machines.conftest import place_in, sqlite_url

__all__ = ["sqlite_url"]


@pytest.fixture(
    params=["memory", "sqlite", "postgres", pytest.param("postgres_15", marks=pytest.mark.soak)],
)
def fresh(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """An empty ledger."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    place = place_in(request.param, request)
    yield place.open()
    place.close()


@pytest.fixture
def ledger(fresh: Ledger) -> Ledger:
    """A ledger in its first term."""
    fresh.open_epoch(Epoch(1, "ann", NOON))
    return fresh
