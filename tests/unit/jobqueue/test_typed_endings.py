"""What the queue keeps as JSON is read as records, and what cannot be read is nothing, not a crash."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lib.jobqueue import FinishedJob, JobRecord, JobState
from lib.records import FailedRecord
from tests.doubles import records

DONE = FinishedJob("a", JobState.DONE, 3.0, 1.0, 2.0, 1, 0, 1, "w-1", records.done().to_json(), None)
ERROR = {"class": "transient", "message": "The GPU is gone.", "evidence": {"log": ["one"]}}
FAILED = replace(DONE, state=JobState.FAILED, result=None, error=ERROR)
DELAYED = JobRecord("a", JobState.DELAYED, "normal", "v1:a", 3, 1, 0, 0, 0, 1, 1.0, 2.0, last_error=ERROR)


def test_a_done_job_has_its_record_and_no_failure() -> None:
    assert (DONE.done(), DONE.failure()) == (records.done(), None)


def test_a_failed_job_has_its_failure_and_no_record() -> None:
    failure = FailedRecord("transient", "The GPU is gone.", {"log": ["one"]})

    assert (FAILED.done(), FAILED.failure()) == (None, failure)
    assert DELAYED.last_failure() == failure
    assert replace(DELAYED, last_error=None).last_failure() is None


@pytest.mark.parametrize("damaged", [{}, {"takes": []}, {"class": 5, "message": "x"}])
def test_what_cannot_be_read_is_nothing(damaged: dict[str, Any]) -> None:
    """A record of an earlier version, or one that somebody wrote by hand: its job is still shown."""
    assert replace(DONE, result=damaged).done() is None
    assert replace(FAILED, error=damaged).failure() is None
    assert replace(DELAYED, last_error=damaged).last_failure() is None


def test_json_says_state_as_everything_else_does() -> None:
    assert DONE.to_json()["state"] == "done"
    assert "status" not in DONE.to_json()
