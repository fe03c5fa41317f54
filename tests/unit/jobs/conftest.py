"""Fixtures of the tests of use cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.jobs.studio import Studio


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)
