"""A console in this process, over a queue in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lib.jobqueue.memory.queue import MemoryQueue
from tests.doubles.console import ConsoleDesk, SharedServer
from tests.doubles.phone import FILES


@pytest.fixture(scope="session")
def server() -> Iterator[SharedServer]:
    with SharedServer().running() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, server: SharedServer) -> Iterator[ConsoleDesk]:
    desk = ConsoleDesk(tmp_path, MemoryQueue(), server=server)
    yield desk
    desk.close()


@pytest.fixture
def client(desk: ConsoleDesk) -> Iterator[httpx.Client]:
    with desk.client() as client:
        yield client


@pytest.fixture
def phone(desk: ConsoleDesk) -> Iterator[httpx.Client]:
    """A client that has no token and no session."""
    desk.start("r1")
    desk.work("r1", files=FILES)
    with desk.client({}) as client:
        yield client
