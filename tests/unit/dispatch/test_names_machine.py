"""Enqueue, replace, retry, cancel, complete and publish in any order, by two watchers that die anywhere.

Q43: when the last of them has caught up, each path holds the newest audio that was asked for and made, and
nothing else lies beside it. What is expected is worked out from the queue's records alone.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lib.clock import ManualClock
from lib.dispatch import DispatchParts, LeaseJournal, StorageDelivery
from lib.dispatch.publish_queue import PublishQueue
from lib.jobqueue import (
    Changed,
    FinishedJob,
    JobQueue,
    JobSpec,
    JobState,
    Lease,
    LeaseLost,
    Outcome,
    QueueOptions,
)
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.follow import Batch
from lib.jobs.results import result_rows
from lib.jobspec import PEAKS_SUFFIX, take_name
from lib.records import FileRef, Take
from lib.storage import FileStorage, files_by_path, output_name_of
from lib.storage.hashed_writes import Disk
from tests.doubles import records

IDS, TEXTS, WATCHERS = ("one", "two", "three"), ("a", "b", "c"), ("ann", "bob")
NAMES = ("x", "y", "x.take-02")  # the last is a path of the first, where that has two takes
HOUR_S = 3600.0
MEMORY = Path("/dev/shm")


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


class MortalDisk:
    """A disk on which the process dies at the step that was chosen, before it or after."""

    def __init__(self) -> None:
        self.left: int | None = None
        plain = Disk()
        self.disk = Disk(
            name=self._step(plain.name), note=self._step(plain.note), remove=self._step(plain.remove)
        )

    def _step(self, real: Any) -> Any:
        def step(*args: Any) -> None:
            if self.left == 0:
                raise Killed
            real(*args)
            if self.left is not None:
                self.left -= 1
                if self.left == 0:
                    raise Killed

        return step


class Watcher:
    """What of a watcher matters here: its leases, and what it owes to the names."""

    def __init__(self, name: str, root: Path, queue: JobQueue, clock: ManualClock) -> None:
        self.name, self.root, self.queue, self.clock = name, root, queue, clock
        self.disk = MortalDisk()
        self.journal = LeaseJournal(root / name)
        self.leases: dict[str, Lease] = {}
        self.publishing = self._publish_queue()

    def _publish_queue(self) -> PublishQueue:
        storage = FileStorage(self.root / "store", self.disk.disk)
        delivery = StorageDelivery(storage, provider="local", scratch=self.root / "scratch", clock=self.clock)
        return PublishQueue(DispatchParts(self.name, "local", self.queue, delivery, self.journal, self.clock))

    def claim(self) -> None:
        for lease in self.queue.claim(self.name, count=1):
            entry = f"{lease.request_id}.{lease.lease_no}"
            self.journal.write(entry, lease, "here")
            self.leases[entry] = lease

    def complete(self, entry: str, steps: int | None) -> None:
        """Record the job as done and publish it; die after that many steps on the disk, 0: right between."""
        lease = self.leases[entry]
        takes = stored(FileStorage(self.root / "store"), self.root / "desk", lease.spec)
        done = records.done("unused")
        record = type(done)(records.spoken().placed(takes), done.timings, done.provider)
        with self.dying(steps):
            try:
                order = self.queue.complete(lease, record.to_json())
            except LeaseLost:
                pass
            else:
                if steps == 0:
                    raise Killed
                self.publishing.publish(entry, lease, takes, order)
            self.journal.forget(entry)
            del self.leases[entry]

    def catch_up(self, steps: int | None) -> None:
        self.clock.advance(HOUR_S)
        with self.dying(steps):
            self.publishing.retry()

    @contextmanager
    def dying(self, steps: int | None) -> Iterator[None]:
        self.disk.left = steps
        try:
            yield
        except Killed:
            self.start_again()
        finally:
            self.disk.left = None

    def start_again(self) -> None:
        """As a new process on the same folder does."""
        self.disk.left = None
        self.leases.clear()
        self.publishing = self._publish_queue()
        self.publishing.resume()
        for entry, lease, _ in tuple(self.journal.leases()):
            if self.queue.renew([lease]):
                self.publishing.recover(entry, lease)
                self.journal.forget(entry)
            else:
                self.leases[entry] = lease


def content_of(spec: JobSpec, path: str) -> bytes:
    return f"{spec.request_id} says {spec.text} as {path}".encode()


def stored(storage: FileStorage, desk: Path, spec: JobSpec) -> list[Take]:
    """The takes of a job, each file in the store; a FLAC has a waveform."""

    def put(path: str) -> FileRef:
        data = content_of(spec, path)
        desk.write_bytes(data)
        found = storage.put(desk, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
        return FileRef(path, found.bytes, found.sha256, found.key)

    takes = []
    for number in range(1, spec.variants + 1):
        audio = put(take_name(spec.output_name, number, spec.format))
        peaks = put(take_name(spec.output_name, number, PEAKS_SUFFIX)) if spec.format == "flac" else None
        takes.append(records.take(number, audio, peaks=peaks))
    return takes


def made(queue: JobQueue, *, newest: bool) -> list[FinishedJob]:
    """Every revision that is done, or only the newest of each id, in the order of asking."""
    found: list[FinishedJob] = []
    for request_id in IDS:
        now = queue.result(request_id)
        done = [job for job in (*queue.revisions(request_id), now) if job and job.state is JobState.DONE]
        found += done[-1:] if newest else done
    return sorted(found, key=lambda item: item.order)


def last_of_each_name(jobs: list[FinishedJob]) -> list[FinishedJob]:
    """Of jobs in the order of asking, the last that wants each name."""
    by_name = {}
    for job in jobs:
        record = job.done()
        assert record is not None
        by_name[output_name_of(record.takes)] = job
    return sorted(by_name.values(), key=lambda item: item.order)


def published_in_order(jobs: list[FinishedJob]) -> dict[str, str]:
    """Path to sha256, when each takes its name from who had it, and leaves the name it had before."""
    paths: dict[str, tuple[str, str, str]] = {}  # to output name, request id and sha256
    for job in jobs:
        record = job.done()
        assert record is not None
        name, files = output_name_of(record.takes), files_by_path(record.takes)
        paths = {path: held for path, held in paths.items() if held[0] != name and held[1] != job.request_id}
        paths |= {path: (name, job.request_id, item.sha256) for path, item in files.items()}
    return {path: sha256 for path, (_, _, sha256) in paths.items()}


steps = st.none() | st.integers(0, 12)
specs = st.builds(
    JobSpec,
    request_id=st.sampled_from(IDS),
    output_name=st.sampled_from(NAMES),
    text=st.sampled_from(TEXTS),
    speaker=st.just("Ryan"),
    variants=st.integers(1, 2),
    format=st.sampled_from(["wav", "flac"]),
).filter(lambda spec: spec.variants == 1 or ".take-" not in spec.output_name)  # no takes of a take


class Names(RuleBasedStateMachine):
    """One queue, one store, two watchers."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="jr-names-", dir=MEMORY if MEMORY.is_dir() else None))
        self.clock = ManualClock()
        options = QueueOptions(lease_ms=10**10, result_ttl_s=1e9)
        self.queue = MemoryQueue(options, now_ms=lambda: round(self.clock.now() * 1000))
        self.watchers = {name: Watcher(name, self.root, self.queue, self.clock) for name in WATCHERS}

    @rule(spec=specs, changed=st.sampled_from(Changed))
    def ask(self, spec: JobSpec, changed: Changed) -> None:
        """As `up`: what is in the store already is published again."""
        (found,) = self.queue.enqueue([spec], changed=changed)
        if found.outcome is Outcome.DUPLICATE and found.state is JobState.DONE:
            batch = Batch(self.queue, [spec])
            batch.refresh()
            result_rows(batch, FileStorage(self.root / "store"))

    @rule(spec=specs, name=st.sampled_from(WATCHERS), steps=steps)
    def ask_and_get(self, spec: JobSpec, name: str, steps: int | None) -> None:
        """All of it at once, so that much is done in few steps."""
        self.ask(spec, Changed.REPLACE)
        self.claim(name)
        if self.watchers[name].leases:
            self.complete(name, steps, True)

    @precondition(lambda self: self.queue.snapshot().waiting)
    @rule(name=st.sampled_from(WATCHERS))
    def claim(self, name: str) -> None:
        self.watchers[name].claim()

    @precondition(lambda self: any(watcher.leases for watcher in self.watchers.values()))
    @rule(name=st.sampled_from(WATCHERS), steps=steps, newest=st.booleans())
    def complete(self, name: str, steps: int | None, newest: bool) -> None:
        leases = list(self.watchers[name].leases)
        if leases:
            self.watchers[name].complete(leases[-1 if newest else 0], steps)

    @rule(name=st.sampled_from(WATCHERS), steps=steps)
    def catch_up(self, name: str, steps: int | None) -> None:
        self.watchers[name].catch_up(steps)

    @rule(name=st.sampled_from(WATCHERS))
    def die(self, name: str) -> None:
        self.watchers[name].start_again()

    @rule(request_id=st.sampled_from(IDS), again=st.booleans())
    def cancel(self, request_id: str, again: bool) -> None:
        self.queue.cancel(request_id)
        if again:
            self.queue.retry([request_id])

    def teardown(self) -> None:
        """Everybody catches up; then each path is what was asked for last."""
        if not hasattr(self, "watchers"):
            return
        try:
            for watcher in self.watchers.values():
                watcher.start_again()
            for _ in range(20):
                for watcher in self.watchers.values():
                    watcher.catch_up(None)
            assert [len(watcher.publishing) for watcher in self.watchers.values()] == [0, 0]
            self._compare()
        finally:
            shutil.rmtree(self.root)

    def _compare(self) -> None:
        outputs = self.root / "store" / "outputs"
        found = {
            str(path.relative_to(outputs)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in outputs.rglob("*")
            if path.is_file()
        }
        asked_for = published_in_order(made(self.queue, newest=True))
        in_turn = published_in_order(made(self.queue, newest=False))
        # a path of two names, that one of them took and gave up before the other came, nobody gets back
        at_last = published_in_order(last_of_each_name(made(self.queue, newest=True)))
        for path in {*found, *asked_for, *in_turn, *at_last}:
            given_up = (in_turn.get(path), at_last.get(path)) if ".take-" in path else ()
            assert found.get(path) in (asked_for.get(path), *given_up), path


def lives(examples: int, *, same: bool = False) -> None:
    """Live that many; the `same` each time, or others."""
    run_state_machine_as_test(
        Names,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=not same,
            derandomize=same,
        ),
    )


def test_every_name_ends_with_the_newest_audio_that_was_asked_for() -> None:
    lives(60, same=True)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_name_ends_with_the_newest_audio_that_was_asked_for_in_many_lives() -> None:
    lives(5000)
