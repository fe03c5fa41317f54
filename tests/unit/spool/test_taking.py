"""What a worker takes from its spool while its other threads publish."""

from __future__ import annotations

import pytest

from lib.spool import SpoolClient, WorkerSpool
from lib.spool.layout import entry_of
from tests.unit.spool.things import finish, job


def test_what_is_published_while_the_worker_looks_is_not_taken_for_left(
    client: SpoolClient, worker: WorkerSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would get a second result, of a job file that has vanished."""
    for name in "ab":
        client.submit(job(name))
    worker.take(2)
    looked_at: list[str] = []

    def look(name: str) -> str | None:
        entry = entry_of(name)
        if entry is not None:
            looked_at.append(entry)
            if len(looked_at) == 2:  # the first one's place and time are known by now
                finish(worker, looked_at[0])
        return entry

    monkeypatch.setattr("lib.spool.worker.entry_of", look)

    assert worker.take(1) == []
    assert client.phase(looked_at[0]) is not None
