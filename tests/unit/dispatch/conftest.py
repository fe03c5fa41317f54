"""The bench of the dispatcher's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.voices.voice_store import NewVoice, add_voice
from tests.unit.dispatch.bench import Bench
from tests.unit.voices.test_voice_store import clone


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A dispatcher's whole world in a temporary folder."""
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A folder of voices with a clone, jo, and a preset."""
    add_voice(tmp_path / "voices", clone(consent="Jo Doe, 1 High Street, agreed to narration in 2026"))
    add_voice(tmp_path / "voices", NewVoice("evening", "hibari", "English", "own", "nobody", builtin="deep"))
    return tmp_path / "voices"
