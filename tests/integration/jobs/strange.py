"""Audio that lies under the name of another job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.integration.jobs.conftest import Yard


def other_audio(data: bytes) -> Callable[[Yard], object]:
    """What another job made lies where the audio of "done" should."""

    def lay(yard: Yard) -> None:
        yard.stored("another.wav", data)
        Path(yard.storage.location("done.wav")).write_bytes(data)

    return lay
