"""Jobs that are spoken together (V11): one call of the engine for many, each with its own end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.spool import ErrorClass, LocalFiles, Phase, SpoolClient
from lib.voices import ProfileModel
from lib.voices.engines import _BUILT_IN, HIBARI
from synth.engines import EngineFailed, Speech, Utterance
from synth.jobs import JobSpeaker
from tests.unit.synth.batches import LETTERS, eight, jobs, starts, texts
from tests.unit.synth.fakes import HummingEngine
from tests.unit.synth.worker_bench import Bench


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
            assert [f.sha256 for f in bench.result(one).files] == [
                f.sha256 for f in single.result(other).files
            ]
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
        assert [bench.result(entry).status for entry in entries] == ["done"] * 3

    def test_counts_to_each_job_its_share_of_the_time(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=4, before=lambda utterance: bench.clock.advance(1))
        entries = bench.submit_in_order(*jobs("One. Two. Three.", "Four."))

        bench.work()

        assert [bench.result(entry).record["work_seconds"] for entry in entries] == [3.0, 1.0]


class TestAJobThatMustBeAlone:
    def test_is_in_no_call_with_others(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=8)
        asked = jobs("One.", "Two.", "Three.", "Four.")
        asked[1]["alone"] = True

        entries = bench.submit_in_order(*asked)
        bench.work()

        assert [texts(call) for call in bench.engine.calls] == [["One."], ["Two."], ["Three.", "Four."]]
        assert [bench.result(entry).status for entry in entries] == ["done"] * 4

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

    def test_is_not_begun_before_what_was_spoken_is_written(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first job's files wait for the second to begin, which must not happen, for a moment."""
        begun = threading.Event()
        phases: list[Phase] = []

        def look(utterance: Utterance) -> None:
            if "Alone" in utterance.text:
                phases.append(bench.client.entries()[first])
                begun.set()

        real = JobSpeaker.finish

        def late_finish(speaker: JobSpeaker, *args: Any) -> Any:
            begun.wait(0.2)
            return real(speaker, *args)

        monkeypatch.setattr(JobSpeaker, "finish", late_finish)
        bench.engine = HummingEngine(batch=8, before=look)
        first, _ = bench.submit_in_order({"name": "a"}, {"name": "b", "text": "Alone.", "alone": True})

        bench.work()

        assert phases == [Phase.OUTBOX]

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

        assert bench.error(entries[2])[0] is ErrorClass.ENGINE
        assert str(error) in bench.error(entries[2])[1]
        assert [bench.result(e).status for e in entries if e != entries[2]] == ["done"] * 7
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

        assert [bench.result(entry).status for entry in entries] == ["done"] * 8

    def test_may_be_an_answer_too_few(self, bench: Bench) -> None:
        class Lazy(HummingEngine):
            def speak(self, utterances: Sequence[Utterance]) -> list[Speech]:
                return super().speak(utterances)[: 3 if len(utterances) > 1 else 1]

        bench.engine = Lazy(batch=8)
        entries = bench.submit_in_order(*eight())

        bench.work()

        assert [bench.result(entry).request_id for entry in entries] == list(LETTERS)
        assert [bench.result(entry).status for entry in entries] == ["done"] * 8

    def test_of_the_only_job_is_not_tried_again(self, bench: Bench) -> None:
        def hurt(utterance: Utterance) -> None:
            raise EngineFailed("It hurts.")

        bench.engine = HummingEngine(batch=8, before=hurt)
        entry = bench.submit(text="One. Two.")

        bench.work()

        assert bench.error(entry) == (ErrorClass.ENGINE, "It hurts.")
        assert len(bench.engine.calls) == 1

    def test_bad_input_does_not_hold_the_others_up(self, bench: Bench) -> None:
        bench.engine = HummingEngine(batch=8)
        asked = jobs("One.", "你好", "Three.")

        entries = bench.submit_in_order(*asked)
        bench.work()

        assert bench.error(entries[1])[0] is ErrorClass.BAD_INPUT
        assert [texts(call) for call in bench.engine.calls] == [["One.", "Three."]]
