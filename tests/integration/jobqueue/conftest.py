"""A queue on the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.jobqueue import JobQueue, connect


@pytest.fixture
def queue(redis_url: str) -> Iterator[JobQueue]:
    queue = connect(redis_url, patience_s=5)
    yield queue
    queue.close()
