"""The bench of the watcher's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.watcher.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A watcher's whole world in a temporary folder."""
    made = Bench(tmp_path)
    yield made
    made.close()
