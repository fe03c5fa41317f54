"""Databases for real workers: a file, and a schema of its own in a real Postgres."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.pipeline.shop import Shop
from tests.postgres_servers import Postgres

_numbers = itertools.count(1)


def opened(kind: str, request: pytest.FixtureRequest, folder: Path) -> Shop:
    if kind == "sqlite":
        return Shop(f"sqlite:///{folder / 'pipelines.db'}", None, folder)
    server: Postgres = request.getfixturevalue(kind)
    return Shop(server.url(), f"pipelines_{next(_numbers)}", folder)


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """An empty ledger in each kind of database."""
    made = opened(request.param, request, tmp_path)
    yield made
    made.close()


@pytest.fixture
def lite_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """An empty ledger in SQLite."""
    made = opened("sqlite", request, tmp_path)
    yield made
    made.close()


@pytest.fixture
def pg_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """An empty ledger in Postgres."""
    made = opened("postgres", request, tmp_path)
    yield made
    made.close()
