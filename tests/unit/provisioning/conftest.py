"""The bench of the tests of renting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.provisioning.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A watcher that rents, in front of a provider without troubles."""
    made = Bench(tmp_path)
    yield made
    made.close()
