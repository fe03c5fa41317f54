"""Engines of several models, and texts at which an engine fails in its answer (V11)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadConfiguration
from lib.spool import ResultErrorClass, SpoolResult, WorkerSpool, WorkerState
from lib.voices import ProfileModel, VoiceRegistry
from lib.voices.engines import _BUILT_IN, HIBARI
from synth.engines import EngineFailed, Model, Utterance
from synth.worker.jobs import EngineShelf, JobSpeaker
from synth.worker.resident import Worker, WorkerOptions
from tests.unit.synth.fakes import RATE, HummingEngine
from tests.unit.synth.test_together import LETTERS, eight, jobs, texts
from tests.unit.synth.worker_bench import Bench


class Models(HummingEngine):
    """It hums with one of several models."""

    def __init__(self, *, first: str = "hibari heart", **changes: Any) -> None:
        super().__init__(**changes)
        self.models: list[str] = []
        self._first = first

    def load(self) -> Model:
        return self.load_model((self.models or [self._first])[-1])

    def load_model(self, name: str) -> Model:
        if self.models[-1:] != [name]:
            self.models.append(name)
        return Model(name, "1", RATE)


class TestSeveralModels:
    @pytest.fixture(autouse=True)
    def two(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        models = {**HIBARI.models, "quality": ProfileModel("a larger one")}
        monkeypatch.setitem(_BUILT_IN, "hibari", replace(HIBARI, models=models))

    def test_that_take_turns_in_a_file_are_loaded_once_each(self, bench: Bench) -> None:
        bench.engine = engine = Models(batch=2)
        asked = eight()
        for job in asked[1::2]:
            job["profile"] = "quality"

        entries = bench.submit_in_order(*asked)
        bench.work()

        assert engine.models == ["hibari heart", "a larger one"]
        assert [texts(call) for call in engine.calls[:2]] == [
            ["Text of a.", "Text of c."],
            ["Text of e.", "Text of g."],
        ]
        assert [bench.record(entry).model for entry in entries] == ["hibari heart", "a larger one"] * 4

    def test_begin_with_the_one_that_is_loaded(self, bench: Bench) -> None:
        bench.engine = engine = Models(first="a larger one")
        asked = jobs("One.", "Two.")
        asked[1]["profile"] = "quality"

        bench.submit_in_order(*asked)
        bench.work()

        assert engine.models == ["a larger one", "hibari heart"]

    def test_make_no_job_wait_for_ever(self, bench: Bench) -> None:
        bench.engine = engine = Models()
        asked = jobs(*["Yes."] * 12)
        asked[2]["profile"] = "quality"
        bench.submit_in_order(*asked)

        work_passing_over(bench, 4)

        first_two_that_pass_nobody = 2
        told = [utterance.profile for utterance in engine.spoken]
        assert told.index("quality") == first_two_that_pass_nobody + 4
        assert engine.models == ["hibari heart", "a larger one", "hibari heart"]

    def test_make_nobody_wait_for_ever_whose_job_cannot_be_read(self, bench: Bench) -> None:
        bench.engine = Models()
        entries = bench.submit_in_order(*jobs(*["Yes."] * 9))
        (bench.root / "inbox" / f"{entries[0]}.json").write_text("what")
        os.utime(bench.root / "inbox" / f"{entries[0]}.json", (1, 1))
        ended: list[str] = []

        work_passing_over(bench, 4, lambda result: ended.append(result.entry))

        assert ended.index(entries[0]) <= 4

    def test_take_no_time_of_a_job_to_be_loaded_and_its_heartbeat_says_so(self, bench: Bench) -> None:
        seen: list[tuple[WorkerState, tuple[str, ...]]] = []

        class Slow(Models):
            def load_model(self, name: str) -> Model:
                if name == "a larger one" and name not in self.models:
                    beat = bench.client.heartbeat()
                    assert beat is not None
                    seen.append((beat.state, beat.entries))
                    bench.clock.advance(600)
                return super().load_model(name)

        bench.engine = Slow()
        (asked,) = jobs("One. Two.")
        asked |= {"profile": "quality", "timeout_s": 60}
        (entry,) = bench.submit_in_order(asked)
        bench.work()

        assert seen == [(WorkerState.LOADING, (entry,))]
        assert bench.record(entry).model == "a larger one"

    def test_let_the_loaded_one_speak_a_sample(self, bench: Bench) -> None:
        bench.engine = engine = Models(first="a larger one")

        audio = sample(bench, VoiceRegistry())

        assert audio.stat().st_size > 1000
        assert (engine.models, engine.spoken[0].profile) == (["a larger one"], "quality")

    def test_of_which_one_clones_speak_a_sample_by_a_cloned_voice(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        models = {"balanced": ProfileModel("hibari heart", "its clone")}
        monkeypatch.setitem(_BUILT_IN, "hibari", replace(HIBARI, models=models, clones=True))
        bench.engine = engine = Models(first="its clone")
        (tmp_path / "voices/broken").mkdir(parents=True)
        (tmp_path / "voices/broken/voice.yaml").write_text("what")
        cloned_voice(tmp_path / "voices/mine")

        sample(bench, VoiceRegistry([tmp_path / "voices"]))

        assert engine.models == ["its clone"]
        assert engine.spoken[0].reference is not None

    def test_of_which_one_clones_load_another_for_a_sample_where_there_is_no_cloned_voice(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        models = {"balanced": ProfileModel("hibari heart", "its clone")}
        monkeypatch.setitem(_BUILT_IN, "hibari", replace(HIBARI, models=models, clones=True))
        bench.engine = engine = Models(first="its clone")

        sample(bench, VoiceRegistry())

        assert engine.models == ["its clone", "hibari heart"]


def work_passing_over(
    bench: Bench, most: int, told: Callable[[SpoolResult], None] = lambda result: None
) -> None:
    shelf = EngineShelf(lambda name: bench.engine)
    speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", bench.clock)
    options = WorkerOptions("hibari", once=True, most_passed_over=most)
    with WorkerSpool(bench.root) as spool:
        Worker(spool, speaker, shelf, bench.stop, bench.clock, options, bench.said.append, told).run()


def sample(bench: Bench, registry: VoiceRegistry) -> Path:
    """The audio of a sample that is spoken by a worker which has loaded its engine."""
    shelf = EngineShelf(lambda name: bench.engine)
    shelf.get("hibari")
    (bench.root / "tmp").mkdir(parents=True, exist_ok=True)
    return JobSpeaker(shelf, lambda: registry, "hibari", bench.clock).sample(
        "The tide comes in.", bench.root / "tmp" / "sample"
    )


def cloned_voice(folder: Path) -> None:
    folder.mkdir(parents=True)
    recording = b"RIFF a recording"
    (folder / "me.wav").write_bytes(recording)
    fields = {
        "name": folder.name,
        "engine": "hibari",
        "language": "English",
        "licence": "mine",
        "consent": "I agreed to my own tests in 2026.",
        "reference_audio": "me.wav",
        "reference_text": "The harbour keeps the time.",
        "sha256": hashlib.sha256(recording).hexdigest(),
    }
    (folder / "voice.yaml").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))


class TestAFailureInTheAnswer:
    def test_that_the_engine_puts_in_its_place_is_said_again_with_another_seed(self, bench: Bench) -> None:
        class Wandering(HummingEngine):
            """It misses the end of one text, once."""

            def speak(self, utterances: Sequence[Utterance]) -> list[Any]:
                made: list[Any] = super().speak(utterances)
                guilty = "Text of c."
                if len(self.calls) == 1:
                    made[texts(utterances).index(guilty)] = EngineFailed(f"runaway: {guilty}")
                return made

        bench.engine = Wandering(batch=8, seed_varies=True)
        entries = bench.submit_in_order(*eight())

        bench.work()

        assert [texts(call) for call in bench.engine.calls] == [
            [f"Text of {n}." for n in LETTERS],
            ["Text of c."],
        ]
        seeds = [each.seed for each in bench.engine.spoken if each.text == "Text of c."]
        assert len(set(seeds)) == 2
        assert bench.record(entries[2]).warnings == ("Said again with another seed: runaway: Text of c.",)
        assert all(bench.result(entry).state == "done" for entry in entries)

    @pytest.mark.parametrize(("profile", "times"), [("fast", 2), ("balanced", 3), ("quality", 5)])
    def test_that_comes_with_every_seed_fails_the_job_in_the_end(
        self, bench: Bench, profile: str, times: int
    ) -> None:
        class Lost(HummingEngine):
            def speak(self, utterances: Sequence[Utterance]) -> list[Any]:
                super().speak(utterances)
                return [EngineFailed("runaway: it did not end.") for _ in utterances]

        bench.engine = Lost(batch=8, seed_varies=True)
        entry = bench.submit(text="One.", profile=profile)

        bench.work()

        said = f"runaway: it did not end. It was said {times} times, each with another seed."
        assert bench.error(entry) == (ResultErrorClass.ENGINE, said)
        assert len({each.seed for each in bench.engine.spoken}) == times

    def test_that_no_seed_can_mend_is_said_once(self, bench: Bench) -> None:
        class Deaf(HummingEngine):
            def speak(self, utterances: Sequence[Utterance]) -> list[Any]:
                super().speak(utterances)
                return [EngineFailed("The recording is no audio.", lasting=True) for _ in utterances]

        bench.engine = Deaf(batch=8, seed_varies=True)
        entry = bench.submit(text="One.", profile="quality")

        bench.work()

        assert bench.error(entry) == (ResultErrorClass.ENGINE, "The recording is no audio.")
        assert len(bench.engine.spoken) == 1


def test_what_is_no_texts_failure_is_not_tried_text_by_text(bench: Bench) -> None:
    class Bare(HummingEngine):
        def speak(self, utterances: Sequence[Utterance]) -> list[Any]:
            super().speak(utterances)
            raise BadConfiguration("The model folder is incomplete.")

    bench.engine = Bare(batch=8)
    entries = bench.submit_in_order(*eight())

    bench.work()

    assert len(bench.engine.calls) == 1
    assert {bench.error(entry)[1] for entry in entries} == {"The model folder is incomplete."}
