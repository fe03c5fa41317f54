"""Studios whose files lie in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.pipeline import Dag
from tests.unit.stages.studio import SpeakingQueue, Studio

Opened = Callable[..., Studio]
INSTALL = "pip install 'job-runner[images]'"


@pytest.fixture
def parts_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What draws and films says that it is not installed, as it does without its extra."""
    said = f"Drawing needs packages that are not installed; install them with: {INSTALL}"
    error = {"type": "MissingExtra", "message": said, "exit_status": 78}

    def missing(*_: object) -> tuple[int, dict[str, Any]]:
        return 78, {"error": error}

    for place in ("pictures.draw", "animatics.animate", "film.assemble", "acceptance.accept"):
        monkeypatch.setattr(f"job_pipeline.stages.{place}", missing)


@pytest.fixture
def open_studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Opens a studio for a pipeline; `silent` names words that cannot be spoken."""
    url = f"file://{tmp_path / 'storage'}"
    monkeypatch.setenv("STORAGE_URL", url)
    monkeypatch.chdir(tmp_path)
    opened = list[Studio]()

    def studio(dag: Dag, *, silent: str = "\0") -> Studio:
        opened.append(Studio(tmp_path, dag, SpeakingQueue(tmp_path, url, silent=silent)))
        return opened[-1]

    yield studio
    for each in opened:
        each.close()
