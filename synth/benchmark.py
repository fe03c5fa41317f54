"""How fast engines speak here: seconds of audio a second, by profile and size of batch.

What is timed is what a worker's main thread does with a batch of jobs: one call of the engine, and trimming,
measuring and judging what came of it. Levelling and encoding go on beside it, in another thread.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lib.clock import Clock
from lib.errors import JobRunnerError
from lib.voices import ResolvedVoice, engine_facts
from synth.engines.port import Engine, EngineFailed, EngineLimits, Model, OnAGpu, Speech, Utterance
from synth.speech.performance import Performing, batch_of, load_for, speak_together
from synth.speech.request import SpeakRequest
from synth.speech.sample_voice import USUAL_PROFILE, first_voice

#: Narration of one sentence each, of 55 to 103 characters; English, which every engine so far speaks.
TEXTS: Final = (
    "The tide comes in, the tide goes out, and the harbour keeps the time.",
    "At six in the morning the first boats return, with the night's catch in wooden crates.",
    "Nobody had expected snow in April, least of all the gardeners of the botanical institute.",
    "The report was published on Tuesday, and by Friday both ministers had read it.",
    "Trains to the coast leave from platform four every twenty minutes until half past eleven at night.",
    "She wrote three letters, sealed two of them, and kept the last one in a drawer for thirty years.",
    "Bread needs flour, water, salt, and above all patience.",
    "The engineers measured the bridge again, and again it was four centimetres too short.",
    "What the archive holds is less a history of the city than a history of its fires.",
    "In the northern valleys the harvest begins late, and the grain is dried over small fires of birch wood.",
    "He counted the steps to the lighthouse, lost count, and began anew.",
    "The orchestra played for an hour without a conductor, and hardly anybody in the hall noticed it.",
    "From the window you can see the river, the mill, and on clear days the mountains behind them.",
    "Last year the museum lent eleven paintings, and nine of them came back.",
    "The first radio signal crossed the ocean on a windy afternoon, and it was a single letter.",
    "Before the storm the birds were silent; afterwards there were no leaves left to hide in, and they sang.",
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One engine in one profile at one size of batch. Times are seconds; with a `problem` none is told."""

    engine: str
    profile: str
    batch: int  # texts in each call
    most_at_once: int = 0  # ... that it really speaks together: less where its memory ran out
    model: str = ""
    revision: str = ""
    gpu: str | None = None  # as its driver calls it; None: the CPU
    texts: int = 0
    audio_seconds: float = 0.0
    seconds: float = 0.0
    load_seconds: float | None = None  # of this model; None where it was loaded already
    problem: str | None = None

    @property
    def speed(self) -> float | None:
        """Seconds of audio a second; None where nothing was timed."""
        return self.audio_seconds / self.seconds if self.seconds > 0 and self.problem is None else None

    def to_json(self) -> dict[str, Any]:
        """An entry of `measured` (docs/reference/json/voice-synth-bench.json)."""
        return {
            "engine": self.engine,
            "profile": self.profile,
            "batch": self.batch,
            "most_at_once": self.most_at_once,
            "model": self.model,
            "revision": self.revision,
            "gpu": self.gpu,
            "texts": self.texts,
            "audio_seconds": round(self.audio_seconds, 3),
            "seconds": round(self.seconds, 3),
            "speed": None if self.speed is None else round(self.speed, 3),
            "load_seconds": None if self.load_seconds is None else round(self.load_seconds, 3),
            "problem": self.problem,
        }


class Benchmark:
    """One engine under measurement; it keeps the model of the last one loaded."""

    def __init__(self, name: str, engine: Engine, clock: Clock) -> None:
        self._name, self._engine, self._clock = name, engine, clock
        self._loaded: Model | None = None

    def measure(self, profile: str, batch: int, *, least_s: float) -> Measurement:
        """Speak whole batches until `least_s` are over, at least one, after one that is not counted."""
        found = Measurement(self._name, profile, batch)
        try:
            return self._measured(found, first_voice(engine_facts(self._name)), least_s)
        except JobRunnerError as error:
            return replace(found, problem=error.message)

    def _measured(self, found: Measurement, voice: ResolvedVoice, least_s: float) -> Measurement:
        began, liked = self._clock.monotonic(), batch_of(self._engine)
        model = load_for(SpeakRequest(TEXTS[0], voice, found.profile), self._engine)
        load_s = None if model == self._loaded else self._clock.monotonic() - began
        self._loaded = model
        fixed = _FixedBatch(self._engine, found.batch)
        self._speak(itertools.cycle(TEXTS), voice, found, fixed, model)
        texts, audio_s, worked_s, source = 0, 0.0, 0.0, itertools.cycle(TEXTS)
        while not texts or worked_s < least_s:
            before = self._clock.monotonic()
            audio_s += self._speak(source, voice, found, fixed, model)
            worked_s += self._clock.monotonic() - before
            texts += found.batch
        now = batch_of(self._engine)
        return replace(
            found,
            most_at_once=found.batch if now == liked else min(found.batch, now),
            model=model.name,
            revision=model.revision,
            gpu=self._engine.gpu() if isinstance(self._engine, OnAGpu) else None,
            texts=texts,
            audio_seconds=audio_s,
            seconds=worked_s,
            load_seconds=load_s,
        )

    def _speak(
        self,
        source: Iterator[str],
        voice: ResolvedVoice,
        found: Measurement,
        engine: _FixedBatch,
        model: Model,
    ) -> float:
        """One batch of jobs of one text each; the seconds of audio that came of it."""
        jobs = [
            Performing(SpeakRequest(text, voice, found.profile), model, engine.limits())
            for text in itertools.islice(source, found.batch)
        ]
        while any(job.pending for job in jobs):
            for trouble in speak_together(engine, [job for job in jobs if job.pending], self._clock):
                if trouble is not None:
                    raise trouble
        takes = [take for job in jobs for take in job.performance().takes]
        return sum(len(take.samples) / take.sample_rate for take in takes)


class _FixedBatch:
    """An engine that is given so many texts a call, whatever it would like best."""

    def __init__(self, engine: Engine, batch: int) -> None:
        self.name, self._engine, self._batch = engine.name, engine, batch

    def load(self) -> Model:
        """Of the engine."""
        return self._engine.load()

    def speak(self, utterances: Sequence[Utterance]) -> Sequence[Speech | EngineFailed]:
        """Of the engine."""
        return self._engine.speak(utterances)

    def speakers(self) -> Mapping[str, str]:
        """Of the engine."""
        return self._engine.speakers()

    def languages(self) -> frozenset[str]:
        """Of the engine."""
        return self._engine.languages()

    def limits(self) -> EngineLimits:
        """Of the engine, but for the batch."""
        return replace(self._engine.limits(), batch=self._batch)


def speeds_of(measured: Iterable[Measurement]) -> dict[str, float]:
    """Seconds of audio a second by engine, as the fleet reckons with them for such a GPU.

    Of the usual profile where that was measured, at the largest batch.
    """
    best: dict[str, Measurement] = {}
    for item in measured:
        if item.speed is not None and (item.engine not in best or _rank(item) > _rank(best[item.engine])):
            best[item.engine] = item
    return {engine: round(item.speed, 3) for engine, item in best.items() if item.speed is not None}


def gpu_class(name: str) -> str:
    """A GPU as rental markets call it, as far as that follows from what its driver says."""
    return name.removeprefix("NVIDIA ").removeprefix("GeForce ")


def _rank(item: Measurement) -> tuple[bool, int]:
    return item.profile == USUAL_PROFILE, item.most_at_once
