"""The bench of the dispatcher's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.dispatch.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A dispatcher's whole world in a temporary folder."""
    made = Bench(tmp_path)
    yield made
    made.close()
