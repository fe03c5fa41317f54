"""The one wait of a dispatcher."""

from __future__ import annotations

import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.dispatch.doorbell import Doorbell
from lib.spool import LocalFiles
from lib.spool.layout import CLIENT_BELL


@pytest.fixture
def files(tmp_path: Path) -> Iterator[LocalFiles]:
    made = LocalFiles(tmp_path)
    yield made
    made.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each wait that was begun; none of them takes any time."""
    found: list[float] = []

    def wait(reading: list[int], writing: list[int], odd: list[int], seconds: float) -> tuple[list[int], ...]:
        found.append(seconds)
        return [], [], []

    monkeypatch.setattr(select, "select", wait)
    return found


def test_a_host_whose_bell_was_just_hung_is_looked_at_before_anything_is_waited_for(
    files: LocalFiles, waits: list[float]
) -> None:
    """What its worker did before was heard by nobody."""
    bell = Doorbell()
    bell.wait([files], 30)
    assert waits == []

    bell.wait([files], 30)
    assert waits == [30]
    bell.close()


def test_a_ring_is_heard_once(files: LocalFiles) -> None:
    bell = Doorbell()
    bell.wait([files], 30)
    files.ring(CLIENT_BELL)

    bell.wait([files], 30)

    descriptor = files.listen(CLIENT_BELL)
    assert descriptor is not None
    assert select.select([descriptor], [], [], 0)[0] == []
    bell.close()


def test_a_call_before_the_wait_ends_that_wait_and_no_other(files: LocalFiles, waits: list[float]) -> None:
    bell = Doorbell()
    bell.wait([files], 30)
    for _ in range(3):
        bell.wake()

    bell.wait([files], 30)
    assert waits == []

    bell.wait([files], 7)
    assert waits == [7]
    bell.close()
