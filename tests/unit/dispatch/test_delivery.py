"""From a worker's result to a finished job: the order of the steps, and what each refusal leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.captions import Cue
from lib.dispatch import Dispatcher, DispatchIntervals
from lib.dispatch.result_handler import _CLASS_OF
from lib.jobqueue import ErrorClass as QueueError
from lib.jobqueue import JobState
from lib.records import DoneRecord, FileRef, SpokenRecord, Take
from lib.spool import Phase, ResultError, ResultErrorClass, SpoolClient, SpoolResult
from lib.storage import Claim, Published, StorageUnavailable, StoredArtifact
from tests.doubles.records import file_ref
from tests.unit.dispatch.bench import Bench, Refusal, a_take, spec, spoken

PEAKS = b'{"version":2}'
AUDIO = b"RIFF" + bytes(range(256)) * 40
JOB = spec("beat-001", callback_data={"n": [1]})


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


class Desk:
    """A leased job whose worker is about to put its result into the outbox."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.root = bench, bench.root
        self.dispatcher: Dispatcher = bench.holding(JOB)
        bench.host.script = lambda: None
        (self.taken,) = bench.host.take()
        self.dispatcher.step()

    @property
    def published(self) -> Path:
        return self.bench.output(JOB)

    @property
    def done(self) -> DoneRecord | None:
        """The record of the job; None while there is none."""
        finished = self.bench.queue.result(JOB.request_id)
        return None if finished is None else finished.done()

    def put(
        self,
        *,
        audio: bytes = AUDIO,
        promised: FileRef | None = None,
        error: ResultError | None = None,
        cues: tuple[Cue, ...] = (),
    ) -> SpoolResult:
        """Let the worker publish a take of 1.5 s with its waveform, and say what it did in one second."""
        assert self.taken.job is not None
        spool, now = self.bench.host.spool, self.bench.clock.now()
        folder = spool.scratch(self.taken.entry)
        (folder / "audio.wav").write_bytes(audio)
        (folder / "audio.peaks.json").write_bytes(PEAKS)
        take = a_take(1, AUDIO).placed(
            promised or file_ref("audio.wav", audio), file_ref("audio.peaks.json", PEAKS)
        )
        take = replace(take, captions=cues)
        result = SpoolResult(
            entry=self.taken.entry,
            request_id=JOB.request_id,
            started_at=now,
            finished_at=now + 1,
            record=None if error else spoken([take]),
            error=error,
            fingerprint=self.taken.job.fingerprint,
        )
        spool.publish(self.taken.entry, result)
        self.bench.clock.advance(3)
        return result

    def settle(self) -> JobState:
        """One look of the dispatcher; where the job is then."""
        self.dispatcher.step()
        return self.bench.job(JOB).state


@pytest.fixture
def desk(bench: Bench) -> Desk:
    bench.clock.advance(5)  # so that the job waited for a while
    made = Desk(bench)
    bench.clock.advance(2)
    return made


def test_a_result_is_stored_recorded_and_published(desk: Desk) -> None:
    result = desk.put()

    assert desk.settle() is JobState.DONE

    done = desk.done
    assert done is not None
    (take,) = done.takes
    assert isinstance(take, Take)
    assert take.peaks is not None
    store = desk.root / "store"
    assert (take.main.file, take.peaks.file) == ("topic/beat-001.wav", "topic/beat-001.peaks.json")
    for file, data in ((take.main, AUDIO), (take.peaks, PEAKS)):
        assert file.key is not None
        assert (store / file.key).read_bytes() == (store / "outputs" / file.file).read_bytes() == data
    assert isinstance(result.record, SpokenRecord)
    assert done.spoken == result.record.placed([take])
    assert (done.timings.waited_s, done.timings.worked_s, done.timings.stored_s) == (2.0, 1.0, 2.0)
    assert (done.provider, done.callback_data) == ("local", {"n": [1]})
    assert not list((desk.root / "scratch").iterdir())
    assert desk.bench.spool.entries() == {}


