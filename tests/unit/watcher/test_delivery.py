"""From a worker's result to a finished job: the order of the steps, and what each refusal leaves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from job_watcher.delivery import _CLASS_OF, Delivery
from job_watcher.renting.adapters import DeliverySettler
from lib.clock import ManualClock
from lib.jobqueue import ErrorClass as QueueError
from lib.jobqueue import JobState, Lease, LeaseLost, QueueOptions
from lib.jobqueue.memory import MemoryQueue
from lib.jobspec import normalize_job_spec
from lib.spool import ErrorClass, LocalFiles, ResultError, ResultFile, SpoolClient, SpoolResult
from lib.storage import FileStorage, StorageUnavailable, StoredArtifact, publish_takes

PEAKS = b'{"version":2}'
AUDIO = b"RIFF" + bytes(range(256)) * 40
SPEC = normalize_job_spec({"output_name": "topic/beat-001", "text": "Hello there.", "speaker": "Ryan"})


@dataclass
class Desk:
    """A leased job whose worker has just put its result into the outbox."""

    root: Path
    queue: MemoryQueue
    clock: ManualClock
    lease: Lease
    delivery: Delivery
    entry: str

    @property
    def published(self) -> Path:
        return self.root / "store" / "outputs" / "topic" / "beat-001.wav"

    def put(
        self, *, audio: bytes = AUDIO, sha256: str | None = None, error: ResultError | None = None
    ) -> None:
        folder = self.root / "spool" / "outbox" / self.entry
        folder.mkdir(parents=True)
        (folder / "audio.wav").write_bytes(audio)
        (folder / "audio.peaks.json").write_bytes(PEAKS)
        digest = sha256 or hashlib.sha256(AUDIO).hexdigest()
        peaks = ResultFile("audio.peaks.json", len(PEAKS), hashlib.sha256(PEAKS).hexdigest(), 1)
        result = SpoolResult(
            entry=self.entry,
            request_id=SPEC.request_id,
            started_at=1.0,
            finished_at=2.0,
            record={"seconds": 1.5},
            files=() if error else (ResultFile("audio.wav", len(audio), digest, 1, peaks),),
            error=error,
        )
        (folder / "result.json").write_bytes(result.to_bytes())

    def settle(self) -> JobState:
        """Settle, and publish what is to be published, as the watcher does."""
        settled = self.delivery.settle(self.entry, self.lease, provider="local")
        publish_takes(FileStorage(self.root / "store"), settled.takes)
        return settled.state


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    from lib.spool.layout import entry_name, lease_mark

    clock = ManualClock()
    queue = MemoryQueue(QueueOptions(lease_ms=1000), now_ms=lambda: round(clock.now() * 1000))
    queue.enqueue([SPEC])
    (lease,) = queue.claim("ann")
    spool = SpoolClient(LocalFiles(tmp_path / "spool"))
    storage = FileStorage(tmp_path / "store")
    delivery = Delivery(queue, spool, storage, scratch=tmp_path / "scratch", clock=clock)
    entry = entry_name(SPEC.request_id, lease.lease_no, lease_mark(lease.token))
    return Desk(tmp_path, queue, clock, queue.begin(lease), delivery, entry)


def test_a_result_is_stored_recorded_and_published(desk: Desk) -> None:
    desk.put()

    assert desk.settle() is JobState.DONE

    finished = desk.queue.result(SPEC.request_id)
    assert finished is not None
    assert finished.result is not None
    assert desk.published.read_bytes() == AUDIO
    blob = desk.root / "store" / finished.result["takes"][0]["key"]
    assert blob.read_bytes() == AUDIO
    peaks = finished.result["takes"][0]["peaks"]
    assert peaks["output"] == "topic/beat-001.peaks.json"
    assert (desk.root / "store" / peaks["key"]).read_bytes() == PEAKS
    assert desk.published.with_name("beat-001.peaks.json").read_bytes() == PEAKS
    assert finished.result["record"] == {"seconds": 1.5}
    assert not list((desk.root / "scratch").iterdir())


def test_settling_again_after_a_crash_changes_nothing(desk: Desk) -> None:
    desk.put()
    desk.settle()
    before = desk.queue.result(SPEC.request_id)

    assert desk.settle() is JobState.DONE
    assert desk.queue.result(SPEC.request_id) == before


@pytest.mark.parametrize("blocked", ["store", "scratch"])
def test_nothing_is_acknowledged_while_the_disk_refuses(desk: Desk, blocked: str) -> None:
    """W14: the audio is safe before the record says so."""
    desk.put()
    (desk.root / blocked).write_text("a file stands in the way")

    with pytest.raises(StorageUnavailable):
        desk.settle()

    assert desk.queue.result(SPEC.request_id) is None
    (desk.root / blocked).unlink()
    assert desk.settle() is JobState.DONE


def test_a_blob_that_is_damaged_before_it_is_published_is_stored_anew(desk: Desk) -> None:
    class Wearing(FileStorage):
        """Damages the first audio between store and publication."""

        worn = False

        def publish(self, artifact: StoredArtifact, name: str) -> str:
            if not self.worn:
                self.worn = True
                (desk.root / "store" / artifact.key).write_bytes(b"?" * artifact.bytes)
            return super().publish(artifact, name)

    desk.put()
    storage = Wearing(desk.root / "store")
    settler = DeliverySettler(
        desk.queue, storage, provider="local", scratch=desk.root / "scratch", clock=desk.clock
    )
    files = LocalFiles(desk.root / "spool")

    with pytest.raises(StorageUnavailable, match="lost what it had taken"):
        settler.settle(files, desk.entry, desk.lease)
    assert not desk.published.exists()

    assert settler.settle(files, desk.entry, desk.lease).state is JobState.DONE
    assert desk.published.read_bytes() == AUDIO


def test_a_worker_that_lost_its_lease_neither_finishes_the_job_nor_publishes(desk: Desk) -> None:
    desk.put()
    desk.clock.advance(5.0)
    desk.queue.claim("bob")

    with pytest.raises(LeaseLost):
        desk.settle()

    assert not desk.published.exists()


@pytest.mark.parametrize(
    "damage",
    [{"audio": AUDIO[:-1]}, {"sha256": "0" * 64}, {"audio": b""}],
    ids=["cut short", "other bytes", "empty"],
)
def test_audio_that_is_not_what_the_worker_promised_is_tried_again(
    desk: Desk, damage: dict[str, bytes]
) -> None:
    desk.put(**damage)  # type: ignore[arg-type]  # one of the keywords

    assert desk.settle() is JobState.DELAYED
    assert not desk.published.exists()


@pytest.mark.parametrize(
    ("worker_class", "state"),
    [
        (ErrorClass.BAD_INPUT, JobState.FAILED),
        (ErrorClass.ENGINE, JobState.DELAYED),
        (ErrorClass.TIMEOUT, JobState.DELAYED),
        (ErrorClass.CANCELED, JobState.DELAYED),
    ],
)
def test_the_workers_error_decides_what_happens_next(
    desk: Desk, worker_class: ErrorClass, state: JobState
) -> None:
    desk.put(error=ResultError(worker_class, "It did not work.", ("last line",)))

    assert desk.settle() is state


def test_every_class_of_the_worker_has_its_consequence() -> None:
    """Only what is the job's own fault may end it: an engine's failure is worth another try."""
    assert _CLASS_OF == {
        ErrorClass.BAD_INPUT: QueueError.BAD_INPUT,
        ErrorClass.ENGINE: QueueError.TRANSIENT,
        ErrorClass.TIMEOUT: QueueError.TRANSIENT,
        ErrorClass.CANCELED: QueueError.TRANSIENT,
        ErrorClass.POISON: QueueError.POISON,
    }
    assert set(_CLASS_OF) == set(ErrorClass)


def test_a_result_that_breaks_the_format_is_no_crash(desk: Desk) -> None:
    desk.put()
    (desk.root / "spool" / "outbox" / desk.entry / "result.json").write_bytes(
        b'{"format": 1, "files": "../../etc"}'
    )

    assert desk.settle() is JobState.DELAYED
