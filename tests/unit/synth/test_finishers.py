"""What was spoken is finished behind the engine: in order, on the disk before it is seen (V11)."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from lib.spool import SpoolResult
from lib.spool.layout import OUTBOX, TMP
from synth.speech.takes import Performance
from synth.worker.finishers import Finishers
from synth.worker.jobs import JobAtHand
from tests.unit.synth.worker_bench import Bench


class NoJob:
    """Of a job, what its finishing asks for."""

    def __init__(self, name: str) -> None:
        self.name, self.let_go_of = name, False

    def let_go(self, ended: object) -> None:
        self.let_go_of = True


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
    assert all(job.let_go_of for job in jobs)


def test_what_the_disk_refuses_is_raised_to_whoever_catches_up() -> None:
    def full(each: SpoolResult) -> None:
        raise OSError("full")

    with finishing(full, lambda each: None) as finishers:
        finishers.take(cast(Performance, None), cast(JobAtHand, NoJob("1")))
        with pytest.raises(OSError, match="full"):
            finishers.catch_up(0)


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
