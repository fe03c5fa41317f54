"""Fixtures: a studio for each test, and one finished film that nobody changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.synth.video.studio import Studio


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Six seconds and a half of a film, with its captions beside it."""
    studio = Studio(tmp_path_factory.mktemp("finished"), (1.9, 2.1, 1.8))
    studio.make(preview=False)
    return studio
