"""Jobs that are spoken together (V11): one call of the engine for many, each with its own end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.spool import Heartbeat, LocalFiles, Phase, ResultErrorClass, SpoolClient, WorkerSpool, WorkerState
from lib.voices import ProfileModel
from lib.voices.engines import _BUILT_IN, HIBARI
from synth.engines import EngineFailed, Speech, Utterance
from synth.worker.jobs import JobSpeaker
from synth.worker.stop import StopSignal
from tests.unit.synth.fakes import HummingEngine
from tests.unit.synth.worker_bench import Bench, Death

LETTERS = "abcdefgh"


def jobs(*texts: str, **fields: Any) -> list[dict[str, Any]]:
    """One job for each text, named a, b, c and so on."""
    return [{"name": name, "text": text, **fields} for name, text in zip(LETTERS, texts, strict=False)]


def eight(**fields: Any) -> list[dict[str, Any]]:
    return jobs(*(f"Text of {name}." for name in LETTERS), **fields)


def texts(call: Sequence[Utterance]) -> list[str]:
    return [utterance.text for utterance in call]


def starts(bench: Bench, entry: str) -> int:
    path = bench.root / "work" / f"{entry}.starts"
    return path.stat().st_size if path.exists() else 0


class TestABatch:
    def test_is_one_call_for_eight_texts_of_eight_jobs(self, bench: Bench) -> None:
        """V4."""
        bench.engine = HummingEngine(batch=8)
        entries = bench.submit_in_order(*eight())

        bench.work()

        assert [texts(call) for call in bench.engine.calls] == [[f"Text of {name}." for name in LETTERS]]
        assert [bench.result(entry).request_id for entry in entries] == list(LETTERS)

    def test_makes_the_samples_that_each_job_has_alone(self, bench: Bench, tmp_path: Path) -> None:
        asked = [*jobs("One. Two. Three.", "Four.", variants=2), *eight()[2:]]
        files = LocalFiles(tmp_path / "other")
        single = Bench(tmp_path / "other", SpoolClient(files))
        bench.engine = HummingEngine(batch=5)

        together = bench.submit_in_order(*asked)
        apart = single.submit_in_order(*asked)
        bench.work()
        single.work()

        assert max(map(len, bench.engine.calls)) == 5
        assert max(map(len, single.engine.calls)) == 1
        for one, other in zip(together, apart, strict=True):
            assert bench.record(one).takes == single.record(other).takes
        files.close()

    def test_is_filled_with_the_pieces_of_the_next_jobs_first_come_first_served(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=4)
        bench.submit_in_order(*jobs("A one. A two. A three.", "B one. B two. B three.", "C one. C two."))

        bench.work()

        assert [texts(call) for call in bench.engine.calls] == [
            ["A one.", "A two.", "A three.", "B one."],
            ["B two.", "B three.", "C one.", "C two."],
        ]

    def test_of_an_engine_without_batches_is_one_job_at_a_time(self, bench: Bench) -> None:
        """The next job waits in the inbox, where its client may take it back."""
        waiting: list[Phase] = []
        bench.before_each_piece(lambda utterance: waiting.append(bench.client.entries()[second]))
        _, second = bench.submit_in_order(*jobs("One. Two.", "Three."))

        bench.work()

        assert waiting[:2] == [Phase.INBOX, Phase.INBOX]
        assert [len(call) for call in bench.engine.calls] == [1, 1, 1]

    def test_holds_jobs_of_one_model_only(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        models = {**HIBARI.models, "quality": ProfileModel("a larger one")}
        monkeypatch.setitem(_BUILT_IN, "hibari", replace(HIBARI, models=models))
        bench.engine = HummingEngine(batch=8)
        asked = jobs("One.", "Two.", "Three.")
        asked[1]["profile"] = "quality"

        entries = bench.submit_in_order(*asked)
        bench.work()

        assert [texts(call) for call in bench.engine.calls] == [["One."], ["Two."], ["Three."]]
        assert [bench.result(entry).state for entry in entries] == ["done"] * 3

    def test_counts_to_each_job_its_share_of_the_time(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=4, before=lambda utterance: bench.clock.advance(1))
        entries = bench.submit_in_order(*jobs("One. Two. Three.", "Four."))

        bench.work()

        assert [bench.record(entry).work_seconds for entry in entries] == [3.0, 1.0]


class TestAJobThatMustBeAlone:
    def test_is_in_no_call_with_others(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=8)
        asked = jobs("One.", "Two.", "Three.", "Four.")
        asked[1]["alone"] = True

        entries = bench.submit_in_order(*asked)
        bench.work()

        assert [texts(call) for call in bench.engine.calls] == [["One."], ["Two."], ["Three.", "Four."]]
        assert [bench.result(entry).state for entry in entries] == ["done"] * 4

    def test_is_finished_to_its_last_byte_with_nothing_else_in_hand(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """So that a death in the encoder names the right job."""
        seen: list[tuple[str, tuple[str, ...], int]] = []
        real = JobSpeaker.finish

        def finish(speaker: JobSpeaker, performance: Any, run: Any, folder: Path) -> Any:
            beat = bench.client.heartbeat()
            seen.append((run.entry, beat.entries if beat else (), starts(bench, run.entry)))
            return real(speaker, performance, run, folder)

        monkeypatch.setattr(JobSpeaker, "finish", finish)
        bench.engine = HummingEngine(batch=8)
        first, alone, _ = bench.submit_in_order(*({"name": "a"}, {"name": "b", "alone": True}, {"name": "c"}))

        bench.work()

        assert [entry for entry, _, _ in seen[:2]] == [first, alone]
        assert seen[1] == (alone, (alone,), 1)

    def test_left_ones_come_first_and_one_by_one(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=8)
        entries = bench.submit_in_order(*jobs("Fresh one.", "Left one.", "Fresh two.", "Left two."))
        for entry in (entries[1], entries[3]):
            bench.left_by_a_dead_worker(entry)

        bench.work()

        assert [texts(call) for call in bench.engine.calls] == [
            ["Left one."],
            ["Left two."],
            ["Fresh one.", "Fresh two."],
        ]


class TestAFailureInABatch:
    @pytest.mark.parametrize("error", [EngineFailed("It hurts."), ZeroDivisionError("by nothing")])
    def test_is_the_guilty_jobs_alone(self, bench: Bench, error: Exception) -> None:
        def hurt(utterance: Utterance) -> None:
            if utterance.text == "Text of c.":
                raise error

        bench.engine = HummingEngine(batch=8, before=hurt)
        entries = bench.submit_in_order(*eight())

        bench.work()

        assert bench.error(entries[2])[0] is ResultErrorClass.ENGINE
        assert str(error) in bench.error(entries[2])[1]
        assert [bench.result(e).state for e in entries if e != entries[2]] == ["done"] * 7
        assert [len(call) for call in bench.engine.calls] == [8, *[1] * 8]

    def test_of_the_batch_itself_is_nobodys(self, bench: Bench) -> None:
        """Too little memory for eight, say."""

        class Small(HummingEngine):
            def speak(self, utterances: Sequence[Utterance]) -> list[Speech]:
                if len(utterances) > 1:
                    raise EngineFailed("Out of memory.")
                return super().speak(utterances)

        bench.engine = Small(batch=8)
        entries = bench.submit_in_order(*eight())

        bench.work()

        assert [bench.result(entry).state for entry in entries] == ["done"] * 8

    def test_may_be_an_answer_too_few(self, bench: Bench) -> None:
        class Lazy(HummingEngine):
            def speak(self, utterances: Sequence[Utterance]) -> list[Speech]:
                return super().speak(utterances)[: 3 if len(utterances) > 1 else 1]

        bench.engine = Lazy(batch=8)
        entries = bench.submit_in_order(*eight())

        bench.work()

        assert [bench.result(entry).request_id for entry in entries] == list(LETTERS)
        assert [bench.result(entry).state for entry in entries] == ["done"] * 8

    def test_of_the_only_job_is_not_tried_again(self, bench: Bench) -> None:
        def hurt(utterance: Utterance) -> None:
            raise EngineFailed("It hurts.")

        bench.engine = HummingEngine(batch=8, before=hurt)
        entry = bench.submit(text="One. Two.")

        bench.work()

        assert bench.error(entry) == (ResultErrorClass.ENGINE, "It hurts.")
        assert len(bench.engine.calls) == 1

    def test_bad_input_does_not_hold_the_others_up(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=8)
        asked = jobs("One.", "你好", "Three.")

        entries = bench.submit_in_order(*asked)
        bench.work()

        assert bench.error(entries[1])[0] is ResultErrorClass.BAD_INPUT
        assert [texts(call) for call in bench.engine.calls] == [["One.", "Three."]]


class TestTheEndOfOneInABatch:
    def test_by_cancellation_leaves_the_others(self, bench: Bench) -> None:
        def cancel(utterance: Utterance) -> None:
            bench.client.cancel(entries[1])

        bench.engine = HummingEngine(batch=4, before=cancel)
        entries = bench.submit_in_order(*jobs("A one. A two.", "B one. B two. B three.", "C one."))

        bench.work()

        assert bench.error(entries[1]) == (
            ResultErrorClass.CANCELED,
            "The job was canceled after 2 of 3 pieces.",
        )
        assert [bench.result(entries[index]).state for index in (0, 2)] == ["done"] * 2
        assert "B three." not in texts(bench.engine.spoken)

    def test_by_time_leaves_the_others(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=2, before=lambda utterance: bench.clock.advance(20))
        asked = jobs("A one.", "B one. B two. B three. B four.", "C one.")
        asked[1]["timeout_s"] = 60

        entries = bench.submit_in_order(*asked)
        bench.work()

        assert bench.error(entries[1]) == (
            ResultErrorClass.TIMEOUT,
            "The job ran over its timeout_s of 60 s (3 of 4 pieces done).",
        )
        assert [bench.result(entries[index]).state for index in (0, 2)] == ["done"] * 2

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

        assert bench.result(entries[0]).state == "done"
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

        assert bench.result(done).state == "done"
        assert bench.client.entries()[waiting] is Phase.INBOX
        assert starts(bench, waiting) == 0
        bench.engine, bench.stop = HummingEngine(), StopSignal(bench.clock)
        bench.work()
        assert bench.result(waiting).state == "done"


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
        during: list[tuple[str, ...]] = []

        def look(utterance: Utterance) -> None:
            beat = bench.client.heartbeat()
            during.append(beat.entries if beat else ())

        bench.engine = HummingEngine(batch=4, before=look)
        asked = jobs("One.", "Two.")
        asked[1]["profile"] = "quality"
        first, second = bench.submit_in_order(*asked)

        bench.work()

        assert during == [(first,), (second,)]

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
        assert all(bench.result(entry).state == "done" for entry in entries)


def test_a_batch_that_is_being_written_does_not_hold_the_engine_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of the first batch are held up until the engine has begun the second."""
    import threading

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
