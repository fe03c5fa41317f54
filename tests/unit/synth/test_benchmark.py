"""What `voice-synth bench` measures: the worker's calls, by a clock, at each size of batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from lib.clock import ManualClock
from lib.errors import BadConfiguration
from lib.fleet import Speeds
from lib.market.model import GpuMarket, Market
from synth.benchmark import Benchmark, Measurement, gpu_class, speeds_of
from synth.engines import EngineFailed, EngineLimits, Model, Utterance
from tests.unit.synth.fakes import HummingEngine


class Timed(HummingEngine):
    """Each call takes a second, and half a second more for each text."""

    def __init__(self, clock: ManualClock, **changes: Any) -> None:
        super().__init__(**changes)
        self._clock = clock

    def load(self) -> Model:
        if not self.loads:
            self._clock.advance(7.0)
        return super().load()

    def speak(self, utterances: Sequence[Utterance]) -> list[Any]:
        self._clock.advance(1.0 + 0.5 * len(utterances))
        return super().speak(utterances)


def measured(engine: HummingEngine, clock: ManualClock, batch: int, least_s: float = 0.0) -> Measurement:
    return Benchmark("hibari", engine, clock).measure("balanced", batch, least_s=least_s)


def test_a_batch_is_one_call_and_the_first_is_not_counted() -> None:
    clock = ManualClock()
    engine = Timed(clock, batch=8)

    found = measured(engine, clock, 8)

    assert [len(call) for call in engine.calls] == [8, 8]
    assert (found.batch, found.most_at_once, found.texts, found.seconds) == (8, 8, 8, 5.0)
    assert found.speed == pytest.approx(found.audio_seconds / 5.0)
    assert 8 * 2 < found.audio_seconds < 8 * 12


def test_it_goes_on_until_the_time_is_over() -> None:
    clock = ManualClock()
    engine = Timed(clock)
    found = measured(engine, clock, 1, least_s=4.0)
    assert (len(engine.calls), found.texts, found.seconds) == (4, 3, 4.5)


def test_loading_is_told_apart_and_once() -> None:
    clock = ManualClock()
    bench = Benchmark("hibari", Timed(clock), clock)
    assert [bench.measure("balanced", 1, least_s=0).load_seconds for _ in range(2)] == [7.0, None]


def test_the_texts_are_the_same_for_every_size() -> None:
    def said(batch: int) -> list[str]:
        clock = ManualClock()
        engine = Timed(clock, batch=8)
        measured(engine, clock, batch, least_s=20.0)
        return [each.text for each in engine.spoken[batch:]][:8]

    assert said(1) == said(8) == said(3)


def test_an_engine_that_halves_its_batches_says_so() -> None:
    class Halving(Timed):
        def limits(self) -> EngineLimits:
            return EngineLimits(300, 4 if self.calls else 8, seed_varies=False, usual_rate=None)

    clock = ManualClock()
    assert measured(Halving(clock, batch=8), clock, 8).most_at_once == 4
    assert measured(Timed(clock, batch=1), clock, 8).most_at_once == 8


@pytest.mark.parametrize("at_load", [True, False])
def test_what_cannot_be_measured_is_a_sentence_in_its_row(at_load: bool) -> None:
    class Refusing(Timed):
        def load(self) -> Model:
            if at_load:
                raise BadConfiguration("The model folder is incomplete.")
            return super().load()

        def speak(self, utterances: Sequence[Utterance]) -> list[Any]:
            return [EngineFailed("It fell silent.") for _ in utterances]

    clock = ManualClock()
    found = measured(Refusing(clock), clock, 1)
    assert found.problem == ("The model folder is incomplete." if at_load else "It fell silent.")
    assert found.speed is None


def test_the_speed_of_an_engine_is_that_of_its_usual_profile_at_its_largest_batch() -> None:
    def row(engine: str, profile: str, batch: int, speed: float | None) -> Measurement:
        seconds = 0.0 if speed is None else 1.0
        return Measurement(engine, profile, batch, batch, audio_seconds=speed or 0.0, seconds=seconds)

    rows = [
        row("one", "fast", 8, 90.0),
        row("one", "balanced", 1, 20.0),
        row("one", "balanced", 8, 50.0),
        row("one", "balanced", 16, None),
        row("two", "quality", 1, 3.0),
        row("mute", "balanced", 1, None),
    ]
    assert speeds_of(rows) == {"one": 50.0, "two": 3.0}


def test_the_fleet_reckons_with_what_was_measured() -> None:
    clock = ManualClock()
    gpu = gpu_class("NVIDIA GeForce RTX 4090")
    speeds = json.loads(json.dumps(speeds_of([measured(Timed(clock, batch=8), clock, 8)])))

    market = Market("vast", 0.0, (GpuMarket(gpu, 1, 300_000, 300_000, speeds=speeds),))
    read = Market.from_text(json.dumps(market.to_json()))
    assert read is not None
    known = Speeds(audio={(engine, read.classes[0].gpu): speed for engine, speed in speeds.items()})
    assert known.of("hibari", "RTX 4090", 1.0, 8.0) == read.classes[0].speeds["hibari"] == speeds["hibari"]


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA H200", "H200"),
        ("Tesla V100-SXM2-16GB", "Tesla V100-SXM2-16GB"),
        ("NVIDIA RTX A6000", "RTX A6000"),
    ],
)
def test_a_gpu_is_called_without_its_maker(name: str, known_as: str) -> None:
    assert gpu_class(name) == known_as
