"""The bench of the worker's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.spool import (
    LocalFiles,
    SpoolClient,
)
from tests.unit.synth.worker_bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    files = LocalFiles(tmp_path / "spool")
    yield Bench(tmp_path / "spool", SpoolClient(files))
    files.close()
