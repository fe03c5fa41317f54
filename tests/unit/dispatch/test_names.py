"""Under a name lies what was asked for last, in whatever order jobs end, are retried or made up for (Q43)."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from lib.dispatch import Publication
from lib.jobqueue import Changed, QueueOptions
from lib.jobspec import JobSpec
from lib.storage import Claim, StorageUnavailable
from tests.unit.dispatch.bench import Bench, Refusal, spec

OLD = spec(request_id="old", text="An old line.")
NEW = spec(request_id="new", text="A new line.")


def finish(bench: Bench, *jobs: JobSpec) -> None:
    """Get the jobs done by a watcher of their own."""
    dispatcher = bench.dispatcher("quick")
    dispatcher.claim()
    for _ in range(3):
        dispatcher.step()
    assert all(bench.queue.result(job.request_id) for job in jobs)


def owner(bench: Bench) -> Claim:
    found = bench.storage.owner(OLD.output_name)
    assert found is not None
    return found


def speaks(bench: Bench, words: bytes) -> None:
    """From now on the worker speaks this."""

    def speak() -> None:
        for taken in bench.host.spool.take(10):
            bench.host.speak(taken, audio=words)

    bench.host.script = speak


@pytest.mark.parametrize("first", [OLD, NEW], ids=["the older ends first", "the newer ends first"])
def test_the_newer_of_two_jobs_has_the_name(
    bench: Bench, first: JobSpec, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench.queue.enqueue([OLD])
    bench.queue.enqueue([NEW])
    leases = {lease.request_id: lease for lease in bench.queue.claim("ann", count=2)}
    for job in (first, NEW if first is OLD else OLD):
        lease = bench.queue.begin(leases[job.request_id])
        bench.queue.release(lease, "goes to the bench")
        speaks(bench, job.request_id.encode())
        finish(bench, job)

    assert owner(bench).request_id == "new"
    assert bench.output(NEW).read_bytes() == b"new\x01"
    assert ("old is done and not published: new was asked for later" in caplog.text) is (first is NEW)
    assert list(bench.journal.publications()) == []


def test_a_job_that_is_asked_for_again_while_it_runs_gets_the_name_back(bench: Bench) -> None:
    dispatcher = bench.holding(OLD)
    for taken in bench.host.spool.take(1):
        bench.host.speak(taken, audio=b"old")
    speaks(bench, b"new")
    bench.queue.enqueue([NEW])
    (lease,) = bench.queue.claim("bob")
    bench.queue.enqueue([OLD])

    bench.queue.release(lease, "goes to the bench")
    dispatcher.step()
    finish(bench, NEW)

    assert owner(bench).request_id == "old"
    assert bench.output(OLD).read_bytes() == b"old\x01"


class TestWhatIsOwed:
    def test_is_published_under_the_order_that_the_job_has_by_then(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.holding(OLD)
        refusal = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No room."))
        dispatcher.step()
        refusal.on = False
        bench.queue.enqueue([NEW])
        finish(bench, NEW)
        assert owner(bench).request_id == "new"
        bench.queue.enqueue([OLD])  # a duplicate: the audio is there already
        bench.clock.advance(5)

        dispatcher.step()

        asked = bench.queue.result("old")
        assert asked is not None
        assert owner(bench) == Claim("old", 1, asked.order)

    def test_is_dropped_where_a_newer_job_has_the_name_meanwhile(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.holding(OLD)
        refusal = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No room."))
        dispatcher.step()
        refusal.on = False
        bench.queue.enqueue([NEW])
        finish(bench, NEW)
        assert len(list(bench.journal.publications())) == 1
        bench.clock.advance(5)

        dispatcher.step()

        assert owner(bench).request_id == "new"
        assert list(bench.journal.publications()) == []

    def test_is_dropped_where_the_job_was_forgotten_and_done_anew(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its lease and revision have the numbers of the first ones again."""
        dispatcher = bench.holding(OLD)
        refusal = Refusal(monkeypatch, bench.storage, "publish", StorageUnavailable("No room."))
        dispatcher.step()
        refusal.on = False
        bench.clock.advance(QueueOptions().result_ttl_s + 1)
        bench.queue.enqueue([replace(OLD, text="Another line.")])
        speaks(bench, b"another")
        finish(bench, OLD)

        dispatcher.step()

        assert bench.output(OLD).read_bytes() == b"another\x01"
        assert list(bench.journal.publications()) == []

    def test_by_a_version_that_knew_no_order_gets_that_of_the_queue(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.holding(OLD)
        with monkeypatch.context() as patched:
            Refusal(patched, bench.storage, "publish", StorageUnavailable("No room."))
            dispatcher.step()
        (owed,) = bench.journal.publications()
        bench.journal.owe(replace(owed, order=0))
        following = bench.dispatcher("next")
        following.resume()

        following.step()

        finished = bench.queue.result("old")
        assert finished is not None
        assert finished.order > 0
        assert owner(bench).order == finished.order

    def test_and_unknown_to_the_queue_replaces_nothing_that_has_an_order(self, bench: Bench) -> None:
        bench.enqueue(NEW)
        finish(bench, NEW)
        finished = bench.queue.result("new")
        record = finished.done() if finished else None
        assert record is not None
        bench.journal.owe(Publication("e.1", "forgotten", 1, record.takes))
        following = bench.dispatcher("next")
        following.resume()

        following.step()

        assert owner(bench).request_id == "new"
        assert list(bench.journal.publications()) == []


class TestANewRevision:
    MOVED = spec("b", request_id="old", text="Another line.", variants=2, format="flac")

    def replaced(self, bench: Bench) -> None:
        bench.queue.enqueue([self.MOVED], changed=Changed.REPLACE)
        finish(bench, self.MOVED)

    def outputs(self, bench: Bench) -> list[str]:
        return sorted(path.name for path in (bench.root / "store/outputs/topic").iterdir())

    def test_with_another_name_takes_the_files_of_the_one_before_away(self, bench: Bench) -> None:
        bench.enqueue(OLD)
        finish(bench, OLD)
        assert self.outputs(bench) == ["a.wav"]

        self.replaced(bench)

        assert self.outputs(bench) == ["b.flac", "b.take-02.flac"]

    def test_is_not_replaced_by_the_one_before_that_was_owed(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dispatcher = bench.holding(OLD)
        with monkeypatch.context() as patched:
            Refusal(patched, bench.storage, "publish", StorageUnavailable("No room."))
            dispatcher.step()
        self.replaced(bench)
        bench.clock.advance(5)

        dispatcher.step()

        assert self.outputs(bench) == ["b.flac", "b.take-02.flac"]
        assert list(bench.journal.publications()) == []

    def test_that_fails_leaves_what_the_one_before_is_owed(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A crash between record and publication; meanwhile the line was changed and withdrawn."""

        class Killed(BaseException):
            """As SIGKILL: nothing catches it."""

        def die(*args: object, **kwargs: object) -> None:
            raise Killed

        dispatcher = bench.holding(OLD)
        with monkeypatch.context() as patched:
            patched.setattr(bench.storage, "publish", die)
            with pytest.raises(Killed):
                dispatcher.step()
        bench.queue.enqueue([self.MOVED], changed=Changed.REPLACE)
        bench.queue.cancel("old")

        bench.dispatcher("next").resume()

        assert self.outputs(bench) == ["a.wav"]
        assert owner(bench).revision == 1
