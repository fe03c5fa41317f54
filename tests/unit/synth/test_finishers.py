"""What was spoken is finished behind the engine: in order, on the disk before it is seen (V11)."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from lib.spool import SpoolResult, WorkerSpool
from lib.spool.layout import OUTBOX, TMP
from synth.speech.takes import Performance
from synth.worker.finishers import Finishers
from synth.worker.jobs import JobAtHand, JobSpeaker
from tests.unit.synth.worker_bench import Bench


class NoPieces:
    """Of a job's pieces, what its finishing asks for."""

    discarded = False

    def discard(self) -> None:
        self.discarded = True


class NoJob:
    """Of a job, what its finishing asks for."""

    def __init__(self, name: str) -> None:
        self.name, self.kept = name, NoPieces()


def result(name: str) -> SpoolResult:
    return SpoolResult(name, name, 0.0, 0.0)


def finishing(publish: Any, told: Any) -> Finishers:
    return Finishers(lambda performance, job: result(cast(NoJob, job).name), publish, told)


def test_a_slow_disk_holds_up_nobody_and_results_are_told_in_order() -> None:
    told: list[str] = []
    later = threading.Event()

    def publish(each: SpoolResult) -> None:
        if each.entry == "1":
            assert later.wait(30), "the disk is asked for one at a time"
        elif each.entry == "3":
            later.set()

    jobs = [NoJob(str(number)) for number in range(1, 6)]
    with finishing(publish, lambda each: told.append(each.entry)) as finishers:
        for job in jobs:
            finishers.take(cast(Performance, None), cast(JobAtHand, job))
        finishers.catch_up(0)

    assert told == ["1", "2", "3", "4", "5"]
    assert all(job.kept.discarded for job in jobs)


def test_what_was_spoken_is_out_of_memory_while_the_disk_is_waited_for() -> None:
    asked, later = threading.Event(), threading.Event()

    def publish(each: SpoolResult) -> None:
        asked.set()
        assert later.wait(30)

    job: NoJob | None = NoJob("1")
    seen = weakref.ref(job)
    with finishing(publish, lambda each: None) as finishers:
        finishers.take(cast(Performance, None), cast(JobAtHand, job))
        job = None
        finishers.begin()
        assert asked.wait(30)
        gone = _comes_true(lambda: seen() is None)
        later.set()

    assert gone


def _comes_true(condition: Callable[[], bool]) -> bool:
    """Whether it does; the encoder's thread may have its last look at what it did."""
    give_up = time.monotonic() + 5
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.001)
    return condition()


def test_what_the_disk_refuses_is_raised_to_whoever_catches_up() -> None:
    def full(each: SpoolResult) -> None:
        raise OSError("full")

    with finishing(full, lambda each: None) as finishers:
        finishers.take(cast(Performance, None), cast(JobAtHand, NoJob("1")))
        with pytest.raises(OSError, match="full"):
            finishers.catch_up(0)


def test_what_went_wrong_is_raised_at_once_though_few_are_behind() -> None:
    """An engine that speaks on while the disk is full speaks for nothing."""
    second = threading.Event()  # it is told once the first has ended

    def full(each: SpoolResult) -> None:
        if each.entry == "1":
            raise OSError("full")

    with finishing(full, lambda each: second.set()) as finishers:
        for name in "12":
            finishers.take(cast(Performance, None), cast(JobAtHand, NoJob(name)))
        finishers.begin()
        assert second.wait(30)
        with pytest.raises(OSError, match="full"):
            finishers.catch_up(8)


def test_what_was_handed_over_does_not_wait_for_the_result_of_a_bad_job(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that speaks puts that on the disk itself, and nothing is encoded beside it otherwise."""
    begun = threading.Event()
    finish, publish = JobSpeaker.finish, WorkerSpool.publish

    def finished(self: JobSpeaker, *about: Any) -> SpoolResult:
        begun.set()
        return finish(self, *about)

    def published(self: WorkerSpool, entry: str, made: SpoolResult) -> None:
        assert made.error is None or begun.wait(30), "the encoder waits for the disk"
        publish(self, entry, made)

    monkeypatch.setattr(JobSpeaker, "finish", finished)
    monkeypatch.setattr(WorkerSpool, "publish", published)
    good, bad = bench.submit_in_order({"name": "good"}, {"name": "bad", "speaker": "nobody"})
    bench.work()

    assert (bench.result(good).state, bench.result(bad).state) == ("done", "failed")


def test_all_of_a_result_is_on_the_disk_before_it_is_seen(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut a result is whole or absent."""
    happened: list[tuple[str, str]] = []
    fsync, rename = os.fsync, Path.rename

    def synced(descriptor: int) -> None:
        happened.append(("sync", os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        happened.append(("rename", str(target)))
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    entry = bench.submit()
    bench.work()

    outbox = bench.client.result(entry)
    assert outbox is not None
    (seen,) = (at for at, (_, path) in enumerate(happened) if path.endswith(f"/{OUTBOX}/{entry}"))
    before = {path for what, path in happened[:seen] if what == "sync"}
    after = {path for what, path in happened[seen:] if what == "sync"}
    folder = next(path for path in before if path.endswith(f"/{TMP}/{entry}"))
    names = set(os.listdir(Path(folder).parents[1] / OUTBOX / entry))
    assert {f"{folder}/{name}" for name in names} <= before
    assert {"result.json", "audio.wav"} <= names
    assert str(Path(folder).parents[1] / OUTBOX) in after
