"""Spools that a killed process left: what is finished there is taken, the rest is done elsewhere."""

from __future__ import annotations

import logging

import pytest

from lib.dispatch import Dispatcher, LeftSpools
from lib.jobqueue import JobState
from lib.jobspec import JobSpec
from lib.spool import Phase, SpoolClient, TakenJob
from lib.storage import StorageUnavailable
from lib.workers import LeftSpool
from tests.unit.dispatch.bench import Bench, Refusal, ScriptedHost, spec

A, B = spec("a"), spec("b")


class Scene:
    """A process was killed that had one worker, `left`; its successor has another one, `here`."""

    def __init__(self, bench: Bench, *jobs: JobSpec) -> None:
        self.bench = bench
        self.worker = ScriptedHost(bench.root / "left", bench.clock, "left", "here")
        self.worker.script = lambda: None
        bench.hosts.append(self.worker)
        bench.host.script = lambda: None
        killed = Dispatcher(bench.parts("killed"))
        killed.add(self.worker, lambda: 9)
        bench.enqueue(*jobs)
        killed.claim()
        self.taken = {}
        for taken in self.worker.spool.take(len(jobs)):
            assert taken.job is not None
            self.worker.spool.begin(taken.entry)
            self.taken[taken.job.request_id] = taken
        self.worker.beat(*(taken.entry for taken in self.taken.values()))
        killed.step()

    def of(self, job: JobSpec) -> TakenJob:
        return self.taken[job.request_id]

    def desert(self) -> None:
        """The worker ends, too."""
        self.worker.close()

    def successor(self, *, resume: bool = True) -> tuple[Dispatcher, LeftSpools]:
        following = Dispatcher(self.bench.parts("next"))
        following.add(self.bench.host, lambda: 4)
        spool = LeftSpool("left", "here", self.worker.root)
        left = LeftSpools(following, [spool])
        if resume:
            following.resume()
        return following, left

    def look(self, following: Dispatcher, left: LeftSpools, *, times: int = 1) -> None:
        """A pass as the watcher makes it."""
        for _ in range(times):
            following.step()
            left.look()


