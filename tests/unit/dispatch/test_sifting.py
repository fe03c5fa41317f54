"""Whoever looks for a job that could be spoken keeps no lease of it, whatever goes wrong meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.dispatch import Dispatcher
from lib.jobqueue import JobState
from lib.spool import SpoolFull
from tests.unit.dispatch.bench import Bench, Refusal, spec


def test_a_job_that_cannot_be_written_down_is_handed_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is at hand, under a lease that ran out; its new one finds the disk full."""
    job = spec("a")
    bench.enqueue(job)
    bench.host.script = lambda: None
    made = Dispatcher(replace(bench.parts(), engine="hibari"))  # by which a job could be refused
    made.add(bench.host, lambda: 1)
    made.register()
    made.resume()
    made.claim()
    assert made.held == 1
    bench.clock.advance(61.0)
    full = Refusal(monkeypatch, bench.journal, "write", SpoolFull("There is no space left for leases."))

    with pytest.raises(SpoolFull):
        made.sift(1)

    assert full.refused == 1
    assert bench.job(job).state is JobState.WAITING
