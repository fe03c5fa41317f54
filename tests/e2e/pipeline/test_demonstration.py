"""A demo starts a watcher only where none lives, and never where it would rent machines (P8, P11)."""

from __future__ import annotations

import pytest

from job_pipeline import wiring
from job_pipeline.attended_runs import AttendedRuns
from job_pipeline.demonstration import start_demonstration
from tests.e2e.pipeline.conftest import PipelineDesk


@pytest.mark.parametrize(
    ("provider", "others", "starts"), [("local", False, 1), ("local", True, 0), ("vast", False, 0)]
)
def test_a_watcher_is_started_where_none_lives_and_nothing_is_rented(
    pipelines: PipelineDesk, monkeypatch: pytest.MonkeyPatch, provider: str, others: bool, starts: int
) -> None:
    started: list[wiring.PipelineRoom] = []
    monkeypatch.setenv("PROVIDER", provider)
    monkeypatch.setattr(wiring.PipelineRoom, "lacks_watcher", lambda _: not others)
    monkeypatch.setattr(wiring.PipelineRoom, "start_watcher", lambda room: started.append(room))
    with wiring.open_room() as room:
        AttendedRuns(room, start_demonstration(room, "factory"))._see_them_spoken()

    assert len(started) == starts