class TestASpoolThatNobodyServes:
    def test_gives_what_is_finished_hands_back_the_rest_and_is_removed(self, bench: Bench) -> None:
        scene = Scene(bench, A, B)
        scene.worker.speak(scene.of(A))
        scene.desert()
        following, left = scene.successor()

        scene.look(following, left, times=2)

        assert bench.job(A).state is JobState.DONE
        record = bench.job(B)
        assert (record.state, record.poisoned, record.attempt - record.excused) == (JobState.WAITING, 0, 0)
        scene.look(following, left)
        assert not scene.worker.root.exists()
        assert (len(left), following.hosts()) == (0, ["here"])
        bench.host.script = bench.host.speak_all
        following.claim()
        following.step()
        assert bench.job(B).state is JobState.DONE

    def test_is_not_removed_before_its_audio_is_stored(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scene = Scene(bench, A)
        scene.worker.speak(scene.of(A))
        scene.desert()
        following, left = scene.successor()
        refusal = Refusal(monkeypatch, bench.storage, "put", StorageUnavailable("No room."))

        scene.look(following, left, times=5)
        assert scene.worker.root.exists()

        refusal.on = False
        bench.clock.advance(61)
        scene.look(following, left, times=2)
        assert (bench.job(A).state, bench.job(A).attempt) == (JobState.DONE, 1)
        assert not scene.worker.root.exists()

    def test_gives_its_audio_to_a_lease_that_comes_later(self, bench: Bench) -> None:
        """The lease of the killed process ran out, or its journal is gone: the audio is good all the same."""
        scene = Scene(bench, A)
        scene.worker.speak(scene.of(A))
        scene.desert()
        following, left = scene.successor(resume=False)
        scene.look(following, left, times=3)
        assert scene.worker.root.exists()

        bench.clock.advance(61)
        following.claim()
        scene.look(following, left, times=2)

        assert bench.job(A).state is JobState.DONE
        assert bench.host.spool.take(9) == []
        assert not scene.worker.root.exists()

    def test_is_removed_with_audio_that_nobody_can_claim_any_more(self, bench: Bench) -> None:
        scene = Scene(bench, A)
        scene.worker.speak(scene.of(A))
        scene.desert()
        bench.queue.cancel(A.request_id)
        following, left = scene.successor(resume=False)
        scene.look(following, left, times=3)
        assert scene.worker.root.exists()

        bench.clock.advance(2 * 60 + 1)  # two leases
        scene.look(following, left, times=2)

        assert not scene.worker.root.exists()

    def test_is_removed_with_unclaimed_audio_at_the_last_look(self, bench: Bench) -> None:
        scene = Scene(bench, A)
        scene.worker.speak(scene.of(A))
        scene.desert()
        following, left = scene.successor(resume=False)
        scene.look(following, left)

        left.look(last=True)

        assert not scene.worker.root.exists()

    def test_is_looked_at_once_more_after_its_worker_ended(self, bench: Bench) -> None:
        """It may have finished between the dispatcher's look and ours."""
        scene = Scene(bench, A)
        following, left = scene.successor()
        following.step()
        scene.worker.speak(scene.of(A))
        scene.desert()

        left.look()
        assert bench.job(A).state is JobState.RUNNING
        scene.look(following, left, times=2)

        assert (bench.job(A).state, bench.job(A).attempt) == (JobState.DONE, 1)
        assert not scene.worker.root.exists()

    def test_that_cannot_be_removed_is_left_with_a_warning(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        scene = Scene(bench, A)
        scene.worker.speak(scene.of(A))
        scene.desert()
        following, left = scene.successor()
        Refusal(monkeypatch, LeftSpool, "remove", PermissionError("not yours"))

        with caplog.at_level(logging.WARNING):
            scene.look(following, left, times=4)

        assert bench.job(A).state is JobState.DONE
        assert (len(left), following.hosts()) == (0, ["here"])
        assert caplog.text.count("cannot be removed") == 1


class TestASpoolThatIsServedStill:
    def test_is_waited_for_and_its_piece_counts(self, bench: Bench) -> None:
        scene = Scene(bench, A)
        following, left = scene.successor()
        for _ in range(10):
            bench.clock.advance(20)
            scene.worker.beat(scene.of(A).entry)
            following.renew_if_due()
            scene.look(following, left)
        assert (bench.job(A).state, bench.job(A).host) == (JobState.RUNNING, "left")
        assert bench.queue.claim("bob") == []

        scene.worker.speak(scene.of(A))
        scene.desert()
        scene.look(following, left, times=2)

        assert (bench.job(A).state, bench.job(A).attempt) == (JobState.DONE, 1)
        assert not scene.worker.root.exists()

    def test_gets_no_new_job(self, bench: Bench) -> None:
        scene = Scene(bench, A)
        scene.worker.speak(scene.of(A))
        following, left = scene.successor()
        scene.look(following, left)
        bench.enqueue(*(spec(f"new-{number}") for number in range(6)))

        following.claim()

        busy = {name: view.busy for name in ("left", "here") if (view := following.view(name))}
        assert busy == {"left": 0, "here": 4}

    def test_stays_though_it_holds_nothing(self, bench: Bench) -> None:
        """Whoever serves it may yet lay something there."""
        scene = Scene(bench, A)
        scene.worker.speak(scene.of(A))
        following, left = scene.successor()

        scene.look(following, left, times=4)

        assert bench.job(A).state is JobState.DONE
        assert scene.worker.root.exists()
        assert following.view("left") is not None

    def test_has_its_begun_work_taken_over_by_a_lease_that_comes_later(self, bench: Bench) -> None:
        scene = Scene(bench, A)
        following, left = scene.successor(resume=False)
        scene.look(following, left)
        bench.clock.advance(61)
        scene.worker.beat(scene.of(A).entry)

        following.claim()
        scene.look(following, left)

        assert bench.job(A).host == "left"
        assert SpoolClient(scene.worker.files()).entries() == {scene.of(A).entry: Phase.WORK}
