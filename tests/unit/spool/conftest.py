"""A spool with both of its sides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.spool import (
    LocalFiles,
    SpoolClient,
    WorkerSpool,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def client(root: Path) -> Iterator[SpoolClient]:
    files = LocalFiles(root)
    yield SpoolClient(files)
    files.close()


@pytest.fixture
def worker(root: Path) -> Iterator[WorkerSpool]:
    with WorkerSpool(root) as entered:
        yield entered
