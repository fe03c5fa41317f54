"""A bucket that refuses for ten minutes loses no job and costs none an attempt (W13, W14)."""

from __future__ import annotations

from pathlib import Path

from lib.jobqueue import JobState
from tests.integration.storage.conftest import Place
from tests.integration.storage.proxy import Fate, Refuse
from tests.unit.dispatch.bench import Bench, spec

MINUTES = 10


def test_a_bucket_that_refuses_for_ten_minutes_loses_nothing(place: Place, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.storage = place.through()
    jobs = [spec(name) for name in "abc"]
    dispatcher = bench.holding(*jobs)
    place.proxy.rule = lambda request: Refuse(503, "SlowDown")

    for _ in range(MINUTES * 6):
        bench.clock.advance(10)
        bench.host.speak_all()
        bench.host.beat()
        dispatcher.step()
    states = {bench.job(job).state for job in jobs}
    asked = len(place.proxy.seen)

    place.proxy.rule = lambda request: Fate.PASS
    for _ in range(10):
        bench.clock.advance(60)
        bench.host.beat()
        dispatcher.step()

    assert states == {JobState.RUNNING}
    assert asked >= len(jobs)
    assert {(bench.job(job).state, bench.job(job).attempt) for job in jobs} == {(JobState.DONE, 1)}
    assert len(place.outputs()) == len(jobs)
