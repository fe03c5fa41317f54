"""What every engine does alike. An engine's test class derives from `EngineConformance` and gives `engine`.

A class of an engine whose faults can be provoked also gives `failing`, which has it fail at some texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest

from lib.clock import SystemClock
from lib.voices import LANGUAGES, ResolvedVoice, VoiceKind, engine_facts
from synth.engines import Engine, EngineFailed, Speech, Utterance
from synth.engines.port import load_model
from synth.speech.performance import Performing, load_for, perform, speak_together
from synth.speech.request import SpeakRequest

#: Has the engine fail at each text that holds a word, for as long as it lasts.
Failing = Callable[[str], AbstractContextManager[None]]

TEXTS = [
    "Yes.",
    "It is raining again.",
    "The train to the coast leaves at noon.",
    "Nobody had thought of the second key.",
    "She read the letter twice, and then once more.",
    "A short one.",
    "Behind the mill the river bends to the west.",
    "They counted the boats as they came in.",
]
SPOKEN = {
    "Chinese": "今天天气很好。",
    "English": "The weather is fine today.",
    "French": "Il fait beau aujourd'hui.",
    "German": "Heute ist schönes Wetter.",
    "Italian": "Oggi fa bel tempo.",
    "Japanese": "きょうは いい てんきです。",
    "Korean": "오늘은 날씨가 좋습니다.",
    "Portuguese": "Hoje o tempo está bom.",
    "Russian": "Сегодня хорошая погода.",
    "Spanish": "Hoy hace buen tiempo.",
}


class Stopped(Exception):
    """What a caller raises to end the work."""


def samples_of(answer: Speech | EngineFailed) -> np.ndarray:
    assert isinstance(answer, Speech), answer
    return answer.samples


def all_same(some: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> bool:
    """Whether the samples are the same, but for rounding."""
    pairs = list(zip(some, others, strict=True))
    return all(len(a) == len(b) and np.allclose(a, b, atol=1e-3) for a, b in pairs)


class EngineConformance:
    """The suite."""

    @pytest.fixture
    def profile(self) -> str:
        """A profile whose model the engine has."""
        return "balanced"

    @pytest.fixture
    def say(self, engine: Engine, profile: str) -> Callable[..., Utterance]:
        """Makes an utterance of the engine's first speaker."""
        preset = next(iter(engine.speakers().values()))

        def made(text: str, seed: int = 7, language: str = "English") -> Utterance:
            return Utterance(text, language, preset, seed, profile=profile)

        return made

    @pytest.fixture
    def request_for(self, engine: Engine, profile: str) -> Callable[[str], SpeakRequest]:
        """Makes a request of the engine's first speaker."""
        speaker, preset = next(iter(engine.speakers().items()))
        voice = ResolvedVoice(engine.name, None, speaker, preset, "English")
        return lambda text: SpeakRequest(text, voice, profile=profile, chunk=True)

    def test_is_what_its_facts_say(self, engine: Engine) -> None:
        facts = engine_facts(engine.name)
        assert dict(engine.speakers()) == dict(facts.speakers)
        assert set(engine.speakers().values()) <= set(facts.presets)
        assert engine.languages() == facts.languages
        assert engine.languages() <= set(LANGUAGES)
        assert engine.limits().batch >= 1
        assert engine.limits().piece_characters <= facts.max_characters

    def test_is_loaded_once(self, engine: Engine, profile: str) -> None:
        name = engine_facts(engine.name).model_of(profile, VoiceKind.BUILT_IN)
        model = load_model(engine, name)
        assert load_model(engine, name) == model == engine.load()
        assert model.name == name
        assert model.revision
        assert model.sample_rate % 1000 == 0

    def test_makes_mono_floats_of_its_rate(self, engine: Engine, say: Callable[..., Utterance]) -> None:
        rate = engine.load().sample_rate
        for answer in engine.speak([say(text) for text in TEXTS[:3]]):
            samples = samples_of(answer)
            assert isinstance(answer, Speech)
            assert samples.dtype == np.float32
            assert (samples.ndim, answer.sample_rate) == (1, rate)
            assert np.isfinite(samples).all()
            assert 0.001 < np.abs(samples).max() <= 1.0

    def test_the_same_seed_is_the_same_take(self, engine: Engine, say: Callable[..., Utterance]) -> None:
        some = [samples_of(answer) for answer in engine.speak([say(text) for text in TEXTS[:3]])]
        again = [samples_of(answer) for answer in engine.speak([say(text) for text in TEXTS[:3]])]
        assert all(np.array_equal(a, b) for a, b in zip(some, again, strict=True))

    def test_another_seed_is_another_take_where_seeds_vary(
        self, engine: Engine, say: Callable[..., Utterance]
    ) -> None:
        some, others = ([say(text, seed) for text in TEXTS[2:5]] for seed in (1, 2))
        a, b = (list(map(samples_of, engine.speak(each))) for each in (some, others))
        if engine.limits().seed_varies:
            assert not any(len(x) == len(y) and np.array_equal(x, y) for x, y in zip(a, b, strict=True))

    def test_a_batch_is_what_its_texts_are_alone(self, engine: Engine, say: Callable[..., Utterance]) -> None:
        batch = [say(text, seed) for seed, text in enumerate(TEXTS)]
        together = [samples_of(answer) for answer in engine.speak(batch)]
        alone = [samples_of(answer) for each in batch for answer in engine.speak([each])]
        assert all_same(together, alone)

    def test_answers_in_the_order_it_was_asked_in(
        self, engine: Engine, say: Callable[..., Utterance]
    ) -> None:
        batch = [say(text, seed) for seed, text in enumerate(TEXTS)]
        forth, back = (list(map(samples_of, engine.speak(each))) for each in (batch, batch[::-1]))
        assert all_same(forth, back[::-1])
        assert engine.speak([]) == []

    def test_speaks_a_text_as_long_as_it_says(self, engine: Engine, say: Callable[..., Utterance]) -> None:
        most = engine.limits().piece_characters
        text = " ".join(TEXTS * 9)[:most].rpartition(" ")[0]
        assert len(text) > most - 20
        (answer,) = engine.speak([say(text)])
        assert len(samples_of(answer)) > 0

    def test_speaks_each_of_its_languages(self, engine: Engine, say: Callable[..., Utterance]) -> None:
        languages = sorted(engine.languages())
        answers = engine.speak([say(SPOKEN[each], language=each) for each in languages])
        assert all(len(samples_of(answer)) > 0 for answer in answers)

    def test_speaks_with_each_speaker(self, engine: Engine, profile: str) -> None:
        presets = list(dict.fromkeys(engine.speakers().values()))
        answers = engine.speak(
            [Utterance("Good day.", "English", each, 3, profile=profile) for each in presets]
        )
        assert all(len(samples_of(answer)) > 0 for answer in answers)

    def test_a_text_it_fails_at_does_not_fail_its_batch(
        self, engine: Engine, request_for: Callable[[str], SpeakRequest], failing: Failing
    ) -> None:
        texts = ["A fine day.", "A cursed day.", "A day like any other."]
        performings = [
            Performing(request, load_for(request, engine), engine.limits())
            for request in map(request_for, texts)
        ]
        wrong: dict[int, Exception] = {}
        with failing("cursed"):
            while going := [n for n, each in enumerate(performings) if each.pending and n not in wrong]:
                troubles = speak_together(engine, [performings[n] for n in going], SystemClock())
                wrong |= {n: each for n, each in zip(going, troubles, strict=True) if each is not None}
        assert list(wrong) == [1]
        assert isinstance(wrong[1], EngineFailed)
        assert "cursed" in str(wrong[1])
        assert all(len(performings[n].performance().takes[0].samples) > 0 for n in (0, 2))

    def test_is_asked_nothing_more_once_the_work_is_canceled(
        self, engine: Engine, request_for: Callable[[str], SpeakRequest], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[int] = []
        speak = engine.speak

        def counted(utterances: Sequence[Utterance]) -> Sequence[Speech | EngineFailed]:
            asked.append(len(utterances))
            return speak(utterances)

        def stop(done: int, total: int) -> None:
            assert 0 < done < total
            raise Stopped

        monkeypatch.setattr(engine, "speak", counted)
        with pytest.raises(Stopped):
            perform(request_for(" ".join(TEXTS * 8)), engine, SystemClock(), stop)
        assert len(asked) == 1
