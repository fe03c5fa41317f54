"""The bench of the watcher's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.watcher.bench import WatcherBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WatcherBench]:
    """A watcher's whole world in a temporary folder."""
    made = WatcherBench(tmp_path)
    yield made
    made.close()