def test_each_step_is_taken_when_the_one_before_stands(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audio is safe before the record says so, and the worker's copy goes last of all."""
    steps: list[str] = []
    watched: list[tuple[Any, str]] = [
        (desk.bench.storage, "put"),
        (desk.bench.queue, "complete"),
        (desk.bench.storage, "publish"),
        (desk.bench.journal, "forget"),
        (SpoolClient, "acknowledge"),
    ]
    for owner, name in watched:
        monkeypatch.setattr(owner, name, noting(getattr(owner, name), name, steps))
    desk.put()

    desk.settle()

    assert steps == ["put", "put", "complete", "publish", "forget", "acknowledge"]


def noting(real: Callable[..., Any], name: str, steps: list[str]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        steps.append(name)
        return real(*args, **kwargs)

    return call


@pytest.mark.parametrize("step", ["put", "complete", "publish", "acknowledge"])
def test_a_crash_at_any_step_costs_no_attempt_and_changes_no_record(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    bench = desk.bench
    owners = {"put": bench.storage, "complete": bench.queue, "publish": bench.storage}
    desk.put()
    with monkeypatch.context() as patched:
        patched.setattr(owners.get(step, SpoolClient), step, die)
        with pytest.raises(Killed):
            desk.settle()
    before = bench.queue.result(JOB.request_id)
    assert (before is None) is (step in ("put", "complete"))

    following = bench.dispatcher("next")
    following.resume()
    for _ in range(2):
        following.step()

    after = bench.queue.result(JOB.request_id)
    assert after is not None
    assert (after.state, after.attempt) == (JobState.DONE, 1)
    assert before in (None, after)
    assert desk.published.read_bytes() == AUDIO
    assert list(bench.journal.leases()) == []
    bench.clock.advance(200)  # nobody can hold what still lies there any more
    following.step()
    assert bench.spool.entries() == {}


@pytest.mark.parametrize("blocked", ["store", "scratch"])
def test_nothing_is_acknowledged_while_the_disk_refuses(desk: Desk, blocked: str) -> None:
    """W14: the audio is safe before the record says so."""
    desk.put()
    (desk.root / blocked).write_text("a file stands in the way")

    for _ in range(3):
        desk.bench.clock.advance(61)
        desk.bench.host.beat()
        assert desk.settle() is JobState.RUNNING

    assert desk.done is None
    assert desk.bench.spool.entries() == {desk.taken.entry: Phase.OUTBOX}
    assert [entry for entry, _, _ in desk.bench.journal.leases()] == [desk.taken.entry]
    assert "is finished and cannot be stored" in str(desk.dispatcher.trouble)
    (desk.root / blocked).unlink()
    desk.bench.clock.advance(61)
    assert desk.settle() is JobState.DONE
    assert desk.bench.job(JOB).attempt == 1


class TestABlobThatIsDamagedBeforeItIsPublished:
    @pytest.fixture(params=["damaged", "gone"])
    def worn(self, request: pytest.FixtureRequest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
        """Once, between store and publication, something happens to the audio."""
        real = desk.bench.storage.publish
        done: list[str] = []

        def publish(claim: Claim, name: str, files: Mapping[str, StoredArtifact], **rest: Any) -> Published:
            if not done:
                done.append(name)
                artifact = next(iter(files.values()))
                blob = desk.root / "store" / artifact.key
                blob.write_bytes(b"?" * artifact.bytes) if request.param == "damaged" else blob.unlink()
            return real(claim, name, files, **rest)

        monkeypatch.setattr(desk.bench.storage, "publish", publish)
        desk.put()
        return desk

    def test_is_stored_anew_while_the_worker_still_has_it(self, worn: Desk) -> None:
        assert worn.settle() is JobState.DONE

        assert worn.published.read_bytes() == AUDIO
        assert list(worn.bench.journal.publications()) == []
        assert worn.bench.spool.entries() == {}

    def test_is_owed_where_the_store_takes_nothing_more(
        self, worn: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The record stands: the job is done, whatever became of its file since."""
        real, calls = worn.bench.storage.put, []

        def put(source: Path, **promised: Any) -> StoredArtifact:
            calls.append(source)
            if len(calls) > 2:  # audio and waveform were taken the first time
                raise StorageUnavailable("No room.")
            return real(source, **promised)

        monkeypatch.setattr(worn.bench.storage, "put", put)

        assert worn.settle() is JobState.DONE

        assert not worn.published.exists()
        assert [owed.request_id for owed in worn.bench.journal.publications()] == [JOB.request_id]


def test_a_worker_that_lost_its_lease_neither_finishes_the_job_nor_publishes(desk: Desk) -> None:
    desk.put()
    desk.bench.clock.advance(61)
    (theirs,) = desk.bench.queue.claim("bob")

    desk.dispatcher.step()

    assert desk.done is None
    assert not desk.published.exists()
    assert desk.bench.queue.renew([theirs]) == []
    assert (desk.dispatcher.held, desk.dispatcher.settled) == (0, 0)


@pytest.mark.parametrize(
    "damage",
    [
        {"audio": AUDIO[:-1] + b"?", "promised": file_ref("audio.wav", AUDIO)},
        {"audio": AUDIO[:-1], "promised": file_ref("audio.wav", AUDIO)},
        {"audio": AUDIO + b"?", "promised": file_ref("audio.wav", AUDIO)},
        {"audio": b""},
    ],
    ids=["other bytes", "cut short", "too long", "empty"],
)
def test_audio_that_is_not_what_the_worker_promised_is_tried_again(
    desk: Desk, damage: dict[str, Any]
) -> None:
    desk.put(**damage)

    assert desk.settle() is JobState.DELAYED

    assert not desk.published.exists()
    assert not (desk.root / "store" / "blobs").exists()
    view = desk.dispatcher.view("here")
    assert view is not None
    assert view.failures == 1


@pytest.mark.parametrize(
    ("worker_class", "state"),
    [
        (ResultErrorClass.BAD_INPUT, JobState.FAILED),
        (ResultErrorClass.ENGINE, JobState.DELAYED),
        (ResultErrorClass.TIMEOUT, JobState.DELAYED),
        (ResultErrorClass.CANCELED, JobState.DELAYED),
        (ResultErrorClass.POISON, JobState.DELAYED),  # the first time
    ],
)
def test_the_workers_error_decides_what_happens_next_and_is_kept(
    desk: Desk, worker_class: ResultErrorClass, state: JobState
) -> None:
    desk.put(error=ResultError(worker_class, "It did not work.", ("last line",)))

    assert desk.settle() is state

    failed = desk.bench.error(JOB) if state is JobState.FAILED else desk.bench.job(JOB).last_failure()
    assert failed is not None
    assert (failed.message, failed.worker_class, failed.log) == (
        "It did not work.",
        worker_class.value,
        ("last line",),
    )
    view = desk.dispatcher.view("here")
    assert view is not None
    assert view.failures == (worker_class is not ResultErrorClass.BAD_INPUT)  # that says nothing of the host


def test_every_class_of_the_worker_has_its_consequence() -> None:
    """Only what is the job's own fault may end it: an engine's failure is worth another try."""
    assert _CLASS_OF == {
        ResultErrorClass.BAD_INPUT: QueueError.BAD_INPUT,
        ResultErrorClass.ENGINE: QueueError.TRANSIENT,
        ResultErrorClass.TIMEOUT: QueueError.TRANSIENT,
        ResultErrorClass.CANCELED: QueueError.TRANSIENT,
        ResultErrorClass.POISON: QueueError.POISON,
    }
    assert set(_CLASS_OF) == set(ResultErrorClass)


@pytest.mark.parametrize("junk", [b'{"format": 1, "files": "../../etc"}', b"{", b"", b"[]"])
def test_a_result_that_breaks_the_format_is_no_crash(desk: Desk, junk: bytes) -> None:
    desk.put()
    (desk.root / "spool" / "outbox" / desk.taken.entry / "result.json").write_bytes(junk)

    assert desk.settle() is JobState.DELAYED


def test_a_store_that_refuses_is_asked_again_with_growing_pauses(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Refusal(monkeypatch, desk.bench.storage, "put", StorageUnavailable("No room."))
    desk.put()

    for _ in range(200):
        desk.bench.clock.advance(0.01)
        desk.dispatcher.step()

    assert 5 <= refusal.calls <= 9  # of the bench's 0.01 s, doubled each time
    assert [kind for kind, _, _ in desk.bench.told].count("storage") == 1


def test_a_store_that_refuses_for_days_is_still_asked_and_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.intervals = DispatchIntervals(busy_s=0.01, pause_s=0.01, longest_pause_s=0.02)
    desk = Desk(bench)
    refusal = Refusal(monkeypatch, bench.storage, "put", StorageUnavailable("No room."))
    desk.put()

    for _ in range(1100):  # doubled so often, a pause would be a number that no float holds
        bench.clock.advance(0.03)
        desk.dispatcher.step()

    assert refusal.calls == 1100
    refusal.on = False
    bench.clock.advance(0.03)
    assert desk.settle() is JobState.DONE


def test_a_job_that_is_finished_and_cannot_be_stored_runs_over_no_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its `timeout_s` is for the work; a full store must not have the work done again."""
    job = spec(timeout_s=5)
    dispatcher = bench.holding(job)
    bench.host.script = lambda: None
    (taken,) = bench.host.take()
    dispatcher.step()
    bench.host.speak(taken)
    refusal = Refusal(monkeypatch, bench.storage, "put", StorageUnavailable("No room."))
    for _ in range(3):
        bench.clock.advance(10)
        bench.host.beat()
        dispatcher.step()

    assert (bench.job(job).state, bench.host.restarts) == (JobState.RUNNING, 0)
    refusal.on = False
    bench.clock.advance(1)
    dispatcher.step()
    assert (bench.job(job).state, bench.job(job).attempt) == (JobState.DONE, 1)
