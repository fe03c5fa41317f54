"""Whoever looks for a job that could be spoken keeps no lease of it, whatever goes wrong meanwhile."""

from __future__ import annotations

import pytest

from lib.jobqueue import JobState
from lib.spool import SpoolFull
from tests.unit.dispatch.bench import Bench, Refusal, spec


def test_a_job_that_cannot_be_written_down_is_handed_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is at hand, under a lease that ran out; its new one finds the disk full."""
    job = spec("a")
    made = bench.holding(job)
    made._parts.engine = "hibari"  # there is something by which a job could be refused
    bench.clock.advance(61.0)
    full = Refusal(monkeypatch, bench.journal, "write", SpoolFull("There is no space left for leases."))

    with pytest.raises(SpoolFull):
        made.sift(1)

    assert full.refused == 1
    assert bench.job(job).state is JobState.WAITING
