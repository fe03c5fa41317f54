"""What holds for unit tests: none of them cuts the power, so none of them waits for the disk."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

import pytest


def _asked_of_the_disk(fd: int) -> None:
    """An fsync without its wait; it refuses what the real one refuses."""
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """Two thousand waits took longer than the tests around them; the integration tests really wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", _asked_of_the_disk)
        yield
