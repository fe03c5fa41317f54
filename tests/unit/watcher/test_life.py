"""The life of a watcher: it works until told to stop, and leaves nothing behind that could be handed back."""

from __future__ import annotations

import pytest

from lib.dispatch import WorkerGivenUp
from lib.errors import BadConfiguration
from lib.jobqueue import JobState
from lib.workers import WorkerDeath
from tests.unit.dispatch.bench import spec
from tests.unit.watcher.bench import WatcherBench

CRASHED = WorkerDeath(70, "exit status 70", ("loading", "error: the model is broken"))
REFUSED = WorkerDeath(75, "exit status 75", ("error: no space left on device",))


def test_once_ends_when_nothing_waits_and_nothing_is_held(bench: WatcherBench) -> None:
    jobs = [spec(f"job-{number}") for number in range(9)]
    bench.enqueue(*jobs)

    assert bench.watcher().run_once() == 9

    assert all(bench.output(job).exists() for job in jobs)
    assert bench.watcher("again").run_once() == 0


class TestAWorkerThatCannotStart:
    @pytest.mark.parametrize("once", [False, True])
    def test_is_given_up_after_five_times_and_the_leases_go_back(
        self, bench: WatcherBench, once: bool
    ) -> None:
        job = spec()
        bench.enqueue(job)
        bench.host.script = lambda: CRASHED
        watcher = bench.watcher()

        with pytest.raises(WorkerGivenUp, match=r"5 times in a row.*the model is broken") as caught:
            watcher.run_once() if once else watcher.run()

        assert caught.value.exit_status == 69
        assert (bench.job(job).state, bench.job(job).attempt) == (JobState.WAITING, 0)
        assert bench.queue.watchers() == []
        assert bench.spool.entries() == {}
        assert list(bench.journal.leases()) == []

    def test_wrong_settings_end_the_watcher_and_the_leases_go_back(self, bench: WatcherBench) -> None:
        job = spec()
        bench.enqueue(job)
        bench.host.script = lambda: WorkerDeath(78, "exit status 78", ("error: no such voice",))

        with pytest.raises(BadConfiguration, match="no such voice"):
            bench.watcher().run()

        assert bench.job(job).state is JobState.WAITING

    def test_that_refuses_for_now_ends_once_after_five_minutes(self, bench: WatcherBench) -> None:
        def refuse() -> WorkerDeath:
            bench.clock.advance(20)
            return REFUSED

        bench.enqueue(spec())
        bench.host.script = refuse

        with pytest.raises(WorkerGivenUp, match="no space left"):
            bench.watcher().run_once()
