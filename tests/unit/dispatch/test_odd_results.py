"""Whatever a worker writes costs its job an attempt at most; the watcher lives on, and so do the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadInput, JobRunnerError, Unavailable
from lib.jobqueue import JobState
from lib.spool import ResultError, ResultErrorClass
from tests.unit.dispatch.bench import Bench, spec

Spoil = Callable[[Path], None]


def _rewrite(change: Callable[[dict[str, Any]], None]) -> Spoil:
    def spoil(folder: Path) -> None:
        raw = json.loads((folder / "result.json").read_bytes())
        change(raw)
        (folder / "result.json").write_text(json.dumps(raw))

    return spoil


def _raw(old: bytes, new: bytes) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / "result.json"
        assert old in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(old, new))

    return spoil


def _link(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        elsewhere = folder.parent.parent.parent / "elsewhere"
        (folder / name).rename(elsewhere)
        (folder / name).symlink_to(elsewhere)

    return spoil


def _folder_is_a_link(folder: Path) -> None:
    elsewhere = folder.parent.parent.parent / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


def _drop_a_take(raw: dict[str, Any]) -> None:
    raw["record"]["takes"].pop()


def _second_take_only(raw: dict[str, Any]) -> None:
    raw["record"]["takes"].pop(0)


def _repeat_a_take(raw: dict[str, Any]) -> None:
    raw["record"]["takes"][1]["take"] = 1


def _one_take_more(raw: dict[str, Any]) -> None:
    takes = raw["record"]["takes"]
    takes.append({**takes[0], "file": "more.wav", "take": 3})


@pytest.mark.parametrize(
    "spoil",
    [
        _raw(b"1.5", b'"\\ud800"'),
        _raw(b"1.5", b"1e400"),
        _raw(b"1.5", b"[" * 200 + b"]" * 200),
        _raw(b"1.5", b'"long"'),
        _link("result.json"),
        _link("audio-1.wav"),
        _folder_is_a_link,
        lambda folder: (folder / "result.json").unlink(),
        _rewrite(_drop_a_take),
        _rewrite(_second_take_only),
        _rewrite(_repeat_a_take),
        _rewrite(_one_take_more),
    ],
    ids=[
        "half a surrogate pair",
        "a number beyond all",
        "too deep",
        "seconds that are a word",
        "the result is a link",
        "the audio is a link",
        "the folder is a link",
        "no result",
        "a take too few",
        "without the chosen take",
        "a take twice",
        "a take too many",
    ],
)
def test_an_odd_result_is_another_try_and_the_next_job_is_done(bench: Bench, spoil: Spoil) -> None:
    odd, good = spec("odd", variants=2), spec("good")
    dispatcher = bench.holding(odd)
    bench.host.speak_all()
    (folder,) = (bench.root / "spool" / "outbox").iterdir()
    spoil(folder)
    bench.enqueue(good)
    dispatcher.claim()

    for _ in range(3):
        dispatcher.step()

    assert bench.job(odd).state is JobState.DELAYED
    assert bench.job(odd).last_error is not None
    assert bench.job(good).state is JobState.DONE
    assert bench.spool.entries() == {}
    assert not bench.output(odd).exists()


@pytest.mark.parametrize("named", ["another", None], ids=["another job", "no job"])
@pytest.mark.parametrize("failed", [False, True], ids=["done", "failed"])
def test_a_result_that_names_another_job_is_a_broken_result_of_its_host(
    bench: Bench, named: str | None, failed: bool
) -> None:
    job, good = spec("mine"), spec("good")
    dispatcher = bench.holding(job)
    for taken in bench.host.take():
        error = ResultError(ResultErrorClass.BAD_INPUT, "It cannot be read.") if failed else None
        bench.host.speak(taken, error=error)
    (folder,) = (bench.root / "spool" / "outbox").iterdir()
    _rewrite(lambda raw: raw.update(request_id=named))(folder)

    dispatcher.step()

    if failed and named is None:  # what a worker says of a job file that it could not read
        assert bench.job(job).state is JobState.FAILED
        return
    view, last_error = dispatcher.view("here"), bench.job(job).last_error
    assert view is not None
    assert view.failures == 1
    assert last_error is not None
    assert "was given to it" in last_error["message"]
    assert bench.job(job).state is JobState.DELAYED
    assert not bench.output(job).exists()
    bench.enqueue(good)
    dispatcher.claim()
    dispatcher.step()
    assert bench.job(good).state is JobState.DONE


@pytest.mark.parametrize(
    "error", [ValueError("what \ud800"), BadInput("Not this."), RecursionError(), JobRunnerError("Odd.")]
)
def test_an_error_that_nobody_foresaw_fails_the_job_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise error

    job = spec()
    dispatcher = bench.holding(job)
    bench.host.speak_all()
    with monkeypatch.context() as patched:
        patched.setattr(type(bench.queue), "complete", refuse)
        dispatcher.step()

    assert bench.job(job).state is JobState.DELAYED
    assert list(bench.journal.leases()) == []


def test_a_queue_that_is_away_fails_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise Unavailable("No server.")

    job = spec()
    dispatcher = bench.holding(job)
    bench.host.speak_all()
    with monkeypatch.context() as patched:
        patched.setattr(type(bench.queue), "complete", away)
        with pytest.raises(Unavailable):
            dispatcher.step()

    dispatcher.step()

    assert bench.job(job).state is JobState.DONE
    assert bench.job(job).attempt == 1


@pytest.mark.parametrize(
    ("worker_class", "state"),
    [
        (ResultErrorClass.BAD_INPUT, JobState.FAILED),
        (ResultErrorClass.ENGINE, JobState.DELAYED),
        (ResultErrorClass.TIMEOUT, JobState.DELAYED),
        (ResultErrorClass.CANCELED, JobState.DELAYED),
    ],
)
def test_the_workers_class_decides_what_becomes_of_the_job(
    bench: Bench, worker_class: ResultErrorClass, state: JobState
) -> None:
    job = spec()
    dispatcher = bench.holding(job)
    for taken in bench.host.take():
        bench.host.speak(taken, error=ResultError(worker_class, "It did not work."))

    dispatcher.step()

    assert bench.job(job).state is state
