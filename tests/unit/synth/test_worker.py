"""The resident worker's loop (V11), with an engine that hums and a spool in a temporary folder."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lib.clock import ManualClock
from lib.errors import BadConfiguration
from lib.spool import (
    ErrorClass,
    LocalFiles,
    Phase,
    SpoolClient,
    SpoolFull,
    SpoolJob,
    SpoolResult,
    WorkerSpool,
    WorkerState,
)
from lib.voices import VoiceRegistry
from synth import worker as worker_module
from synth.engines import Model, Utterance
from synth.jobs import EngineShelf, JobSpeaker
from synth.stop import StopSignal
from synth.worker import Worker, WorkerOptions
from tests.unit.synth.fakes import HummingEngine


class Death(BaseException):
    """Like SIGKILL: nothing in the worker catches it."""


@dataclass
class Bench:
    """One spool, its client, and workers made on demand."""

    root: Path
    client: SpoolClient
    clock: ManualClock = field(default_factory=ManualClock)
    engine: HummingEngine = field(default_factory=HummingEngine)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stop = StopSignal(self.clock)

    def work(self, *, once: bool = True, grace_s: float = 5.0, beat_every_s: float = 600.0) -> None:
        shelf = EngineShelf(lambda name: self.engine)
        speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", self.clock)
        options = WorkerOptions("hibari", grace_s, once, beat_every_s)
        with WorkerSpool(self.root) as spool:
            Worker(spool, speaker, shelf, self.stop, self.clock, options, self.said.append).run()

    def submit(self, name: str = "a", text: str = "One. Two.", **fields: Any) -> str:
        spec = {"request_id": name, "output_name": name, "text": text, "speaker": "heart", **fields}
        return self.client.submit(SpoolJob(name, 1, 1, spec))

    def result(self, entry: str) -> SpoolResult:
        found = self.client.result(entry)
        assert found is not None
        return found

    def error(self, entry: str) -> tuple[ErrorClass, str]:
        error = self.result(entry).error
        assert error is not None
        return error.error_class, error.message

    def before_each_piece(self, act: Callable[[Utterance], None]) -> None:
        self.engine = HummingEngine(before=act)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    files = LocalFiles(tmp_path / "spool")
    yield Bench(tmp_path / "spool", SpoolClient(files))
    files.close()


def test_jobs_become_audio_with_their_records(bench: Bench, tmp_path: Path) -> None:
    entry = bench.submit(format="flac", variants=2)

    bench.work()

    result = bench.result(entry)
    assert (result.status, result.request_id) == ("done", "a")
    assert [file.name for file in result.files] == ["audio.flac", "audio.take-02.flac"]
    for file in result.files:
        bench.client.fetch(entry, file, tmp_path / file.name)
    assert result.record["sha256"] == result.files[0].sha256


def test_the_model_is_loaded_once_for_all_jobs(bench: Bench) -> None:
    loads: list[str] = []
    entries = [bench.submit(name) for name in "abcde"]

    def create(name: str) -> HummingEngine:
        loads.append(name)
        return bench.engine

    shelf = EngineShelf(create)
    with WorkerSpool(bench.root) as spool:
        speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", bench.clock)
        options = WorkerOptions("hibari", once=True)
        Worker(spool, speaker, shelf, bench.stop, bench.clock, options, bench.said.append).run()

    assert loads == ["hibari"]
    assert all(bench.result(entry).status == "done" for entry in entries)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"text": "你好"}, "no letter or digit"),
        ({"speaker": "Nobody"}, "has no speaker 'Nobody'"),
        ({"speaker": None, "voice": "nowhere"}, "no voice 'nowhere'"),
        ({"language": "German"}, "does not speak German"),
        ({"text": "x" * 9000}, "Set chunk: true"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_job_that_is_wrong_is_bad_input_and_the_next_is_spoken(
    bench: Bench, fields: dict[str, Any], sentence: str
) -> None:
    """V13."""
    bad, good = bench.submit("bad", **fields), bench.submit("good")

    bench.work()

    error_class, message = bench.error(bad)
    assert error_class is ErrorClass.BAD_INPUT
    assert sentence in message
    assert bench.result(good).status == "done"


def test_a_job_file_that_cannot_be_read_is_bad_input(bench: Bench) -> None:
    entry = bench.submit()
    (bench.root / "inbox" / f"{entry}.json").write_bytes(b"{")

    bench.work()

    assert bench.error(entry) == (ErrorClass.BAD_INPUT, "The job file is no valid JSON.")


def test_an_engine_that_breaks_fails_the_job_with_its_traceback_and_goes_on(bench: Bench) -> None:
    def break_on_one(utterance: Utterance) -> None:
        if "One" in utterance.text:
            raise ZeroDivisionError("by nothing")

    bench.before_each_piece(break_on_one)
    bad, good = bench.submit("bad"), bench.submit("good", text="Fine.")

    bench.work()

    assert bench.error(bad) == (ErrorClass.ENGINE, "The worker failed: ZeroDivisionError: by nothing.")
    error = bench.result(bad).error
    assert error is not None
    assert any("break_on_one" in line for line in error.log)
    assert bench.result(good).status == "done"


def test_a_job_over_its_time_is_a_timeout(bench: Bench) -> None:
    bench.before_each_piece(lambda utterance: bench.clock.advance(40))
    entry = bench.submit(text="One. Two. Three. Four.", timeout_s=60)

    bench.work()

    assert bench.error(entry) == (
        ErrorClass.TIMEOUT,
        "The job ran over its timeout_s of 60 s (2 of 4 pieces done).",
    )


def test_a_job_that_ends_just_over_its_time_is_kept(bench: Bench) -> None:
    bench.before_each_piece(lambda utterance: bench.clock.advance(40))
    entry = bench.submit(text="One. Two.", timeout_s=60)

    bench.work()

    assert bench.result(entry).status == "done"


def test_a_job_canceled_in_the_inbox_is_not_spoken(bench: Bench) -> None:
    entry = bench.submit()
    bench.client.cancel(entry)

    bench.work()

    assert bench.error(entry)[0] is ErrorClass.CANCELED
    assert bench.engine.spoken == []


def test_a_job_canceled_while_it_is_spoken_ends_after_the_piece(bench: Bench) -> None:
    bench.before_each_piece(lambda utterance: bench.client.cancel(entry))
    entry = bench.submit(text="One. Two. Three.")

    bench.work()

    assert bench.error(entry) == (ErrorClass.CANCELED, "The job was canceled after 1 of 3 pieces.")


class TestStopping:
    def test_the_job_at_hand_is_finished_and_the_rest_stays_in_the_inbox(self, bench: Bench) -> None:
        bench.before_each_piece(lambda utterance: bench.stop.ask())
        first, second = bench.submit("a"), bench.submit("b")

        bench.work(once=False)

        done, left = sorted([first, second], key=lambda entry: bench.client.entries()[entry] is Phase.INBOX)
        assert bench.result(done).status == "done"
        assert bench.client.entries()[left] is Phase.INBOX

    def test_a_job_that_would_take_too_long_goes_back_after_the_piece(self, bench: Bench) -> None:
        def stop_and_wait(utterance: Utterance) -> None:
            bench.stop.ask()
            bench.clock.advance(3)

        bench.before_each_piece(stop_and_wait)
        entry = bench.submit(text="One. Two. Three. Four.")

        bench.work(once=False, grace_s=5.0)

        assert bench.client.entries() == {entry: Phase.INBOX}
        assert len(bench.engine.spoken) == 2

    def test_a_job_that_went_back_is_no_poison(self, bench: Bench) -> None:
        for _ in range(4):
            bench.before_each_piece(lambda utterance: bench.stop.ask())
            bench.stop = StopSignal(bench.clock)
            entry = bench.submit(text="One. Two. Three.")
            bench.work(once=False, grace_s=-1.0)
            assert bench.client.entries() == {entry: Phase.INBOX}

        bench.engine, bench.stop = HummingEngine(), StopSignal(bench.clock)
        bench.work()
        assert bench.result(entry).status == "done"

    def test_an_idle_worker_stops_at_once(self, bench: Bench) -> None:
        thread = threading.Thread(target=bench.work, kwargs={"once": False})
        thread.start()
        while bench.client.heartbeat() is None:
            bench.client.wait(0.01)

        bench.stop.ask()

        thread.join(10)
        assert not thread.is_alive()


class TestDying:
    def test_a_job_at_hand_is_taken_up_by_the_next_worker(self, bench: Bench) -> None:
        def die(utterance: Utterance) -> None:
            raise Death

        bench.before_each_piece(die)
        entry = bench.submit()
        with pytest.raises(Death):
            bench.work()
        assert bench.client.entries() == {entry: Phase.WORK}

        bench.engine = HummingEngine()
        bench.work()

        assert bench.result(entry).status == "done"

    def test_a_job_that_five_workers_ended_on_is_poison(self, bench: Bench) -> None:
        """A net below the judgement of whoever starts the workers."""

        def die(utterance: Utterance) -> None:
            raise Death

        bench.before_each_piece(die)
        entry = bench.submit()
        for _ in range(5):
            with pytest.raises(Death):
                bench.work()

        bench.work()

        assert bench.error(entry) == (
            ErrorClass.POISON,
            "5 workers ended while they worked on this job.",
        )

    def test_a_job_that_is_only_being_written_when_a_worker_dies_is_not_counted(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The job after it kills the worker while its own files are still being made."""
        dying = threading.Event()

        def die_of_the_second(utterance: Utterance) -> None:
            if "Bad" in utterance.text:
                dying.set()
                raise Death

        def never_in_time(speaker: JobSpeaker, *args: Any) -> SpoolResult:
            assert dying.wait(30)
            raise Death

        bench.before_each_piece(die_of_the_second)
        good, bad = bench.submit("good", text="Good."), bench.submit("bad", text="Bad.")
        os.utime(bench.root / "inbox" / f"{good}.json", (1, 1))
        with monkeypatch.context() as patched:
            patched.setattr(JobSpeaker, "finish", never_in_time)
            with pytest.raises(Death):
                bench.work()

        starts = {e: (bench.root / "work" / f"{e}.starts").stat().st_size for e in (good, bad)}
        assert bench.client.entries() == {good: Phase.WORK, bad: Phase.WORK}
        assert starts == {good: 0, bad: 1}

    def test_what_a_dead_worker_left_is_finished_before_anything_else_is_begun(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """So the next death, in the encoder too, finds the heartbeat at the right job."""
        seen: list[tuple[str | None, str | None]] = []
        real = JobSpeaker.finish

        def finish(speaker: JobSpeaker, performance: Any, run: Any, folder: Path) -> SpoolResult:
            beat = bench.client.heartbeat()
            seen.append((run.entry, beat.entry if beat else None))
            return real(speaker, performance, run, folder)

        monkeypatch.setattr(JobSpeaker, "finish", finish)
        bench.submit("fresh")
        left = [bench.submit(name) for name in ("left-1", "left-2")]
        for entry in left:
            (bench.root / "work").mkdir(exist_ok=True)
            (bench.root / "inbox" / f"{entry}.json").rename(bench.root / "work" / f"{entry}.json")

        bench.work()

        assert len(seen) == 3
        assert {entry for entry, _ in seen[:2]} == set(left)
        assert all(entry == told for entry, told in seen[:2])


class TestTheHeartbeat:
    def test_it_says_which_job_and_how_far(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[WorkerState, str | None, int, int]] = []
        real = WorkerSpool.beat

        def beat(spool: WorkerSpool, heartbeat: Any) -> None:
            seen.append((heartbeat.state, heartbeat.entry, heartbeat.pieces_done, heartbeat.pieces))
            real(spool, heartbeat)

        monkeypatch.setattr(WorkerSpool, "beat", beat)
        bench.before_each_piece(lambda utterance: bench.clock.advance(1))
        entry = bench.submit(text="One. Two.")

        bench.work()

        assert seen == [
            (WorkerState.LOADING, None, 0, 0),
            (WorkerState.WORKING, entry, 0, 0),
            (WorkerState.WORKING, entry, 1, 2),
            (WorkerState.WORKING, entry, 2, 2),
            (WorkerState.STOPPED, None, 0, 0),
        ]

    def test_it_goes_on_while_a_model_loads_and_a_long_piece_is_spoken(self, bench: Bench) -> None:
        """A client takes a heart that stands still for a process that stands still."""
        seen: dict[WorkerState, list[float]] = {WorkerState.LOADING: [], WorkerState.WORKING: []}

        def until_it_beats_again(state: WorkerState) -> None:
            before = bench.client.heartbeat()
            assert before is not None
            deadline = time.monotonic() + 30
            while (now := bench.client.heartbeat()) is None or now.at == before.at:
                assert time.monotonic() < deadline, f"no beat while {state}"
                bench.clock.advance(1)
                time.sleep(0.001)
            assert (now.state, now.entry) == (state, before.entry)
            seen[state].append(now.at)

        class Slow(HummingEngine):
            def load(self) -> Model:
                if not self.loads:
                    until_it_beats_again(WorkerState.LOADING)
                return super().load()

        bench.engine = Slow(before=lambda utterance: until_it_beats_again(WorkerState.WORKING))
        bench.submit(text="One.")

        bench.work(beat_every_s=0.01)

        assert all(seen.values())

    def test_its_last_word_names_process_and_count(self, bench: Bench) -> None:
        for name in "abc":
            bench.submit(name)

        bench.work()

        beat = bench.client.heartbeat()
        assert beat is not None
        assert (beat.pid, beat.state, beat.finished) == (os.getpid(), WorkerState.STOPPED, 3)


def test_a_spool_that_cannot_be_written_any_more_ends_the_worker_with_a_sentence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise BadConfiguration("The disk is full.")

    bench.submit()
    monkeypatch.setattr(WorkerSpool, "publish", full)

    with pytest.raises(BadConfiguration, match="The disk is full"):
        bench.work()


@pytest.mark.parametrize("place", ["audio", "result"])
def test_a_full_disk_ends_the_worker_with_status_75_and_costs_the_job_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    entry = bench.submit()
    target = "synth.audio.encode._encode" if place == "audio" else "lib.spool.worker.write_whole"
    for _ in range(7):
        with monkeypatch.context() as patched:
            patched.setattr(target, full)
            with pytest.raises(SpoolFull, match="No space left") as caught:
                bench.work()
        assert caught.value.exit_status == 75
        assert bench.client.entries()[entry] in (Phase.INBOX, Phase.WORK)

    bench.work()

    assert bench.result(entry).status == "done"


def test_the_engine_does_not_wait_for_the_encoder(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first job's files are held up until the engine has begun the second job."""
    begun = threading.Event()
    bench.before_each_piece(lambda utterance: begun.set() if "Second" in utterance.text else None)
    real = JobSpeaker.finish

    def slow_finish(speaker: JobSpeaker, *args: Any) -> SpoolResult:
        assert begun.wait(30)
        return real(speaker, *args)

    monkeypatch.setattr(JobSpeaker, "finish", slow_finish)
    first = bench.submit("a", text="First.")
    os.utime(bench.root / "inbox" / f"{first}.json", (1, 1))
    bench.submit("b", text="Second.")

    bench.work()

    assert worker_module._MOST_BEHIND >= 2
    assert len(bench.client.finished()) == 2
