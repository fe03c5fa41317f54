"""Settings loaded from a folder and an environment of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from lib.settings import Settings, load_settings
from tests.unit.settings.loading import Load


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load settings from a folder and an environment of the test's own."""

    def run(environ: Mapping[str, str] | None = None, **flags: str) -> Settings:
        return load_settings(flags, {"HOME": str(tmp_path / "home"), **(environ or {})}, tmp_path)

    return run
