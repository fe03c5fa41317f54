"""A job is done by its record; its files follow, once, however often that has to be tried."""

from __future__ import annotations

from typing import Any

import pytest

from lib.dispatch import LeaseJournal
from lib.jobqueue import JobState, Lease
from lib.jobspec import JobSpec
from lib.storage import StorageUnavailable
from tests.doubles import records
from tests.unit.dispatch.bench import Bench, Refusal, spec


class TestPublishing:
    def test_follows_the_record_and_never_comes_before_it(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        seen = []
        real = bench.queue.complete

        def complete(lease: Lease, result: Any) -> int:
            seen.append(bench.output(job).exists())
            return real(lease, result)

        monkeypatch.setattr(bench.queue, "complete", complete)
        dispatcher.step()

        assert seen == [False]
        assert bench.output(job).exists()

    def test_is_not_done_by_a_watcher_that_lost_its_lease(self, bench: Bench) -> None:
        """Q33: what the zombie would publish differs from what the other one did."""
        job = spec()
        zombie = bench.holding(job)
        for taken in bench.host.spool.take(1):
            bench.host.speak(taken, audio=b"of the zombie")
        bench.host.script = lambda: None
        bench.clock.advance(61)
        (lease,) = bench.queue.claim("bob")
        bench.queue.begin(lease)
        bench.queue.complete(lease, {"takes": []})

        zombie.step()

        finished = bench.queue.result(job.request_id)
        assert finished is not None
        assert (finished.consumer, finished.result) == ("bob", {"takes": []})
        assert not bench.output(job).exists()

    def test_that_fails_leaves_the_job_done_and_is_tried_again_with_growing_pauses(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        refusal = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No room."))
        dispatcher.step()
        assert bench.job(job).state is JobState.DONE
        assert "done and stored but not published" in caplog.text
        assert bench.spool.entries() == {}

        for _ in range(60):
            bench.clock.advance(1)
            dispatcher.step()
        assert 5 <= refusal.calls <= 8  # after 1, 2, 4, 8, 16, 32 s

        refusal.on = False
        bench.clock.advance(64)
        dispatcher.step()
        assert bench.output(job).exists()
        assert list(bench.journal.publications()) == []

    def test_that_fails_for_weeks_is_tried_every_ten_minutes(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.holding(spec())
        refusal = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No."))
        dispatcher.step()
        for _ in range(12):
            bench.clock.advance(600)
            dispatcher.step()
        before = refusal.calls

        for _ in range(1100):  # doubled so often, a pause would be a number that no float holds
            bench.clock.advance(600)
            dispatcher.step()

        assert refusal.calls - before == 1100

    @pytest.mark.parametrize(
        "error", [StorageUnavailable("No."), ValueError("odd name"), OSError(36, "long")]
    )
    def test_that_fails_for_ever_stops_no_watcher_from_starting(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        job, other = spec("a"), spec("b")
        dispatcher = bench.holding(job)
        with monkeypatch.context() as patched:
            Refusal(patched, bench.storage, "publish", error)
            dispatcher.step()
            for number in range(3):
                following = bench.dispatcher(f"next-{number}")
                following.resume()
                following.step()
        bench.enqueue(other)

        last = bench.dispatcher("last")
        last.resume()
        last.claim()
        for _ in range(2):
            last.step()

        assert bench.output(job).exists()
        assert bench.output(other).exists()

    def test_is_made_up_for_after_a_crash_between_record_and_publication(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            """As SIGKILL: nothing catches it."""

        def die(*args: object, **kwargs: object) -> None:
            raise Killed

        job = spec()
        dispatcher = bench.holding(job)
        with monkeypatch.context() as patched:
            patched.setattr(bench.storage, "publish", die)
            with pytest.raises(Killed):
                dispatcher.step()
        assert bench.job(job).state is JobState.DONE

        bench.dispatcher("next").resume()

        assert bench.output(job).exists()
        assert list(bench.journal.leases()) == []

    def test_is_left_to_whoever_finished_the_job_under_a_later_lease(self, bench: Bench) -> None:
        """A crash left our lease in the journal; the record that came since is another one's."""
        job = spec()
        bench.holding(job)
        bench.clock.advance(61)
        (lease,) = bench.queue.claim("bob")
        bench.queue.complete(bench.queue.begin(lease), records.done(job.output_name).to_json())

        bench.dispatcher("next").resume()

        assert list(bench.journal.publications()) == []
        assert list(bench.journal.leases()) == []

    def test_does_not_replace_what_a_later_run_of_the_job_made(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = spec()
        dispatcher = bench.holding(job)
        refusal = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No."))
        dispatcher.step()
        refusal.on = False
        finished = bench.queue.result(job.request_id)
        assert finished is not None
        later = type(finished)(**{f: getattr(finished, f) for f in finished.__slots__} | {"lease_no": 9})
        monkeypatch.setattr(bench.queue, "result", lambda request_id: later)
        bench.clock.advance(5)

        dispatcher.step()

        assert not bench.output(job).exists()
        assert list(bench.journal.publications()) == []


class TestAJobOfSeveralTakes:
    """Every take is a file that people listen to, not the chosen one alone."""

    JOB = spec("three", variants=3)
    NAMES = ("three.take-02.wav", "three.take-03.wav", "three.wav")

    def published(self, bench: Bench) -> tuple[str, ...]:
        folder = bench.root / "store/outputs/topic"
        return tuple(sorted(path.name for path in folder.iterdir())) if folder.exists() else ()

    def test_has_them_all_published(self, bench: Bench) -> None:
        bench.holding(self.JOB).step()

        assert self.published(bench) == self.NAMES
        contents = {(bench.root / "store/outputs/topic" / name).read_bytes()[-1] for name in self.NAMES}
        assert contents == {1, 2, 3}

    def test_has_them_all_published_after_a_refusal_of_the_store(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.holding(self.JOB)
        refusal = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No."))
        dispatcher.step()
        assert self.published(bench) == ()
        refusal.on = False
        bench.clock.advance(5)

        dispatcher.step()

        assert self.published(bench) == self.NAMES

    def test_has_them_all_published_by_the_next_watcher(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is owed is read back from the journal."""
        dispatcher = bench.holding(self.JOB)
        with monkeypatch.context() as patched:
            Refusal(patched, bench.storage, "publish", StorageUnavailable("No."))
            dispatcher.step()

        following = bench.dispatcher("next")
        following.resume()
        following.step()

        assert self.published(bench) == self.NAMES

    def test_has_them_all_published_after_a_crash_right_after_the_record(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the queue has recorded is all that is left to publish from."""

        class Killed(BaseException):
            """As SIGKILL: nothing catches it."""

        def die(*args: object, **kwargs: object) -> None:
            raise Killed

        dispatcher = bench.holding(self.JOB)
        with monkeypatch.context() as patched:
            patched.setattr(bench.storage, "publish", die)
            with pytest.raises(Killed):
                dispatcher.step()

        bench.dispatcher("next").resume()

        assert self.published(bench) == self.NAMES


class Killed(BaseException):
    """The process ends here, as by SIGKILL."""


class TestWhoComesNextElsewhere:
    """The watcher before was killed between the record and the publication, and its disk is gone."""

    def _killed(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> JobSpec:
        job = spec()
        dispatcher = bench.holding(job)

        def publish(*args: Any, **kwargs: Any) -> None:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(bench.storage, "publish", publish)
            with pytest.raises(Killed):
                dispatcher.step()
        assert bench.job(job).state is JobState.DONE
        bench.journal = LeaseJournal(bench.root / "elsewhere")
        return job

    def test_publishes_what_was_done_last(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        job = self._killed(bench, monkeypatch)

        following = bench.dispatcher("bob")
        following.resume(hosts_come=True)
        following.step()

        assert bench.output(job).exists()
        assert list(bench.journal.publications()) == []

    def test_asks_a_store_that_does_not_answer_once_and_tries_nothing_before_it_leads(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._killed(bench, monkeypatch)
        several = bench.queue.history(limit=1, status=JobState.DONE) * 5
        monkeypatch.setattr(bench.queue, "history", lambda **_: several)
        asked = Refusal(monkeypatch, bench.storage, "published", StorageUnavailable("No."))
        tried = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No."))

        bench.dispatcher("bob").resume(hosts_come=True)

        assert (asked.calls, tried.calls) == (1, 0)

    def test_tries_on_where_the_store_refuses(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        job = self._killed(bench, monkeypatch)
        following = bench.dispatcher("bob")
        with monkeypatch.context() as patched:
            Refusal(patched, bench.storage, "publish", StorageUnavailable("No."))
            Refusal(patched, bench.storage, "published", StorageUnavailable("No."))
            following.resume(hosts_come=True)
            following.step()
        assert [each.request_id for each in bench.journal.publications()] == [job.request_id]

        bench.clock.advance(2)
        following.step()

        assert bench.output(job).exists()

    def test_leaves_alone_what_stands_there_and_what_was_taken_away_long_after(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = self._killed(bench, monkeypatch)
        bench.output(job).parent.mkdir(parents=True, exist_ok=True)
        bench.output(job).write_bytes(b"a person's")
        bench.dispatcher("bob").resume(hosts_come=True)
        assert bench.output(job).read_bytes() == b"a person's"

        bench.output(job).unlink()
        bench.clock.advance(200)
        bench.dispatcher("carl").resume(hosts_come=True)

        assert not bench.output(job).exists()
