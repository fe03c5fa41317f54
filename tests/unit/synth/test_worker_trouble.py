"""The resident worker (V11): what its death, a full disk and a long wait leave to whoever watches it."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadConfiguration
from lib.spool import (
    Phase,
    ResultErrorClass,
    SpoolFull,
    SpoolResult,
    WorkerSpool,
    WorkerState,
)
from synth.engines import EngineLost, LoadStopped, Model, Utterance
from synth.worker.jobs import JobSpeaker
from tests.unit.synth.fakes import HummingEngine
from tests.unit.synth.worker_bench import Bench, Death


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

        assert bench.result(entry).state == "done"

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
            ResultErrorClass.POISON,
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
            seen.append((run.entry, next(iter(beat.entries), None) if beat else None))
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
            seen.append(
                (
                    heartbeat.state,
                    next(iter(heartbeat.entries), None),
                    heartbeat.pieces_done,
                    heartbeat.pieces,
                )
            )
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
            assert (now.state, now.entries) == (state, before.entries)
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


#: Where the disk is asked.
DISK = {
    "audio": "synth.audio.encode._encode",
    "sync": "lib.spool.worker.sync_file",
    "result": "lib.spool.worker.write_in_place",
}


@pytest.mark.parametrize("place", sorted(DISK))
def test_a_full_disk_ends_the_worker_with_status_75_and_costs_the_job_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    entry = bench.submit()
    target = DISK[place]
    for _ in range(7):
        with monkeypatch.context() as patched:
            patched.setattr(target, full)
            with pytest.raises(SpoolFull, match="No space left") as caught:
                bench.work()
        assert caught.value.exit_status == 75
        assert bench.client.entries()[entry] in (Phase.INBOX, Phase.WORK)

    bench.work()

    assert bench.result(entry).state == "done"


class TestAnEngineThatIsLost:
    """Nothing that is asked of it in this process can end well, so no later job is to fail of it."""

    @staticmethod
    def lose(utterance: Utterance) -> None:
        raise EngineLost("The GPU cuda:0 computes nothing any more.")

    def test_ends_the_worker_and_leaves_its_jobs_to_the_next(self, bench: Bench) -> None:
        bench.engine = HummingEngine(before=self.lose, batch=4)
        entries = [bench.submit(name) for name in "ab"]

        with pytest.raises(EngineLost):
            bench.work()

        beat = bench.client.heartbeat()
        assert beat is not None
        assert set(beat.entries) == set(entries), "whoever judges its death must see what it had at hand"
        assert len(bench.engine.calls) == 1, "a call that lost the engine is not repeated"
        bench.engine = HummingEngine()
        bench.work()
        assert [bench.result(entry).state for entry in entries] == ["done", "done"]

    def test_while_it_loads_another_model_or_speaks_a_sample_ends_the_worker_too(self, bench: Bench) -> None:
        bench.engine = HummingEngine(before=self.lose)
        (bench.root / "sample").mkdir(parents=True)
        (bench.root / "sample" / f"{'a' * 16}.ask").write_text("Do you hear me?")
        with pytest.raises(EngineLost):
            bench.work()

        for asked in (bench.root / "sample").iterdir():
            asked.unlink()

        class Lost(HummingEngine):
            def load(self) -> Model:
                model = super().load()
                if self.loads > 1:
                    raise EngineLost("The GPU cuda:0 computes nothing any more.")
                return model

        bench.engine = Lost()
        entry = bench.submit()
        with pytest.raises(EngineLost):
            bench.work()
        assert bench.client.entries() == {entry: Phase.WORK}


class TestALoadThatIsStopped:
    """A download takes minutes: who asks the worker to stop does not wait for it, and no job fails of it."""

    class Downloading(HummingEngine):
        def __init__(self, bench: Bench, at_load: int) -> None:
            super().__init__()
            self._bench, self._at_load = bench, at_load

        def load(self) -> Model:
            model = super().load()
            if self.loads == self._at_load:
                self._bench.stop.ask()
                raise LoadStopped("The download was stopped.")
            return model

    @pytest.mark.parametrize("at_load", [1, 2], ids=["at its start", "for a job"])
    def test_ends_the_worker_well_and_gives_the_job_back(self, bench: Bench, at_load: int) -> None:
        bench.engine = self.Downloading(bench, at_load)
        entry = bench.submit()

        bench.work(once=False)

        beat = bench.client.heartbeat()
        assert beat is not None
        assert beat.state is WorkerState.STOPPED
        assert bench.client.entries() == {entry: Phase.INBOX}
