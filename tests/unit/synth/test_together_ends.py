"""Jobs that are spoken together (V11): how single ones end, and what stops and deaths leave."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import Any

import pytest

from lib.spool import ErrorClass, Heartbeat, Phase, WorkerSpool, WorkerState
from lib.voices import ProfileModel
from lib.voices.engines import _BUILT_IN, HIBARI
from synth.engines import Utterance
from synth.jobs import JobSpeaker
from synth.stop import StopSignal
from tests.unit.synth.batches import eight, jobs, starts, texts
from tests.unit.synth.fakes import HummingEngine
from tests.unit.synth.worker_bench import Bench, Death


class TestTheEndOfOneInABatch:
    def test_by_cancellation_leaves_the_others(self, bench: Bench) -> None:
        def cancel(utterance: Utterance) -> None:
            bench.client.cancel(entries[1])

        bench.engine = HummingEngine(batch=4, before=cancel)
        entries = bench.submit_in_order(*jobs("A one. A two.", "B one. B two. B three.", "C one."))

        bench.work()

        assert bench.error(entries[1]) == (ErrorClass.CANCELED, "The job was canceled after 2 of 3 pieces.")
        assert [bench.result(entries[index]).status for index in (0, 2)] == ["done"] * 2
        assert "B three." not in texts(bench.engine.spoken)

    def test_by_time_leaves_the_others(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=2, before=lambda utterance: bench.clock.advance(20))
        asked = jobs("A one.", "B one. B two. B three. B four.", "C one.")
        asked[1]["timeout_s"] = 60

        entries = bench.submit_in_order(*asked)
        bench.work()

        assert bench.error(entries[1]) == (
            ErrorClass.TIMEOUT,
            "The job ran over its timeout_s of 60 s (3 of 4 pieces done).",
        )
        assert [bench.result(entries[index]).status for index in (0, 2)] == ["done"] * 2

    def test_frees_its_place_for_the_next_job(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=2)
        bench.submit_in_order(*jobs("A one.", "B one. B two.", "C one."))

        bench.work()

        assert [texts(call) for call in bench.engine.calls] == [["A one.", "B one."], ["B two.", "C one."]]


class TestStoppingInABatch:
    def test_gives_back_every_job_that_would_take_too_long(self, bench: Bench) -> None:
        def stop(utterance: Utterance) -> None:
            bench.stop.ask()
            bench.clock.advance(3)

        bench.engine = HummingEngine(batch=4, before=stop)
        asked = jobs("A one.", "B one. B two. B three. B four.", "C one.")
        entries = bench.submit_in_order(*asked)

        bench.work(once=False, grace_s=5.0)

        assert bench.result(entries[0]).status == "done"
        phases = bench.client.entries()
        assert [phases[entry] for entry in entries[1:]] == [Phase.INBOX, Phase.INBOX]

    def test_gives_back_what_waited_for_another_model(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        models = {**HIBARI.models, "quality": ProfileModel("a larger one")}
        monkeypatch.setitem(_BUILT_IN, "hibari", replace(HIBARI, models=models))
        bench.engine = HummingEngine(batch=4, before=lambda utterance: bench.stop.ask())
        asked = jobs("One.", "Two.")
        asked[1]["profile"] = "quality"
        done, waiting = bench.submit_in_order(*asked)

        bench.work(once=False)

        assert bench.result(done).status == "done"
        assert bench.client.entries()[waiting] is Phase.INBOX
        assert starts(bench, waiting) == 0
        bench.engine, bench.stop = HummingEngine(), StopSignal(bench.clock)
        bench.work()
        assert bench.result(waiting).status == "done"


class TestTheHeartbeatOfABatch:
    def test_names_all_jobs_at_hand_and_how_far_they_are_together(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        during: list[Heartbeat | None] = []
        bench.engine = HummingEngine(
            batch=4, before=lambda utterance: during.append(bench.client.heartbeat())
        )
        a, b, c = bench.submit_in_order(*jobs("A one. A two.", "B one. B two. B three.", "C one."))

        bench.work()

        told = [(beat.entries, beat.pieces_done) for beat in during if beat is not None]
        assert told == [*[((a, b), 0)] * 4, *[((b, c), 2)] * 2]
        assert {beat.state for beat in during if beat is not None} == {WorkerState.WORKING}

    def test_does_not_name_one_that_waits_for_another_model(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        models = {**HIBARI.models, "quality": ProfileModel("a larger one")}
        monkeypatch.setitem(_BUILT_IN, "hibari", replace(HIBARI, models=models))
        during: list[tuple[tuple[str, ...], int]] = []

        def look(utterance: Utterance) -> None:
            beat = bench.client.heartbeat()
            during.append((beat.entries if beat else (), starts(bench, second)))

        bench.engine = HummingEngine(batch=4, before=look)
        asked = jobs("One.", "Two.")
        asked[1]["profile"] = "quality"
        first, second = bench.submit_in_order(*asked)

        bench.work()

        assert during == [((first,), 0), ((second,), 1)]

    def test_a_death_counts_for_all_it_names_and_they_are_spoken_one_by_one_afterwards(
        self, bench: Bench
    ) -> None:
        def die(utterance: Utterance) -> None:
            raise Death

        bench.engine = HummingEngine(batch=4, before=die)
        entries = bench.submit_in_order(*jobs("One.", "Two.", "Three.", "Four.", "Five."))
        with pytest.raises(Death):
            bench.work()
        beat = bench.client.heartbeat()

        assert beat is not None
        assert set(beat.entries) == set(entries[:4])
        assert [starts(bench, entry) for entry in entries] == [1, 1, 1, 1, 0]
        bench.engine = HummingEngine(batch=4)
        bench.work()
        assert [len(call) for call in bench.engine.calls] == [1] * 5
        assert all(bench.result(entry).status == "done" for entry in entries)


def test_a_batch_that_is_being_written_does_not_hold_the_engine_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of the first batch are held up until the engine has begun the second."""
    begun = threading.Event()
    bench.engine = HummingEngine(
        batch=4, before=lambda utterance: begun.set() if "Five" in utterance.text else None
    )
    real = JobSpeaker.finish

    def slow_finish(speaker: JobSpeaker, *args: Any) -> Any:
        assert begun.wait(30)
        return real(speaker, *args)

    monkeypatch.setattr(JobSpeaker, "finish", slow_finish)
    bench.submit_in_order(*jobs("One.", "Two.", "Three.", "Four.", "Five."))

    bench.work()

    assert len(bench.client.finished()) == 5


def test_the_next_worker_of_a_spool_finds_nothing_left_over(bench: Bench) -> None:
    bench.engine = HummingEngine(batch=8)
    bench.submit_in_order(*eight())

    bench.work()

    assert os.listdir(bench.root / "work") == []
    with WorkerSpool(bench.root) as spool:
        assert spool.take(8) == []
